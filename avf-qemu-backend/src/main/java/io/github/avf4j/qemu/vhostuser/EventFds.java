package io.github.avf4j.qemu.vhostuser;

import io.github.avf4j.linux.EventFd;
import io.github.avf4j.linux.Fd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Takes over eventfds of another process. Thread-safe. */
final class EventFds {
  private static final int O_NONBLOCK = 04000;

  private EventFds() {}

  /**
   * Takes over {@code fd} in any case.
   *
   * @throws VhostUserException if it is no non-blocking eventfd: signalling anything else could
   *     block, or write into a file
   */
  static EventFd own(Fd fd) {
    boolean good = false;
    try {
      List<String> info = Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd.number()));
      good = info.stream().anyMatch(line -> line.startsWith("eventfd-count:")) && nonBlocking(info);
    } catch (IOException e) {
      throw new VhostUserException("an eventfd cannot be examined", e);
    } finally {
      if (!good) {
        fd.close();
      }
    }
    if (!good) {
      throw new VhostUserException("a descriptor is no non-blocking eventfd");
    }
    return EventFd.own(fd);
  }

  private static boolean nonBlocking(List<String> info) {
    for (String line : info) {
      if (line.startsWith("flags:")) {
        return (Integer.parseInt(line.substring(6).strip(), 8) & O_NONBLOCK) != 0;
      }
    }
    return false;
  }
}
