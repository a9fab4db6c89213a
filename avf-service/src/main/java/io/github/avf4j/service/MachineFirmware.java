package io.github.avf4j.service;

import io.github.avf4j.Firmware;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.StoreException;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.avb.AvbException;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.base.DevelopmentKey;
import io.github.avf4j.microdroid.base.FirmwareImage;
import io.github.avf4j.microdroid.payload.PackException;
import io.github.avf4j.microdroid.payload.VmFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The firmware that runs in a machine. A file with it holds the secrets that the firmware starts
 * with, and is there only while a backend reads it.
 *
 * <p>Confined to one run at a time.
 */
final class MachineFirmware {
  private static final Logger log = LoggerFactory.getLogger(MachineFirmware.class);
  private static final String FILE = "firmware.img";

  private final MicrodroidHost host;
  private final Path folder;

  /** Keeps the machine's files in {@code folder}. */
  MachineFirmware(MicrodroidHost host, Path folder) {
    this.host = host;
    this.folder = folder;
  }

  /**
   * Returns the file to load, made if need be; then {@link #remove} follows.
   *
   * @throws InvalidImageException if a file cannot be used
   * @throws StoreException if the machine's folder cannot be written
   */
  Path file(Firmware firmware) {
    if (firmware instanceof Firmware.Image image) {
      FileStamp.of(image.file(), "firmware", "give a binary with configuration data");
      return image.file();
    }
    AvbPublicKey key =
        ((Firmware.Pvmfw) firmware)
            .trustedKey()
            .map(MachineFirmware::readKey)
            .orElseGet(DevelopmentKey::publicKey);
    Path file = folder.resolve(FILE);
    try (SecretBytes image = FirmwareImage.assemble(host.firmware(key), key)) {
      Files.deleteIfExists(file);
      write(file, image);
    } catch (IOException e) {
      throw new StoreException(
          "cannot write " + file + " (" + e + "): make room, and check the permissions", e);
    }
    return file;
  }

  private static AvbPublicKey readKey(Path file) {
    try {
      return RsaKeyFile.readPublic(file);
    } catch (IOException | AvbException e) {
      throw new InvalidImageException(
          "the firmware's trusted key %s cannot be used (%s): give an RSA public key in PEM or AVB's format"
              .formatted(file, e instanceof AvbException ? e.getMessage() : e),
          e);
    }
  }

  private static void write(Path file, SecretBytes image) throws IOException {
    try (FileChannel out =
        FileChannel.open(
            file,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      // Not in the heap: the channel would copy it to a buffer that it keeps.
      ByteBuffer bytes = ByteBuffer.allocateDirect(image.length());
      try {
        image.use(bytes::put);
        bytes.flip();
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
      } finally {
        bytes.clear().put(new byte[bytes.capacity()]);
      }
    }
  }

  /** Returns what tells this instance from others, made with the first run. */
  byte[] instanceId() {
    try {
      return new VmFolder(folder).ensureInstanceId().toByteArray();
    } catch (PackException e) {
      throw new StoreException(String.valueOf(e.getMessage()), e);
    }
  }

  /** Removes what {@link #file} made. */
  void remove() {
    try {
      Files.deleteIfExists(folder.resolve(FILE));
    } catch (IOException e) {
      log.warn("{} holds secrets and cannot be removed: {}", folder.resolve(FILE), e.toString());
    }
  }
}
