package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.dice.Cdis;
import io.github.avf4j.attestation.internal.Aes256Gcm;
import io.github.avf4j.attestation.internal.Hkdf;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Function;

/**
 * The keys that a service VM has certified remotely. The host stores them in blobs that only a
 * service VM with the same sealing CDI opens.
 *
 * <p>Closing wipes the sealing CDI. Thread-safe.
 */
public final class RkpKeys implements AutoCloseable {
  private static final int SALT_SIZE = 32;
  private static final byte[] MAC_SALT =
      HexFormat.of().parseHex("8280fad3a80a9a4bf7a57d7be9c3ab1389dc7b46ee7122b45f4c3fe240043b6c");

  private final SecretBytes cdiSeal;

  /**
   * A fresh key pair.
   *
   * @param blob the private key, for the host to keep
   * @param macedPublicKey the public key as a COSE_Mac0, for requests
   */
  public record KeyPair(ByteSlice blob, ByteSlice macedPublicKey) {}

  /** Copies the sealing CDI of the service VM, 32 bytes. */
  public RkpKeys(SecretBytes cdiSeal) {
    if (cdiSeal.length() != Cdis.SIZE) {
      throw new IllegalArgumentException(
          "sealing CDI must have " + Cdis.SIZE + " bytes but has " + cdiSeal.length());
    }
    this.cdiSeal = cdiSeal.copy();
  }

  /** Makes a key pair of P-256. */
  public KeyPair generate() {
    try (CosePrivateKey key = EcDer.generate()) {
      return new KeyPair(sealBlob(key), maced(key.publicKey()));
    }
  }

  private ByteSlice sealBlob(CosePrivateKey key) {
    byte[] salt = new byte[SALT_SIZE];
    new SecureRandom().nextBytes(salt);
    byte[] kek = kek(salt);
    try (SecretBytes der = EcDer.ecPrivateKey(key)) {
      byte[] sealed =
          der.use(plain -> Aes256Gcm.encrypt(kek, new byte[Aes256Gcm.IV_SIZE], new byte[0], plain));
      CborWriter out = new CborWriter(512);
      out.map(1).text("V1").map(2);
      integers(out.text("kek_salt"), salt);
      integers(out.text("encrypted_private_key"), sealed);
      return ByteSlice.takeOver(out.toByteArray());
    } finally {
      Arrays.fill(kek, (byte) 0);
    }
  }

  private byte[] kek(byte[] salt) {
    return cdiSeal.use(cdi -> Hkdf.sha512(Aes256Gcm.KEY_SIZE, cdi, salt, "rialto keyblob kek"));
  }

  private static void integers(CborWriter out, byte[] bytes) {
    out.array(bytes.length);
    for (byte octet : bytes) {
      out.integer(octet & 0xff);
    }
  }

  /**
   * Opens a blob. The caller closes the key.
   *
   * @throws ServiceVmException if it is malformed or not one of this service VM
   */
  public CosePrivateKey openBlob(ByteSlice blob) {
    byte[] kek = new byte[0];
    byte[] der = new byte[0];
    try {
      var version = CborReader.decode(blob).asMap();
      var fields = version.require("V1").asMap();
      byte[] salt = integers(fields.require("kek_salt"));
      byte[] sealed = integers(fields.require("encrypted_private_key"));
      kek = kek(salt);
      der =
          Aes256Gcm.decrypt(kek, new byte[Aes256Gcm.IV_SIZE], new byte[0], sealed)
              .orElseThrow(
                  () ->
                      new ServiceVmException(
                          RequestProcessingError.FAILED_TO_DECRYPT_KEY_BLOB,
                          "the key blob is not one of this service VM"));
      return EcDer.parseEcPrivateKey(der);
    } catch (ServiceVmException e) {
      throw e;
    } catch (AttestationException e) {
      throw new ServiceVmException(
          RequestProcessingError.FAILED_TO_DECRYPT_KEY_BLOB, "key blob", e);
    } finally {
      Arrays.fill(kek, (byte) 0);
      Arrays.fill(der, (byte) 0);
    }
  }

  private static byte[] integers(CborValue array) {
    List<CborValue> items = array.asArray().items();
    byte[] bytes = new byte[items.size()];
    for (int i = 0; i < bytes.length; i++) {
      long value = items.get(i).asLong();
      if (value < 0 || value > 0xff) {
        throw new RemoteAttestationException(
            "byte must be in 0..255 but is " + value, items.get(i).position());
      }
      bytes[i] = (byte) value;
    }
    return bytes;
  }

  private ByteSlice maced(CosePublicKey publicKey) {
    ByteSlice payload = ByteSlice.takeOver(publicKey.encodeWithoutKeyOps());
    byte[] tag = withMacKey(key -> Mac0.tag(key, payload));
    return ByteSlice.takeOver(
        new CborWriter(160)
            .array(4)
            .bytes(Mac0.HEADER)
            .map(0)
            .bytes(payload)
            .bytes(tag)
            .toByteArray());
  }

  private <T> T withMacKey(Function<byte[], T> body) {
    byte[] key = cdiSeal.use(cdi -> Hkdf.sha512(Mac0.SIZE, cdi, MAC_SALT, "rialto hmac wkey"));
    try {
      return body.apply(key);
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  /**
   * The public key of a COSE_Mac0 that {@link #generate} made.
   *
   * @throws ServiceVmException if it is malformed or its MAC is not of this service VM
   */
  public CosePublicKey openMaced(ByteSlice maced) {
    try {
      List<CborValue> items = CborReader.decode(maced).asArray(4);
      if (items.get(2).isNull()) {
        throw new ServiceVmException(
            RequestProcessingError.KEY_TO_SIGN_HAS_EMPTY_PAYLOAD, "a key to sign is missing");
      }
      ByteSlice payload = items.get(2).asBytes();
      ByteSlice header = items.get(0).asBytes();
      ByteSlice tag = items.get(3).asBytes();
      if (items.get(1).asMap().size() > 0
          || !withMacKey(key -> Mac0.verify(key, header, payload, tag))) {
        throw new ServiceVmException(
            RequestProcessingError.INVALID_MAC, "a key to sign is not one of this service VM");
      }
      return CosePublicKey.decode(payload);
    } catch (ServiceVmException e) {
      throw e;
    } catch (AttestationException e) {
      throw new ServiceVmException(RequestProcessingError.COSET_ERROR, "key to sign", e);
    }
  }

  /** Wipes the sealing CDI. */
  @Override
  public void close() {
    cdiSeal.close();
  }
}
