package io.github.avf4j.microdroid.base;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.HashFooter;
import io.github.avf4j.attestation.avb.HashtreeFooter;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.VerityHash;
import io.github.avf4j.microdroid.GuestArchitecture;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What {@code microdroid.json} says: a machine in the form of AVF's raw configurations, and under
 * {@code avf4j} what the image is made of. Nothing reads it to decide anything. Immutable.
 *
 * @param architecture of the guests
 * @param key the key that signed
 * @param rollbackIndex unsigned
 * @param kernelDigest of the descriptor of {@code boot}
 * @param systemRoot the root of the tree over the system
 * @param vbmetaDigest of the vbmeta image of the system
 */
record ImageDescription(
    GuestArchitecture architecture,
    AvbPublicKey key,
    long rollbackIndex,
    ByteSlice kernelDigest,
    ByteSlice systemRoot,
    ByteSlice vbmetaDigest) {
  static ImageDescription of(
      GuestArchitecture architecture,
      AvbPublicKey key,
      long rollbackIndex,
      HashFooter.Made boot,
      HashtreeFooter.Made system) {
    return new ImageDescription(
        architecture,
        key,
        rollbackIndex,
        boot.descriptor().digest(),
        system.descriptor().rootDigest(),
        sha256(system.vbmeta()));
  }

  private static ByteSlice sha256(ByteSlice bytes) {
    MessageDigest digest = VerityHash.SHA256.newDigest();
    digest.update(bytes.asByteBuffer());
    return ByteSlice.takeOver(digest.digest());
  }

  /**
   * Writes the description.
   *
   * @param folder where the files are that it lists
   */
  void write(Path folder, Path file) throws IOException {
    List<String> files = new ArrayList<>();
    for (String name : BaseImage.IMAGES) {
      files.add("      " + entry(folder, name));
    }
    // All values are numbers, names of this package or hexadecimal digits: nothing to escape.
    String text =
        """
        {
          "name": "microdroid",
          "kernel": "%s",
          "initrd": "%s",
          "disks": [{"image": "%s", "writable": false}],
          "memory_mib": 256,
          "platform_version": "~1.0",
          "avf4j": {
            "format": 1,
            "architecture": "%s",
            "initrd_debuggable": "%s",
            "vbmeta": "%s",
            "key_sha1": "%s",
            "development_key": %s,
            "rollback_index": %s,
            "kernel_digest": "%s",
            "system_root_digest": "%s",
            "vbmeta_digest": "%s",
            "files": [
        %s
            ]
          }
        }
        """
            .formatted(
                BaseImage.KERNEL,
                BaseImage.INITRD_NORMAL,
                BaseImage.SYSTEM,
                architecture.linuxName(),
                BaseImage.INITRD_DEBUGGABLE,
                BaseImage.VBMETA,
                key.sha1(),
                key.equals(DevelopmentKey.publicKey()),
                Long.toUnsignedString(rollbackIndex),
                kernelDigest.toHex(),
                systemRoot.toHex(),
                vbmetaDigest.toHex(),
                files.stream().collect(Collectors.joining(",\n")));
    Files.writeString(file, text, StandardCharsets.UTF_8);
  }

  private static String entry(Path folder, String name) throws IOException {
    try (FileChannel channel = FileChannel.open(folder.resolve(name))) {
      ImageSource source = ImageSource.of(channel);
      MessageDigest digest = VerityHash.SHA256.newDigest();
      source.digest(digest, 0, source.size());
      return "{\"name\": \"%s\", \"size\": %d, \"sha256\": \"%s\"}"
          .formatted(name, source.size(), ByteSlice.takeOver(digest.digest()).toHex());
    }
  }
}
