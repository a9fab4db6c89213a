package io.github.avf4j.virtio.blk;

import io.github.avf4j.internal.Require;
import io.github.avf4j.virtio.internal.AvfStyle;
import java.nio.charset.StandardCharsets;
import org.immutables.value.Value;

/**
 * What a guest is told about a disk.
 *
 * <p>Thread-safe.
 */
@Value.Immutable
@AvfStyle
public interface BlkConfig {
  /** Returns whether the guest can only read. */
  boolean readOnly();

  /** Returns the disk's id: at most 20 characters of ASCII. */
  @Value.Default
  default String serial() {
    return "";
  }

  /** Returns the block size in bytes that suits the disk best: a power of two, 512 to 4096. */
  @Value.Default
  default int blockSize() {
    return BlkDevice.SECTOR_SIZE;
  }

  /** Returns the greatest size of the request queue, a power of two, 4 to 1024. */
  @Value.Default
  default int queueSize() {
    return 256;
  }

  /** Rejects what does not fit the device's configuration. */
  @Value.Check
  default void check() {
    Require.state(
        serial().length() <= BlkDevice.ID_LENGTH
            && StandardCharsets.US_ASCII.newEncoder().canEncode(serial()),
        "serial must be at most 20 ASCII characters but was \"%s\"",
        serial());
    Require.state(
        Integer.bitCount(blockSize()) == 1 && blockSize() >= 512 && blockSize() <= 4096,
        "blockSize must be a power of two in 512..4096 but was %s",
        blockSize());
    Require.state(
        Integer.bitCount(queueSize()) == 1 && queueSize() >= 4 && queueSize() <= 1024,
        "queueSize must be a power of two in 4..1024 but was %s",
        queueSize());
  }

  /** Returns a new builder. */
  static Builder builder() {
    return new Builder();
  }

  /** Builds a {@link BlkConfig}. Confined to one thread. */
  final class Builder extends ImmutableBlkConfig.Builder {
    Builder() {}
  }
}
