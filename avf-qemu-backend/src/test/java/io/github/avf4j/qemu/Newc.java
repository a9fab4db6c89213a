package io.github.avf4j.qemu;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Writes cpio archives in the "newc" format. Confined to one thread. */
final class Newc {
  private final ByteArrayOutputStream archive = new ByteArrayOutputStream();
  private int inode = 1;

  /** Adds a folder. */
  Newc folder(String name) {
    return entry(name, 0040755, new byte[0]);
  }

  /** Adds an executable file. */
  Newc file(String name, byte[] content) {
    return entry(name, 0100755, content);
  }

  /** Returns the archive, padded to whole sectors. */
  byte[] toByteArray() {
    entry("TRAILER!!!", 0, new byte[0]);
    pad(512);
    return archive.toByteArray();
  }

  private Newc entry(String name, int mode, byte[] content) {
    byte[] bytes = (name + '\0').getBytes(StandardCharsets.UTF_8);
    String header =
        String.format(
            "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
            inode++, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, bytes.length, 0);
    archive.writeBytes(header.getBytes(StandardCharsets.US_ASCII));
    archive.writeBytes(bytes);
    pad(4);
    archive.writeBytes(content);
    pad(4);
    return this;
  }

  private void pad(int alignment) {
    while (archive.size() % alignment != 0) {
      archive.write(0);
    }
  }
}
