package io.github.avf4j.virtio.vsock;

import io.github.avf4j.Cid;
import io.github.avf4j.DataSize;
import io.github.avf4j.internal.Require;
import io.github.avf4j.virtio.internal.AvfStyle;
import java.time.Duration;
import org.immutables.value.Value;

/**
 * What a vsock device is made of.
 *
 * <p>The host's memory for data that nobody has read yet is at most {@link #maxConnections()} times
 * {@link #receiveBuffer()}; a connection that nobody has accepted counts for no more than 16 KiB.
 *
 * <p>Thread-safe.
 */
@Value.Immutable
@AvfStyle
public interface VsockConfig {
  /** Returns the guest's address. */
  Cid cid();

  /**
   * Returns how many unread bytes of a connection the host holds, 4 KiB to 64 MiB; 256 KiB by
   * default. Memory is taken as data comes and given back as it is read.
   */
  @Value.Default
  default DataSize receiveBuffer() {
    return DataSize.ofKibibytes(256);
  }

  /** Returns how many connections there may be at a time, 1 to 65536; 1023 by default. */
  @Value.Default
  default int maxConnections() {
    return 1023;
  }

  /**
   * Returns how many connections of the guest may wait for a listener, 1 to 4096; 128 by default.
   */
  @Value.Default
  default int backlog() {
    return 128;
  }

  /** Returns how long a closed connection waits for the guest's answer; two seconds by default. */
  @Value.Default
  default Duration linger() {
    return Duration.ofSeconds(2);
  }

  /**
   * Returns the greatest size of the rx and tx queues, a power of two up to 32768; 128 by default.
   */
  @Value.Default
  default int queueSize() {
    return 128;
  }

  /** Checks every bound. */
  @Value.Check
  default void check() {
    Require.state(
        receiveBuffer().bytes() >= 4096 && receiveBuffer().bytes() <= 64 << 20,
        "receiveBuffer must be in 4 KiB..64 MiB but was %s",
        receiveBuffer());
    Require.state(
        maxConnections() >= 1 && maxConnections() <= 65536,
        "maxConnections must be in 1..65536 but was %s",
        maxConnections());
    Require.state(
        backlog() >= 1 && backlog() <= 4096, "backlog must be in 1..4096 but was %s", backlog());
    Require.state(
        !linger().isNegative() && linger().compareTo(Duration.ofMinutes(1)) <= 0,
        "linger must be in 0..60 seconds but was %s",
        linger());
    Require.state(
        queueSize() >= 1 && queueSize() <= 32768 && Integer.bitCount(queueSize()) == 1,
        "queueSize must be a power of two in 1..32768 but was %s",
        queueSize());
  }

  /** Returns a builder; the {@link #cid()} must be set. */
  static Builder builder() {
    return new Builder();
  }

  /** Builds a {@link VsockConfig}. Confined to one thread. */
  final class Builder extends ImmutableVsockConfig.Builder {
    Builder() {}
  }
}
