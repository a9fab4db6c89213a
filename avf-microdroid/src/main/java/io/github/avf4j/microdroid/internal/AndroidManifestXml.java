package io.github.avf4j.microdroid.internal;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes the least {@code AndroidManifest.xml} in Android's binary form that a signer of packages
 * takes: a manifest with package and version, the lowest SDK level that knows the signatures of
 * {@code PackageSigner}, and an application without code of Android.
 *
 * <p>A chunk is a type (16 bits), the size of its head (16 bits) and its size (32 bits), all
 * little-endian; nodes go on with a line number and a comment. Thread-safe.
 */
public final class AndroidManifestXml {
  private static final int XML = 0x0003;
  private static final int STRING_POOL = 0x0001;
  private static final int RESOURCE_MAP = 0x0180;
  private static final int START_NAMESPACE = 0x0100;
  private static final int END_NAMESPACE = 0x0101;
  private static final int START_ELEMENT = 0x0102;
  private static final int END_ELEMENT = 0x0103;
  private static final int UTF8 = 1 << 8;
  private static final int HEAD = 8;
  private static final int NODE_HEAD = 16;
  private static final int POOL_HEAD = 28;
  private static final int ATTRIBUTES_AT = 20;
  private static final int ATTRIBUTE = 20;
  private static final int NONE = -1;
  private static final int TYPE_STRING = 0x03;
  private static final int TYPE_DECIMAL = 0x10;
  private static final int TYPE_BOOLEAN = 0x12;

  /** What Android calls the first strings of the pool, in their order. */
  private static final int[] RESOURCES = {0x0101000c, 0x0101020c, 0x0101021b, 0x01010576};

  private static final int HAS_CODE = 0;
  private static final int MIN_SDK_VERSION = 1;
  private static final int VERSION_CODE = 2;
  private static final int VERSION_CODE_MAJOR = 3;
  private static final int PREFIX = 4;
  private static final int URI = 5;
  private static final int PACKAGE = 6;
  private static final int MANIFEST = 7;
  private static final int USES_SDK = 8;
  private static final int APPLICATION = 9;
  private static final int NAME = 10;

  /** From this level on, a verifier does not ask for a v1 signature. */
  private static final int MIN_SDK = 24;

  private record Attribute(int space, int name, int raw, int type, int data) {}

  private AndroidManifestXml() {}

  /**
   * The manifest of a package; the version is split as Android splits it.
   *
   * @param packageName of at most 32767 bytes in UTF-8, which the caller checks
   * @param version an unsigned number
   */
  public static byte[] encode(String packageName, long version) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    body.writeBytes(
        strings(
            List.of(
                "hasCode",
                "minSdkVersion",
                "versionCode",
                "versionCodeMajor",
                "android",
                "http://schemas.android.com/apk/res/android",
                "package",
                "manifest",
                "uses-sdk",
                "application",
                packageName)));
    body.writeBytes(resources());
    body.writeBytes(node(START_NAMESPACE, buffer(8).putInt(PREFIX).putInt(URI)));
    body.writeBytes(
        start(
            MANIFEST,
            List.of(
                new Attribute(URI, VERSION_CODE, NONE, TYPE_DECIMAL, (int) version),
                new Attribute(URI, VERSION_CODE_MAJOR, NONE, TYPE_DECIMAL, (int) (version >> 32)),
                new Attribute(NONE, PACKAGE, NAME, TYPE_STRING, NAME))));
    body.writeBytes(
        start(USES_SDK, List.of(new Attribute(URI, MIN_SDK_VERSION, NONE, TYPE_DECIMAL, MIN_SDK))));
    body.writeBytes(node(END_ELEMENT, buffer(8).putInt(NONE).putInt(USES_SDK)));
    body.writeBytes(
        start(APPLICATION, List.of(new Attribute(URI, HAS_CODE, NONE, TYPE_BOOLEAN, 0))));
    body.writeBytes(node(END_ELEMENT, buffer(8).putInt(NONE).putInt(APPLICATION)));
    body.writeBytes(node(END_ELEMENT, buffer(8).putInt(NONE).putInt(MANIFEST)));
    body.writeBytes(node(END_NAMESPACE, buffer(8).putInt(PREFIX).putInt(URI)));
    return chunk(XML, HEAD, body.toByteArray());
  }

  private static byte[] strings(List<String> strings) {
    ByteBuffer offsets = buffer(4 * strings.size());
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    for (String string : strings) {
      byte[] bytes = string.getBytes(StandardCharsets.UTF_8);
      offsets.putInt(data.size());
      length(data, string.length());
      length(data, bytes.length);
      data.writeBytes(bytes);
      data.write(0);
    }
    while (data.size() % 4 != 0) {
      data.write(0);
    }
    ByteBuffer body = buffer(POOL_HEAD - HEAD + offsets.capacity() + data.size());
    body.putInt(strings.size()).putInt(0).putInt(UTF8).putInt(POOL_HEAD + offsets.capacity());
    body.putInt(0).put(offsets.array()).put(data.toByteArray());
    return chunk(STRING_POOL, POOL_HEAD, body.array());
  }

  /** A length of 7 bits in one byte, or of 15 in two. */
  private static void length(ByteArrayOutputStream out, int length) {
    if (length > 0x7f) {
      out.write(length >> 8 | 0x80);
    }
    out.write(length);
  }

  private static byte[] resources() {
    ByteBuffer body = buffer(4 * RESOURCES.length);
    for (int id : RESOURCES) {
      body.putInt(id);
    }
    return chunk(RESOURCE_MAP, HEAD, body.array());
  }

  private static byte[] start(int name, List<Attribute> attributes) {
    ByteBuffer body = buffer(ATTRIBUTES_AT + ATTRIBUTE * attributes.size());
    body.putInt(NONE).putInt(name).putShort((short) ATTRIBUTES_AT).putShort((short) ATTRIBUTE);
    // None of them is an id, a class or a style, which have their places here.
    body.putShort((short) attributes.size()).putShort((short) 0).putShort((short) 0);
    body.putShort((short) 0);
    for (Attribute attribute : attributes) {
      body.putInt(attribute.space()).putInt(attribute.name()).putInt(attribute.raw());
      body.putShort((short) 8).put((byte) 0).put((byte) attribute.type()).putInt(attribute.data());
    }
    return node(START_ELEMENT, body);
  }

  private static byte[] node(int type, ByteBuffer body) {
    ByteBuffer node = buffer(8 + body.capacity()).putInt(1).putInt(NONE).put(body.array());
    return chunk(type, NODE_HEAD, node.array());
  }

  private static byte[] chunk(int type, int head, byte[] body) {
    return buffer(HEAD + body.length)
        .putShort((short) type)
        .putShort((short) head)
        .putInt(HEAD + body.length)
        .put(body)
        .array();
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
