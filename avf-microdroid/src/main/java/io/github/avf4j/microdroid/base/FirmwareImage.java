package io.github.avf4j.microdroid.base;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.pvmfw.PvmfwConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The protected VM firmware that runs in machines on arm64, with what it starts with: the binary,
 * in which the trusted key is set, and from the next multiple of 4096 bytes on its configuration
 * data with the DICE handover of this host. Thread-safe.
 */
public final class FirmwareImage {
  /** The most bytes that fit into the window of a machine, without the firmware's own memory. */
  public static final int MAX_SIZE = 2 << 20;

  private static final String RESOURCE = "/io/github/avf4j/microdroid/guest/aarch64/pvmfw.bin";
  private static final int ALIGNMENT = 4096;

  /** Stands in the binary before the length (4 bytes) and the room for the trusted key. */
  private static final byte[] KEY_MARKER = "avf4j AVB key v1".getBytes(StandardCharsets.US_ASCII);

  /** The room for a key: one of RSA with 4096 bits fits. */
  private static final int KEY_ROOM = 1032;

  private FirmwareImage() {}

  /**
   * Makes the image; it is as secret as this device.
   *
   * @param firmware of this device
   * @param trustedKey must have signed the kernel; of at most 4096 bits
   * @return the image, which the caller closes
   * @throws InvalidImageException if this library was built without the binary, or the key is too
   *     large for it
   * @throws io.github.avf4j.attestation.seal.DeviceSecretException if the device's secret cannot be
   *     had
   */
  public static SecretBytes assemble(HostFirmware firmware, AvbPublicKey trustedKey) {
    byte[] binary = read();
    setKey(binary, trustedKey.blob());
    int configAt = (binary.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    try (DiceHandover handover = firmware.handover();
        SecretBytes encoded = handover.encode();
        PvmfwConfig config = encoded.use(PvmfwConfig::of);
        SecretBytes data = config.encode()) {
      if (data.length() > MAX_SIZE - configAt) {
        throw new InvalidImageException(
            "the firmware with its configuration data has more than 2 MiB: build avf-microdroid anew");
      }
      return data.use(
          bytes -> {
            byte[] image = Arrays.copyOf(binary, configAt + bytes.length);
            System.arraycopy(bytes, 0, image, configAt, bytes.length);
            return SecretBytes.takeOver(image);
          });
    }
  }

  private static void setKey(byte[] binary, ByteSlice key) {
    if (key.length() > KEY_ROOM) {
      throw new InvalidImageException(
          "the firmware's trusted key has more than 4096 bits: sign with a smaller one");
    }
    int at = find(binary, KEY_MARKER) + KEY_MARKER.length;
    ByteBuffer.wrap(binary).order(ByteOrder.LITTLE_ENDIAN).putInt(at, key.length());
    Arrays.fill(binary, at + 4, at + 4 + KEY_ROOM, (byte) 0);
    key.copyTo(binary, at + 4);
  }

  private static int find(byte[] binary, byte[] marker) {
    int last = binary.length - marker.length - 4 - KEY_ROOM;
    for (int at = 0; at <= last; at++) {
      if (Arrays.equals(binary, at, at + marker.length, marker, 0, marker.length)) {
        return at;
      }
    }
    throw new InvalidImageException(
        "the firmware in avf-microdroid has no room for a key: build it with Maven, which runs cargo");
  }

  private static byte[] read() {
    try (InputStream in = FirmwareImage.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new InvalidImageException(
            "the firmware pvmfw.bin is missing from avf-microdroid: build it with Maven, which runs"
                + " cargo");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new InvalidImageException(
          "the firmware pvmfw.bin cannot be read from avf-microdroid (" + e + "): check the jar",
          e);
    }
  }
}
