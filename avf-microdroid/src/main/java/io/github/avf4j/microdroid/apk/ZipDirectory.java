package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The central directory, checked so that no two readers of the APK can see different files.
 *
 * @param entries the entries in the order of the file, with the offsets of their contents
 */
record ZipDirectory(List<ZipEntry> entries) {
  private static final long SIGNATURE = 0x02014b50L;
  private static final int ENCRYPTED = 1 | 1 << 6 | 1 << 13;
  private static final int UNIX = 3;
  private static final int TYPE_MASK = 0170000;
  private static final int REGULAR = 0100000;
  private static final int FOLDER = 0040000;
  private static final int MAX_NAME = 4095;
  private static final long ZIP64 = 0xffffffffL;

  /** Parses the records; {@code count} is what the end record says. */
  static List<ZipEntry> parse(ByteSlice directory, long base, int count) {
    LittleEndian in = new LittleEndian(directory, base, ApkError.CENTRAL_DIRECTORY);
    List<ZipEntry> entries = new ArrayList<>(Math.min(count, 1024));
    while (in.hasMore()) {
      if (entries.size() == count) {
        throw in.fail(
            "the end record counts %d entries but there is more after them".formatted(count));
      }
      entries.add(record(in));
    }
    if (entries.size() != count) {
      throw in.fail(
          "the end record counts %d entries but there are %d".formatted(count, entries.size()));
    }
    return entries;
  }

  private static ZipEntry record(LittleEndian in) {
    long position = in.position();
    if (in.u32("a record's signature") != SIGNATURE) {
      throw new ApkException(
          ApkError.CENTRAL_DIRECTORY, "a record does not start with its signature", position);
    }
    int madeBy = in.u16("the maker");
    in.u16("the version");
    int flags = in.u16("the flags");
    int method = in.u16("the method");
    in.u32("the time");
    long crc = in.u32("the checksum");
    long compressed = in.u32("the compressed size");
    long size = in.u32("the size");
    int nameLength = in.u16("the length of the name");
    int extraLength = in.u16("the length of the extra field");
    int commentLength = in.u16("the length of the comment");
    int disk = in.u16("the disk");
    in.u16("the internal attributes");
    long attributes = in.u32("the external attributes");
    long offset = in.u32("the local header's offset");
    ByteSlice rawName = in.take(nameLength, "the name");
    in.take(extraLength, "the extra field");
    in.take(commentLength, "the comment");
    if (compressed == ZIP64 || size == ZIP64 || offset == ZIP64 || disk == 0xffff) {
      throw new ApkException(ApkError.ZIP64, "an entry refers to ZIP64", position);
    }
    if (disk != 0) {
      throw new ApkException(
          ApkError.CENTRAL_DIRECTORY, "an entry stands on another disk", position);
    }
    String name = name(rawName, position);
    checkKind(name, flags, method, position);
    if (method == ZipEntry.STORED && compressed != size) {
      throw new ApkException(
          ApkError.CENTRAL_DIRECTORY,
          "%s is stored, but as %d bytes of %d".formatted(name, compressed, size),
          position);
    }
    if (madeBy >> 8 == UNIX) {
      checkMode(name, (int) (attributes >> 16), position);
    }
    return new ZipEntry(rawName, name, flags, method, crc, compressed, size, offset, position, -1);
  }

  private static void checkKind(String name, int flags, int method, long position) {
    if ((flags & ENCRYPTED) != 0) {
      throw new ApkException(ApkError.UNSUPPORTED_ENTRY, name + " is encrypted", position);
    }
    if (method != ZipEntry.STORED && method != ZipEntry.DEFLATED) {
      throw new ApkException(
          ApkError.UNSUPPORTED_ENTRY,
          "%s is compressed by method %d; only stored and deflated are known"
              .formatted(name, method),
          position);
    }
  }

  private static void checkMode(String name, int mode, long position) {
    int type = mode & TYPE_MASK;
    if (type != 0 && type != (name.endsWith("/") ? FOLDER : REGULAR)) {
      throw new ApkException(
          ApkError.SPECIAL_FILE,
          "%s has the file mode 0%o: only regular files and folders may be in an APK"
              .formatted(name, mode),
          position);
    }
  }

  private static String name(ByteSlice raw, long position) {
    String name;
    try {
      name = StandardCharsets.UTF_8.newDecoder().decode(raw.asByteBuffer()).toString();
    } catch (CharacterCodingException e) {
      throw new ApkException(ApkError.UNSAFE_NAME, "a name is not UTF-8", position, e);
    }
    Optional<String> fault = nameFault(name, raw.length());
    if (fault.isPresent()) {
      throw new ApkException(
          ApkError.UNSAFE_NAME, "the name \"%s\" %s".formatted(name, fault.get()), position);
    }
    return name;
  }

  /** What makes a name one that no entry may have. */
  static Optional<String> nameFault(String name, int length) {
    if (length == 0 || length > MAX_NAME) {
      return Optional.of("must have 1.." + MAX_NAME + " bytes but has " + length);
    }
    if (name.startsWith("/")) {
      return Optional.of("is absolute");
    }
    if (name.indexOf('\0') >= 0 || name.indexOf('\\') >= 0) {
      return Optional.of("contains a NUL or a backslash");
    }
    String path = name.endsWith("/") ? name.substring(0, name.length() - 1) : name;
    for (String part : path.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..")) {
        return Optional.of("has a part that is empty, \".\" or \"..\"");
      }
    }
    return Optional.empty();
  }

  /** Checks the entries against each other and their local headers. */
  static ZipDirectory check(ImageSource file, List<ZipEntry> entries, long bodyLength)
      throws IOException {
    checkNames(entries);
    List<ZipEntry> sorted = new ArrayList<>(entries);
    sorted.sort(Comparator.comparingLong(ZipEntry::headerOffset));
    List<ZipEntry> placed = new ArrayList<>(sorted.size());
    LocalHeaders headers = new LocalHeaders(file, bodyLength);
    long end = 0;
    for (ZipEntry entry : sorted) {
      if (entry.headerOffset() < end) {
        throw new ApkException(
            ApkError.OVERLAPPING_ENTRIES,
            "%s starts at %d, inside the entry before it, which ends at %d"
                .formatted(entry.name(), entry.headerOffset(), end),
            entry.position());
      }
      ZipEntry found = headers.place(entry);
      end = headers.end(found);
      placed.add(found);
    }
    return new ZipDirectory(List.copyOf(placed));
  }

  private static void checkNames(List<ZipEntry> entries) {
    List<ZipEntry> sorted = new ArrayList<>(entries);
    sorted.sort((a, b) -> compare(a.rawName(), b.rawName()));
    for (int i = 1; i < sorted.size(); i++) {
      ByteSlice before = bare(sorted.get(i - 1));
      ZipEntry entry = sorted.get(i);
      boolean same = before.equals(bare(entry));
      boolean inside =
          !sorted.get(i - 1).isFolder()
              && entry.rawName().length() > before.length()
              && entry.rawName().at(before.length()) == '/'
              && entry.rawName().slice(0, before.length()).equals(before);
      if (same || inside) {
        throw new ApkException(
            ApkError.DUPLICATE_ENTRY,
            same
                ? "%s stands there twice".formatted(entry.name())
                : "%s is a file and the folder of %s"
                    .formatted(sorted.get(i - 1).name(), entry.name()),
            entry.position());
      }
    }
  }

  private static ByteSlice bare(ZipEntry entry) {
    ByteSlice name = entry.rawName();
    return entry.isFolder() ? name.slice(0, name.length() - 1) : name;
  }

  /** Orders names so that what is in a folder follows it directly. */
  private static int compare(ByteSlice a, ByteSlice b) {
    ByteBuffer left = a.asByteBuffer();
    ByteBuffer right = b.asByteBuffer();
    int at = left.mismatch(right);
    if (at < 0) {
      return 0;
    }
    if (at == a.length() || at == b.length()) {
      return a.length() - b.length();
    }
    return Integer.compare(rank(a.at(at)), rank(b.at(at)));
  }

  private static int rank(int character) {
    return character == '/' ? 0 : character;
  }

  Optional<ZipEntry> find(String name) {
    return entries.stream().filter(entry -> entry.name().equals(name)).findFirst();
  }

  boolean contains(String prefix, String... suffixes) {
    return entries.stream()
        .map(ZipEntry::name)
        .filter(name -> name.startsWith(prefix))
        .anyMatch(name -> List.of(suffixes).stream().anyMatch(name::endsWith));
  }
}
