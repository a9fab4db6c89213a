package io.github.avf4j.virtio.rng;

import io.github.avf4j.DataSize;
import io.github.avf4j.internal.Require;
import io.github.avf4j.virtio.internal.AvfStyle;
import org.immutables.value.Value;

/**
 * How much randomness a guest may draw from the host.
 *
 * <p>Thread-safe.
 */
@Value.Immutable
@AvfStyle
public interface RngConfig {
  /** Returns the most bytes that one request gets. */
  @Value.Default
  default DataSize requestLimit() {
    return DataSize.ofKibibytes(64);
  }

  /**
   * Returns how many bytes a second a guest gets in full. Beyond that a request gets {@value
   * RngDevice#MINIMUM} bytes, so that the guest's kernel makes progress at a cost that the guest
   * bears.
   */
  @Value.Default
  default DataSize bytesPerSecond() {
    return DataSize.ofMebibytes(1);
  }

  /** Rejects limits below what a request always gets, and such as make no sense. */
  @Value.Check
  default void check() {
    Require.state(
        requestLimit().bytes() >= RngDevice.MINIMUM && requestLimit().bytes() <= 1 << 20,
        "requestLimit must be in %s..1048576 bytes but was %s",
        RngDevice.MINIMUM,
        requestLimit().bytes());
    Require.state(
        bytesPerSecond().bytes() >= RngDevice.MINIMUM
            && bytesPerSecond().bytes() <= Integer.MAX_VALUE,
        "bytesPerSecond must be in %s..2147483647 but was %s",
        RngDevice.MINIMUM,
        bytesPerSecond().bytes());
  }

  /** Returns a new builder. */
  static Builder builder() {
    return new Builder();
  }

  /** Builds a {@link RngConfig}. Confined to one thread. */
  final class Builder extends ImmutableRngConfig.Builder {
    Builder() {}
  }
}
