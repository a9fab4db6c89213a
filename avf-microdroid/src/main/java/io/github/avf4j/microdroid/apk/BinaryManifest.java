package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import java.util.Optional;

/**
 * Reads package and version from a manifest in Android's binary XML.
 *
 * <p>Only what stands before the first element and its attributes are read, as in AVF: the first
 * element must be {@code manifest} without a namespace, and attributes are found by their names.
 */
final class BinaryManifest {
  private static final int XML = 0x0003;
  private static final int STRING_POOL = 0x0001;
  private static final int RESOURCE_MAP = 0x0180;
  private static final int START_NAMESPACE = 0x0100;
  private static final int END_NAMESPACE = 0x0101;
  private static final int START_ELEMENT = 0x0102;
  private static final int CHUNK_HEADER = 8;
  private static final int NODE_HEADER = 16;
  private static final int ATTRIBUTES_AT = 20;
  private static final int ATTRIBUTE = 20;
  private static final int TYPE_STRING = 0x03;
  private static final int TYPE_DECIMAL = 0x10;
  private static final int TYPE_HEXADECIMAL = 0x11;
  private static final long NONE = 0xffffffffL;
  private static final String ANDROID = "http://schemas.android.com/apk/res/android";

  private final XmlStrings strings;
  private final ByteSlice element;
  private final int attributesAt;
  private final int attributeSize;
  private final int attributeCount;

  /** An attribute; the text is there if it is a string. */
  private record Attribute(Optional<String> text, int type, long data, long position) {}

  private BinaryManifest(XmlStrings strings, ByteSlice element) {
    this.strings = strings;
    this.element = element;
    LittleEndian in = reader(element);
    require(in, NONE == in.u32("the element's namespace"), "the first element has a namespace");
    String name = strings.get(in.u32("the element's name"), in);
    require(in, name.equals("manifest"), "the first element is not \"manifest\"");
    this.attributesAt = in.u16("the attributes' offset");
    this.attributeSize = in.u16("the size of an attribute");
    this.attributeCount = in.u16("the number of attributes");
    require(
        in,
        attributesAt >= ATTRIBUTES_AT
            && attributeSize >= ATTRIBUTE
            && attributesAt + (long) attributeSize * attributeCount <= element.length(),
        "the attributes do not fit into their element");
  }

  /**
   * Parses a manifest; positions are those in the manifest.
   *
   * @throws ApkException of the error MANIFEST
   */
  static ManifestInfo parse(ByteSlice manifest) {
    BinaryManifest parsed = firstElement(manifest);
    String name =
        parsed
            .find("", "package")
            .map(
                attribute ->
                    attribute
                        .text()
                        .orElseThrow(() -> fault("package is no text", attribute.position())))
            .orElse("");
    long code = parsed.number("versionCode");
    long major = parsed.number("versionCodeMajor");
    return new ManifestInfo(name, major << 32 | code);
  }

  private static BinaryManifest firstElement(ByteSlice manifest) {
    LittleEndian in = reader(manifest);
    require(in, in.u16("the type") == XML, "this is no binary XML");
    int header = in.u16("the header's size");
    long size = in.u32("the size");
    require(
        in,
        header >= CHUNK_HEADER && header <= size && size <= manifest.length(),
        "the sizes in the first header contradict each other");
    LittleEndian chunks = reader(manifest.slice(header, (int) size));
    XmlStrings strings = null;
    while (chunks.hasMore()) {
      LittleEndian peek = chunks;
      long position = peek.position();
      int type = peek.u16("the type of a chunk");
      int headerSize = peek.u16("the header of a chunk");
      long length = peek.u32("the size of a chunk");
      if (headerSize < CHUNK_HEADER || length < headerSize) {
        throw fault("the sizes of a chunk contradict each other", position);
      }
      ByteSlice body = peek.take(length - CHUNK_HEADER, "a chunk");
      switch (type) {
        case STRING_POOL -> {
          if (strings == null) {
            strings = XmlStrings.parse(body, headerSize);
          }
        }
        case RESOURCE_MAP, START_NAMESPACE, END_NAMESPACE -> {}
        case START_ELEMENT -> {
          if (strings == null || headerSize < NODE_HEADER) {
            throw fault("an element stands before the strings, or has no head", position);
          }
          return new BinaryManifest(strings, body.slice(headerSize - CHUNK_HEADER));
        }
        default ->
            throw fault(
                "a chunk of type 0x%04x before the first element".formatted(type), position);
      }
    }
    throw fault("no element", manifest.offset() + manifest.length());
  }

  private Optional<Attribute> find(String namespace, String name) {
    for (int i = 0; i < attributeCount; i++) {
      LittleEndian in = reader(element.slice(attributesAt + i * attributeSize));
      long position = in.position();
      long space = in.u32("a namespace");
      String key = strings.get(in.u32("a name"), in);
      String where = space == NONE ? "" : strings.get(space, in);
      if (!key.equals(name) || !where.equals(namespace)) {
        continue;
      }
      long raw = in.u32("the raw value");
      in.u16("the value's size");
      in.u8("zero");
      int type = in.u8("the value's type");
      long data = in.u32("the value");
      Optional<String> text = Optional.empty();
      if (type == TYPE_STRING) {
        text = Optional.of(strings.get(data, in));
        if (raw != NONE && !strings.get(raw, in).equals(text.get())) {
          throw fault(name + " has two values", position);
        }
      }
      return Optional.of(new Attribute(text, type, data, position));
    }
    return Optional.empty();
  }

  private long number(String name) {
    Optional<Attribute> found = find(ANDROID, name);
    if (found.isEmpty()) {
      return 0;
    }
    Attribute attribute = found.get();
    if (attribute.type() == TYPE_DECIMAL || attribute.type() == TYPE_HEXADECIMAL) {
      return attribute.data();
    }
    return attribute
        .text()
        .flatMap(BinaryManifest::parseC)
        .orElseThrow(() -> fault(name + " is no number of 32 bits", attribute.position()));
  }

  /** A number as C writes it: decimal, octal after 0, hexadecimal after 0x. */
  private static Optional<Long> parseC(String text) {
    boolean hexadecimal = text.startsWith("0x") || text.startsWith("0X");
    boolean octal = !hexadecimal && text.startsWith("0") && text.length() > 1;
    String digits = text.substring(hexadecimal ? 2 : octal ? 1 : 0);
    if (!digits.chars().allMatch(digit -> digit < 0x80 && Character.digit(digit, 16) >= 0)) {
      return Optional.empty();
    }
    try {
      long value = Long.parseLong(digits, hexadecimal ? 16 : octal ? 8 : 10);
      return value <= 0xffffffffL ? Optional.of(value) : Optional.empty();
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static LittleEndian reader(ByteSlice bytes) {
    return new LittleEndian(bytes, 0, ApkError.MANIFEST);
  }

  private static void require(LittleEndian in, boolean condition, String fault) {
    if (!condition) {
      throw in.fail(fault);
    }
  }

  private static ApkException fault(String reason, long position) {
    return new ApkException(ApkError.MANIFEST, reason, position);
  }
}
