package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.image.Progress;
import io.github.avf4j.microdroid.internal.AndroidManifestXml;
import io.github.avf4j.microdroid.internal.StoredZip;
import java.io.IOException;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Makes APKs for guests: a manifest and the files that the payload reads, without code for Android.
 *
 * <p>The same input makes the same bytes with every Java runtime: entries are sorted by name, of
 * one time, and stored, since a compressor's output differs between its versions. The content of
 * native libraries, {@code lib/ABI/NAME.so}, starts at a multiple of 4096, where a guest can map
 * it, and that of others at one of 4. A signature keeps the bytes the same with RSA only.
 *
 * <p>Files are read when the APK is written. Confined to one thread.
 */
public final class ApkWriter {
  private static final String MANIFEST = "AndroidManifest.xml";
  private static final int MAX_PACKAGE = 223;
  private static final Pattern PACKAGE =
      Pattern.compile("[A-Za-z][A-Za-z0-9_]*(\\.[A-Za-z][A-Za-z0-9_]*)+");
  private static final Pattern LIBRARY = Pattern.compile("lib/[^/]+/[^/]+\\.so");
  private static final int PAGE = 4096;
  private static final int WORD = 4;
  private static final String ZIP = "zip";

  /** Gives the content to whoever writes it. */
  private interface Content {
    void writeTo(StoredZip zip, String path) throws IOException;
  }

  private final String packageName;
  private final SortedMap<String, Content> contents = new TreeMap<>();
  private long versionCode = 1;

  /**
   * Starts an APK.
   *
   * @param packageName by Android's rules, such as {@code com.example.payload}
   * @throws ApkException of the error MANIFEST if it breaks them
   */
  public ApkWriter(String packageName) {
    if (packageName.length() > MAX_PACKAGE || !PACKAGE.matcher(packageName).matches()) {
      throw new ApkException(
          ApkError.MANIFEST,
          ("the package must be two or more names with dots between them, each a letter and then"
                  + " letters, digits or underscores, at most %d characters, such as"
                  + " com.example.payload, but was \"%s\"")
              .formatted(MAX_PACKAGE, packageName));
    }
    this.packageName = packageName;
    contents.put(MANIFEST, this::addManifest);
  }

  private void addManifest(StoredZip zip, String path) throws IOException {
    add(zip, path, ImageSource.of(AndroidManifestXml.encode(packageName, versionCode)));
  }

  /** Sets the version by which a guest recognizes an older package; 1 unless set, unsigned. */
  public ApkWriter versionCode(long code) {
    this.versionCode = code;
    return this;
  }

  /**
   * Adds a file.
   *
   * @param path in the APK, such as {@code assets/model.bin} or {@code lib/x86_64/libpayload.so}
   * @throws ApkException of the errors UNSAFE_NAME or DUPLICATE_ENTRY if it cannot have this path
   */
  public ApkWriter add(String path, Path file) {
    return put(
        path,
        (zip, name) -> {
          try (FileChannel channel = FileChannel.open(file)) {
            add(zip, name, ImageSource.of(channel));
          }
        });
  }

  /** Adds a file of these bytes, which are copied, as {@link #add(String, Path)} does. */
  public ApkWriter add(String path, byte[] content) {
    byte[] copy = content.clone();
    return put(path, (zip, name) -> add(zip, name, ImageSource.of(copy)));
  }

  private ApkWriter put(String path, Content content) {
    int length;
    try {
      length = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(path)).remaining();
    } catch (CharacterCodingException e) {
      throw new ApkException(
          ApkError.UNSAFE_NAME, "a path has half of a surrogate pair: " + path, -1, e);
    }
    ZipDirectory.nameFault(path, length)
        .ifPresent(
            fault -> {
              throw new ApkException(
                  ApkError.UNSAFE_NAME, "the path \"%s\" %s".formatted(path, fault));
            });
    if (path.endsWith("/")) {
      throw new ApkException(
          ApkError.UNSAFE_NAME, "the path \"%s\" must name a file, not a folder".formatted(path));
    }
    if (path.equals(MANIFEST)) {
      throw new ApkException(
          ApkError.DUPLICATE_ENTRY, MANIFEST + " is made of package and version: leave it out");
    }
    if (contents.putIfAbsent(path, content) != null) {
      throw new ApkException(ApkError.DUPLICATE_ENTRY, "%s was added twice".formatted(path));
    }
    return this;
  }

  /**
   * Makes the APK without a signature, with which no guest takes it. Blocks until done; the file
   * appears whole or not at all.
   *
   * @throws ApkException of the error DUPLICATE_ENTRY if a path is a file and the folder of
   *     another, TOO_LARGE if the APK had 4 GiB or more
   * @throws IOException if a file cannot be read or written
   */
  public void write(Path apk) throws IOException {
    try (AtomicFile out = AtomicFile.create(apk)) {
      Path zip = out.scratch(ZIP);
      writeZip(zip);
      out.commit(zip);
    }
  }

  /**
   * Makes the APK, signs it by {@link PackageSigner} and verifies it. Blocks until done; the file
   * appears whole or not at all.
   *
   * @throws ApkException as {@link #write} does, and of the error SIGNING_KEY if the key and its
   *     certificate do not belong together
   * @throws IOException if a file cannot be read or written
   */
  public VerifiedApk writeSigned(Path apk, SigningKey key) throws IOException {
    try (AtomicFile out = AtomicFile.create(apk)) {
      Path zip = out.scratch(ZIP);
      writeZip(zip);
      Path signed = out.scratch("signed");
      VerifiedApk verified = PackageSigner.sign(zip, key, signed, null);
      Files.delete(zip);
      out.commit(signed);
      return verified;
    }
  }

  private void writeZip(Path file) throws IOException {
    try (FileChannel out =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      StoredZip zip = new StoredZip(out, why -> new ApkException(ApkError.TOO_LARGE, why));
      for (Map.Entry<String, Content> entry : contents.entrySet()) {
        entry.getValue().writeTo(zip, entry.getKey());
      }
      zip.finish();
      // Our own reader is the judge of names that exclude each other.
      ApkFile.open(ImageSource.of(out));
    }
  }

  private static void add(StoredZip zip, String path, ImageSource content) throws IOException {
    int alignment = LIBRARY.matcher(path).matches() ? PAGE : WORD;
    zip.add(path, content, alignment, Progress.NONE);
  }
}
