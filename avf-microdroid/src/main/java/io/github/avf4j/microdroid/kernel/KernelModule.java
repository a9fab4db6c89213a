package io.github.avf4j.microdroid.kernel;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.microdroid.FileStamp;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A kernel module, uncompressed, and what its {@code .modinfo} section says.
 *
 * <p>Thread-safe as long as nobody changes the content.
 *
 * @param name its name with underscores
 * @param source its file, as it was before it was read
 * @param depends the names of the modules that must be loaded before it
 * @param content its ELF file
 */
@SuppressWarnings("ArrayRecordComponent")
public record KernelModule(String name, FileStamp source, List<String> depends, byte[] content) {
  private static final int MAX_SIZE = 64 << 20;
  private static final int ELF_HEADER = 64;
  private static final int SECTION_HEADER = 64;
  private static final byte[] MODINFO = ".modinfo\0".getBytes(StandardCharsets.US_ASCII);

  /**
   * Reads a module: plain, or compressed with gzip, xz or zstd.
   *
   * @throws InvalidImageException if it is no module
   */
  static KernelModule read(Path file) {
    FileStamp source = FileStamp.of(file, "kernel module", "install the kernel again");
    byte[] content = readUncompressed(file);
    String name = ModuleNames.ofFile(file);
    List<String> depends = new ArrayList<>();
    for (String entry : modinfo(file, content)) {
      if (entry.startsWith("depends=")) {
        for (String dependency : entry.substring("depends=".length()).split(",")) {
          if (!dependency.isBlank()) {
            depends.add(ModuleNames.normalize(dependency.strip()));
          }
        }
      } else if (entry.startsWith("name=")) {
        name = ModuleNames.normalize(entry.substring("name=".length()));
      }
    }
    return new KernelModule(name, source, List.copyOf(depends), content);
  }

  private static byte[] readUncompressed(Path file) {
    try {
      byte[] raw;
      try (InputStream in = Files.newInputStream(file)) {
        raw = in.readNBytes(MAX_SIZE + 1);
      }
      Optional<Compression> compression = Compression.at(raw, 0);
      if (compression.isPresent()) {
        try (InputStream in = compression.get().open(new ByteArrayInputStream(raw))) {
          raw = in.readNBytes(MAX_SIZE + 1);
        }
      }
      if (raw.length > MAX_SIZE) {
        throw damaged(file, "it has more than " + MAX_SIZE + " bytes");
      }
      return raw;
    } catch (IOException e) {
      throw new InvalidImageException(
          "the kernel module " + file + " cannot be read (" + e + "): install the kernel again", e);
    }
  }

  /** Returns the strings of the section {@code .modinfo} (ELF-64 object file format). */
  private static List<String> modinfo(Path file, byte[] content) {
    ByteBuffer elf = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    try {
      if (content.length < ELF_HEADER || elf.getInt(0) != 0x464c457f || elf.get(4) != 2) {
        throw damaged(file, "it is no 64-bit ELF file");
      }
      int sections = Math.toIntExact(elf.getLong(0x28));
      int count = Short.toUnsignedInt(elf.getShort(0x3c));
      int names = sections + Short.toUnsignedInt(elf.getShort(0x3e)) * SECTION_HEADER;
      int nameTable = Math.toIntExact(elf.getLong(names + 0x18));
      for (int i = 0; i < count; i++) {
        int section = sections + i * SECTION_HEADER;
        if (isModinfo(elf, nameTable + elf.getInt(section))) {
          int offset = Math.toIntExact(elf.getLong(section + 0x18));
          int length = Math.toIntExact(elf.getLong(section + 0x20));
          return strings(elf, offset, Math.addExact(offset, length));
        }
      }
    } catch (IndexOutOfBoundsException | ArithmeticException e) {
      throw damaged(file, "its section headers point outside of it");
    }
    throw damaged(file, "it has no section .modinfo");
  }

  private static boolean isModinfo(ByteBuffer elf, int name) {
    for (int i = 0; i < MODINFO.length; i++) {
      if (elf.get(name + i) != MODINFO[i]) {
        return false;
      }
    }
    return true;
  }

  private static List<String> strings(ByteBuffer elf, int start, int end) {
    List<String> strings = new ArrayList<>();
    for (int at = start; at < end; ) {
      String string = string(elf, at, end);
      if (!string.isEmpty()) {
        strings.add(string);
      }
      at += string.getBytes(StandardCharsets.ISO_8859_1).length + 1;
    }
    return strings;
  }

  private static String string(ByteBuffer elf, int start, int limit) {
    int end = start;
    while (end < limit && elf.get(end) != 0) {
      end++;
    }
    byte[] bytes = new byte[end - start];
    elf.get(start, bytes);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static InvalidImageException damaged(Path file, String why) {
    return new InvalidImageException(
        "the kernel module " + file + " is damaged, " + why + ": install the kernel again");
  }
}
