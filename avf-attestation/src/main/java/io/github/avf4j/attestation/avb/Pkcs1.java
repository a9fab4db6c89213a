package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.verity.VerityHash;
import java.util.Arrays;
import java.util.HexFormat;

/** EMSA-PKCS1-v1_5 (RFC 8017, 9.2): the one byte string that a valid signature opens to. */
final class Pkcs1 {
  private static final byte[] SHA256_INFO =
      HexFormat.of().parseHex("3031300d060960864801650304020105000420");
  private static final byte[] SHA512_INFO =
      HexFormat.of().parseHex("3051300d060960864801650304020305000440");

  private Pkcs1() {}

  static byte[] encode(VerityHash hash, byte[] digest, int length) {
    byte[] info = hash == VerityHash.SHA512 ? SHA512_INFO : SHA256_INFO;
    byte[] message = new byte[length];
    int digestAt = length - digest.length;
    int infoAt = digestAt - info.length;
    message[1] = 1;
    Arrays.fill(message, 2, infoAt - 1, (byte) 0xff);
    System.arraycopy(info, 0, message, infoAt, info.length);
    System.arraycopy(digest, 0, message, digestAt, digest.length);
    return message;
  }
}
