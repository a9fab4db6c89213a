package io.github.avf4j.spi;

import io.github.avf4j.internal.Require;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A raw disk of a machine. Thread-safe.
 *
 * @param image a regular file; its length is a nonzero multiple of 512 bytes
 * @param readOnly whether the guest can only read it
 * @param serial what the guest reads as the disk's id, at most 20 bytes of ASCII, may be empty
 */
public record DiskSpec(Path image, boolean readOnly, String serial) {
  /** Rejects a serial that does not fit. */
  public DiskSpec {
    Require.state(
        serial.length() <= 20 && StandardCharsets.US_ASCII.newEncoder().canEncode(serial),
        "a disk serial must be at most 20 ASCII characters but was \"%s\"",
        serial);
  }
}
