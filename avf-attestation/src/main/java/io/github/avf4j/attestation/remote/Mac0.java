package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborWriter;
import java.security.MessageDigest;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.params.KeyParameter;

/** The tag of an untagged COSE_Mac0 with HMAC-SHA256 (RFC 9052, section 6.2). Thread-safe. */
final class Mac0 {
  /** The protected header that names the algorithm, {1: 5}, and nothing else. */
  static final ByteSlice HEADER = ByteSlice.ofHex("a10105");

  /** The length of a tag, in bytes. */
  static final int SIZE = 32;

  private Mac0() {}

  /** The tag of a payload. */
  static byte[] tag(byte[] key, ByteSlice payload) {
    byte[] message =
        new CborWriter(32 + payload.length())
            .array(4)
            .text("MAC0")
            .bytes(HEADER)
            .bytes(ByteSlice.EMPTY)
            .bytes(payload)
            .toByteArray();
    HMac mac = new HMac(new SHA256Digest());
    mac.init(new KeyParameter(key));
    mac.update(message, 0, message.length);
    byte[] tag = new byte[SIZE];
    mac.doFinal(tag, 0);
    return tag;
  }

  /** Whether header and tag are those of a payload, in constant time. */
  static boolean verify(byte[] key, ByteSlice header, ByteSlice payload, ByteSlice tag) {
    return header.equals(HEADER) && MessageDigest.isEqual(tag(key, payload), tag.toByteArray());
  }
}
