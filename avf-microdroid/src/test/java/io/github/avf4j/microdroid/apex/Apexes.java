package io.github.avf4j.microdroid.apex;

import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.Progress;
import io.github.avf4j.microdroid.internal.StoredZip;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** APEX files to be damaged: a good one, and its parts for others. */
final class Apexes {
  static final ApexManifest MANIFEST = ApexManifest.of("com.example.module", 7);

  private Apexes() {}

  static AvbSigner key(String name) {
    try (InputStream in = Apexes.class.getResourceAsStream("/vectors/avb/" + name)) {
      return RsaKeyFile.signer(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static AvbSigner key() {
    return key("testkey_rsa2048.pem");
  }

  /** A folder with content, the same each time. */
  static Path payload(Path parent) throws IOException {
    Path folder = Files.createDirectories(parent.resolve("payload"));
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path lib = Files.createDirectories(folder.resolve("lib64"));
    Files.setPosixFilePermissions(lib, PosixFilePermissions.fromString("rwxr-xr-x"));
    byte[] content = new byte[1_500_000];
    new Random(1).nextBytes(content);
    write(lib.resolve("libexample.so"), content);
    write(folder.resolve("empty"), new byte[0]);
    return folder;
  }

  private static void write(Path file, byte[] content) throws IOException {
    Files.write(file, content);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
  }

  /** A good APEX without outer signature. */
  static byte[] unsigned(Path folder) throws IOException {
    Path apex = folder.resolve("good.apex");
    new ApexWriter(MANIFEST, key()).write(payload(folder), apex, Progress.NONE);
    return Files.readAllBytes(apex);
  }

  /** The entries of an APEX that matter, by their names. */
  static Map<String, byte[]> entries(byte[] apex) throws IOException {
    ApexFile file = ApexFile.open(ImageSource.of(apex));
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put(ApexFile.MANIFEST, file.manifestBytes().toByteArray());
    entries.put(ApexFile.PUBLIC_KEY, file.publicKey().blob().toByteArray());
    ImageSource payload = file.payload().image();
    entries.put(ApexFile.PAYLOAD, payload.readRange(0, (int) payload.size()));
    return entries;
  }

  /** A zip of entries, of which the payload is aligned. */
  static byte[] zip(Path folder, Map<String, byte[]> entries) throws IOException {
    return zip(folder, entries, ApexPayload.PAGE);
  }

  /** A zip of entries that stand one directly after the other. */
  static byte[] unaligned(Path folder, Map<String, byte[]> entries) throws IOException {
    return zip(folder, entries, 1);
  }

  private static byte[] zip(Path folder, Map<String, byte[]> entries, int alignment)
      throws IOException {
    Path file = folder.resolve("entries.zip");
    try (FileChannel out =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      StoredZip zip = new StoredZip(out, IllegalArgumentException::new);
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        zip.add(
            entry.getKey(),
            ImageSource.of(entry.getValue()),
            entry.getKey().equals(ApexFile.PAYLOAD) ? alignment : 1,
            Progress.NONE);
      }
      zip.finish();
    }
    return Files.readAllBytes(file);
  }

  /** The error by which an APEX is refused; nothing for one that is not. */
  static String outcome(byte[] apex, boolean requireOuter) throws IOException {
    try {
      ApexVerifier.verify(ImageSource.of(apex), requireOuter);
      return "valid";
    } catch (ApexException e) {
      if (e.reason().isEmpty() || e.position().orElse(0) > apex.length) {
        throw new AssertionError("refusal without a reason or beyond the file", e);
      }
      return e.error().name();
    }
  }
}
