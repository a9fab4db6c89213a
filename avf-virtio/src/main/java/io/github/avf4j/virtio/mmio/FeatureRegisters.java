package io.github.avf4j.virtio.mmio;

import io.github.avf4j.virtio.TransportFeatures;

/** What a device offers and what its driver accepts. Guarded by the transport's lock. */
final class FeatureRegisters {
  private static final long LOW = 0xffff_ffffL;

  private final long offered;
  private int offeredSelect;
  private int acceptedSelect;
  private long accepted;

  /** Whether the driver accepted something in a word beyond the 64 bits that exist. */
  private boolean beyond;

  FeatureRegisters(long offered) {
    this.offered = offered;
  }

  void selectOffered(int select) {
    offeredSelect = select;
  }

  void selectAccepted(int select) {
    acceptedSelect = select;
  }

  int offeredWord() {
    return switch (offeredSelect) {
      case 0 -> (int) offered;
      case 1 -> (int) (offered >>> 32);
      default -> 0;
    };
  }

  void writeAcceptedWord(int value) {
    switch (acceptedSelect) {
      case 0 -> accepted = accepted & ~LOW | value & LOW;
      case 1 -> accepted = accepted & LOW | (long) value << 32;
      default -> beyond |= value != 0;
    }
  }

  long accepted() {
    return accepted;
  }

  /** Says whether FEATURES_OK may be set (virtio 1.2, sections 2.2.2 and 6.2). */
  boolean areLegal() {
    return !beyond && (accepted & ~offered) == 0 && (accepted & TransportFeatures.VERSION_1) != 0;
  }

  void reset() {
    offeredSelect = 0;
    acceptedSelect = 0;
    accepted = 0;
    beyond = false;
  }
}
