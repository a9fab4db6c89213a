package io.github.avf4j.virtio.console;

import io.github.avf4j.DataSize;
import io.github.avf4j.internal.Require;
import io.github.avf4j.spi.ByteSink;
import io.github.avf4j.virtio.internal.AvfStyle;
import java.util.Optional;
import org.immutables.value.Value;

/**
 * What a console device is connected to.
 *
 * <p>Thread-safe.
 */
@Value.Immutable
@AvfStyle
public interface ConsoleConfig {
  /** Returns who takes what the guest prints. */
  @Value.Default
  default ByteSink output() {
    return ByteSink.DISCARD;
  }

  /** Returns how much input is kept for a guest that does not read. */
  @Value.Default
  default DataSize inputBuffer() {
    return DataSize.ofKibibytes(16);
  }

  /** Returns the size that the guest is told; none if there is no screen. */
  Optional<ConsoleSize> size();

  /** Rejects a buffer that is of no use. */
  @Value.Check
  default void check() {
    Require.state(
        inputBuffer().bytes() >= 1 && inputBuffer().bytes() <= 1 << 20,
        "inputBuffer must be in 1..1048576 bytes but was %s",
        inputBuffer().bytes());
  }

  /** Returns a new builder. */
  static Builder builder() {
    return new Builder();
  }

  /** Builds a {@link ConsoleConfig}. Confined to one thread. */
  final class Builder extends ImmutableConsoleConfig.Builder {
    Builder() {}
  }
}
