package io.github.avf4j.virtio;

/** Feature bits that belong to queues and transports (virtio 1.2, section 6). Thread-safe. */
public final class TransportFeatures {
  /** Descriptors may point to tables of descriptors (VIRTIO_F_INDIRECT_DESC). */
  public static final long INDIRECT_DESC = 1L << 28;

  /** Both sides say at which index they want to hear of progress (VIRTIO_F_EVENT_IDX). */
  public static final long EVENT_IDX = 1L << 29;

  /** The device is not a legacy one (VIRTIO_F_VERSION_1). */
  public static final long VERSION_1 = 1L << 32;

  /** The driver must give addresses that the platform lets the device access. */
  public static final long ACCESS_PLATFORM = 1L << 33;

  private TransportFeatures() {}
}
