package io.github.avf4j.payload;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The virtual machine as its payload sees it, with the functions of AVF's {@code vm_payload.h}.
 *
 * <p>Every call makes a connection to the machine's manager and blocks until it answers.
 * Thread-safe.
 *
 * @see <a
 *     href="https://android.googlesource.com/platform/packages/modules/Virtualization/+/refs/heads/main/libs/libvm_payload/include/vm_payload.h">vm_payload.h</a>
 */
public final class VmPayload {
  /** The greatest length of a secret, in bytes. */
  public static final int MAX_SECRET = 32;

  /** The greatest length of a challenge, in bytes. */
  public static final int MAX_CHALLENGE = 64;

  /** The length of the value that is protected against rollback, in bytes. */
  public static final int ROLLBACK_PROTECTED_SIZE = 32;

  private static final Path APK_CONTENTS = Path.of("/mnt/apk");
  private static final Path ENCRYPTED_STORAGE = Path.of("/mnt/encryptedstore");

  private VmPayload() {}

  /**
   * Tells the host that the payload can be used: its callback {@code onPayloadReady} is called.
   *
   * @throws PayloadServiceException if the machine does not take it
   */
  public static void notifyReady() {
    requireEnd(client().call(ServiceClient.NOTIFY_READY));
  }

  /**
   * Returns a secret that only this payload in this instance of the machine gets, the same each
   * time; another one for another identifier.
   *
   * @param identifier which of the secrets
   * @param size its length, 0 to {@value #MAX_SECRET} bytes
   * @return the secret, which the caller should overwrite after use
   * @throws PayloadServiceException if the machine does not give it
   */
  public static byte[] instanceSecret(String identifier, int size) {
    return instanceSecret(identifier.getBytes(StandardCharsets.UTF_8), size);
  }

  /** Returns a secret as {@link #instanceSecret(String, int)} does, for any bytes. */
  public static byte[] instanceSecret(byte[] identifier, int size) {
    if (size < 0 || size > MAX_SECRET) {
      throw new IllegalArgumentException(
          "size must be in 0..%d but was %d".formatted(MAX_SECRET, size));
    }
    byte[] encoded = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(size).array();
    byte[] secret = rest(client().call(ServiceClient.INSTANCE_SECRET, encoded, identifier));
    if (secret.length != size) {
      throw ServiceClient.protocol("a secret of " + secret.length + " bytes");
    }
    return secret;
  }

  /** Returns the folder that has the content of the verified APK, read-only. */
  public static Path apkContents() {
    return APK_CONTENTS;
  }

  /**
   * Returns the folder that outlives the machine's runs and that nobody outside can read; empty if
   * the machine was made without.
   */
  public static Optional<Path> encryptedStorage() {
    return Optional.of(ENCRYPTED_STORAGE).filter(Files::isDirectory);
  }

  /**
   * Asks for a key with certificates that say which machine and payload it is in.
   *
   * @param challenge of whoever will verify, at most {@value #MAX_CHALLENGE} bytes; in the
   *     certificate
   * @throws PayloadServiceException of the reason UNSUPPORTED if the host cannot attest, FAILED if
   *     it could not this time
   */
  public static Attestation requestAttestation(byte[] challenge) {
    if (challenge.length > MAX_CHALLENGE) {
      throw new IllegalArgumentException(
          "challenge must have at most %d bytes but has %d"
              .formatted(MAX_CHALLENGE, challenge.length));
    }
    byte[] notForTests = {0};
    return Attestation.parse(
        client().call(ServiceClient.REQUEST_ATTESTATION, notForTests, challenge));
  }

  /**
   * Returns whether the instance has new secrets, because it was never run before. For an instance
   * that may run newer versions of its payload, as Java classes may by default, the host's keeper
   * of secrets says so: also where it has lost them.
   *
   * @throws PayloadServiceException if the machine does not say
   */
  public static boolean isNewInstance() {
    byte[] value = rest(client().call(ServiceClient.IS_NEW_INSTANCE));
    if (value.length != 1 || value[0] < 0 || value[0] > 1) {
      throw ServiceClient.protocol("no truth value");
    }
    return value[0] == 1;
  }

  /**
   * Returns the value that was last written by {@link #writeRollbackProtectedSecret}, which no
   * older state of the machine's disks brings back.
   *
   * @throws PayloadServiceException if the machine keeps no such value for its payload
   */
  public static Optional<byte[]> readRollbackProtectedSecret() {
    byte[] value = rest(client().call(ServiceClient.READ_ROLLBACK_PROTECTED));
    if (value.length != 0 && value.length != ROLLBACK_PROTECTED_SIZE) {
      throw ServiceClient.protocol("a value of " + value.length + " bytes");
    }
    return value.length == 0 ? Optional.empty() : Optional.of(value);
  }

  /**
   * Keeps a value instead of the one before.
   *
   * @param value {@value #ROLLBACK_PROTECTED_SIZE} bytes
   * @throws PayloadServiceException if the machine keeps no such value for its payload
   */
  public static void writeRollbackProtectedSecret(byte[] value) {
    if (value.length != ROLLBACK_PROTECTED_SIZE) {
      throw new IllegalArgumentException(
          "value must have %d bytes but has %d".formatted(ROLLBACK_PROTECTED_SIZE, value.length));
    }
    requireEnd(client().call(ServiceClient.WRITE_ROLLBACK_PROTECTED, value));
  }

  private static ServiceClient client() {
    return ServiceClient.ofMachine();
  }

  private static byte[] rest(ByteBuffer fields) {
    byte[] rest = new byte[fields.remaining()];
    fields.get(rest);
    return rest;
  }

  private static void requireEnd(ByteBuffer fields) {
    if (fields.hasRemaining()) {
      throw ServiceClient.protocol("bytes that belong to nothing");
    }
  }
}
