package io.github.avf4j.microdroid.apk;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipInputStream;

/** Writes zips field by field, also such as no tool would write. */
final class Zips {
  /** What can be set of an entry; the rest follows from it. */
  static final class Entry {
    String name;
    byte[] content;
    String localName;
    int method;
    int localMethod = -1;
    int flags;
    int centralSize = -1;
    int localSize = -1;
    int localCrc = -1;
    int offset = -1;
    int madeBy;
    int attributes;
    boolean withoutLocal;
    byte[] descriptor = new byte[0];

    Entry(String name, String content) {
      this.name = name;
      this.localName = name;
      this.content = content.getBytes(StandardCharsets.UTF_8);
    }
  }

  final List<Entry> entries = new ArrayList<>();
  byte[] comment = new byte[0];
  byte[] after = new byte[0];
  int count = -1;
  int disk;
  int directoryOffset = -1;
  byte[] betweenDirectoryAndEnd = new byte[0];

  /** An ordinary zip. */
  static Zips of(String... namesAndContents) {
    Zips zips = new Zips();
    for (int i = 0; i < namesAndContents.length; i += 2) {
      zips.add(namesAndContents[i], namesAndContents[i + 1]);
    }
    return zips;
  }

  Entry add(String name, String content) {
    Entry entry = new Entry(name, content);
    entries.add(entry);
    return entry;
  }

  /** A zip that is a package: Android's library wants a manifest. */
  static Zips ofPackage(String... namesAndContents) {
    Zips zips = of(namesAndContents);
    zips.add("AndroidManifest.xml", "").content = manifest();
    return zips;
  }

  /** The manifest of a package that Android's tools made. */
  static byte[] manifest() {
    try {
      ZipInputStream zip =
          new ZipInputStream(new ByteArrayInputStream(Vectors.bytes("small-ec.apk")));
      for (var entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        if (entry.getName().equals("AndroidManifest.xml")) {
          return zip.readAllBytes();
        }
      }
      throw new AssertionError("the vector has no manifest");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  byte[] bytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream directory = new ByteArrayOutputStream();
    for (Entry entry : entries) {
      int offset = entry.offset >= 0 ? entry.offset : out.size();
      byte[] name = entry.name.getBytes(StandardCharsets.UTF_8);
      CRC32 crc = new CRC32();
      crc.update(entry.content);
      int sum = (int) crc.getValue();
      int length = entry.content.length;
      if (!entry.withoutLocal) {
        byte[] localName = entry.localName.getBytes(StandardCharsets.UTF_8);
        out.writeBytes(
            buffer(30)
                .putInt(0x04034b50)
                .putShort((short) 20)
                .putShort((short) entry.flags)
                .putShort((short) (entry.localMethod >= 0 ? entry.localMethod : entry.method))
                .putInt(0)
                .putInt(entry.localCrc >= 0 ? entry.localCrc : sum)
                .putInt(entry.localSize >= 0 ? entry.localSize : length)
                .putInt(entry.localSize >= 0 ? entry.localSize : length)
                .putShort((short) localName.length)
                .putShort((short) 0)
                .array());
        out.writeBytes(localName);
        out.writeBytes(entry.content);
        out.writeBytes(entry.descriptor);
      }
      int size = entry.centralSize >= 0 ? entry.centralSize : length;
      directory.writeBytes(
          buffer(46)
              .putInt(0x02014b50)
              .putShort((short) entry.madeBy)
              .putShort((short) 20)
              .putShort((short) entry.flags)
              .putShort((short) entry.method)
              .putInt(0)
              .putInt(sum)
              .putInt(size)
              .putInt(size)
              .putShort((short) name.length)
              .putInt(0)
              .putShort((short) 0)
              .putShort((short) 0)
              .putInt(entry.attributes)
              .putInt(offset)
              .array());
      directory.writeBytes(name);
    }
    int start = directoryOffset >= 0 ? directoryOffset : out.size();
    out.writeBytes(directory.toByteArray());
    out.writeBytes(betweenDirectoryAndEnd);
    short number = (short) (count >= 0 ? count : entries.size());
    out.writeBytes(
        buffer(22)
            .putInt(0x06054b50)
            .putShort((short) disk)
            .putShort((short) 0)
            .putShort(number)
            .putShort(number)
            .putInt(directory.size())
            .putInt(start)
            .putShort((short) comment.length)
            .array());
    out.writeBytes(comment);
    out.writeBytes(after);
    return out.toByteArray();
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
