package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.Vectors;

/** The public test keys of AVB, which nobody may trust. */
public final class TestKeys {
  private TestKeys() {}

  public static AvbSigner rsa2048() {
    return RsaKeyFile.signer(Vectors.bytes("avb/keys/testkey_rsa2048.pem"));
  }

  public static AvbSigner rsa4096() {
    return RsaKeyFile.signer(Vectors.bytes("avb/keys/testkey_rsa4096.pem"));
  }

  public static AvbSigner rsa8192() {
    return RsaKeyFile.signer(Vectors.bytes("avb/keys/testkey_rsa8192.pem"));
  }
}
