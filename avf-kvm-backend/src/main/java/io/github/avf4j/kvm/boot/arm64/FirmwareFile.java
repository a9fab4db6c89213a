package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.kvm.boot.BootFile;
import io.github.avf4j.virtio.memory.GuestMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * A machine's firmware with its configuration data, in which there are secrets: what is read goes
 * from the file straight to the guest's memory, and this process keeps nothing of it. Confined to
 * one thread.
 */
final class FirmwareFile {
  private FirmwareFile() {}

  /**
   * Reads the file into the firmware's window. What is behind the size that it has at first is not
   * read.
   *
   * @param memory accessed directly: guarded memory would lend a buffer of its own
   * @throws InvalidImageException if it is no readable regular file of 1 byte to {@link
   *     Layout#FIRMWARE_MAX}
   */
  static void load(Path path, GuestMemory memory) {
    BootFile file = new BootFile("firmware", path);
    file.attributes();
    // A channel reads into a direct buffer without one in between, which others would not do.
    try (FileChannel in = FileChannel.open(path)) {
      long size = in.size();
      if (size > Layout.FIRMWARE_MAX) {
        throw file.invalid(
            "has "
                + size
                + " bytes but the firmware's window takes "
                + Layout.FIRMWARE_MAX
                + ": give firmware, with its configuration data, of at most 2 MiB");
      }
      int done = 0;
      while (done < size) {
        done +=
            memory.<IOException>lendToFill(
                Layout.FIRMWARE + done, (int) size - done, room -> fill(room, in, file));
      }
    } catch (IOException e) {
      throw file.unreadable(e);
    }
  }

  private static void fill(ByteBuffer room, FileChannel in, BootFile file) throws IOException {
    while (room.hasRemaining()) {
      if (in.read(room) < 0) {
        throw file.invalid("became shorter while it was read: leave it alone, and try again");
      }
    }
  }
}
