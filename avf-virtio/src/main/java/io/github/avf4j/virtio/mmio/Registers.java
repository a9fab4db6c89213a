package io.github.avf4j.virtio.mmio;

/** Offsets of the registers of virtio-mmio version 2 (virtio 1.2, section 4.2.2). */
final class Registers {
  static final int MAGIC_VALUE = 0x00;
  static final int VERSION = 0x04;
  static final int DEVICE_ID = 0x08;
  static final int VENDOR_ID = 0x0c;
  static final int DEVICE_FEATURES = 0x10;
  static final int DEVICE_FEATURES_SELECT = 0x14;
  static final int DRIVER_FEATURES = 0x20;
  static final int DRIVER_FEATURES_SELECT = 0x24;
  static final int QUEUE_SELECT = 0x30;
  static final int QUEUE_NUM_MAX = 0x34;
  static final int QUEUE_NUM = 0x38;
  static final int QUEUE_READY = 0x44;
  static final int QUEUE_NOTIFY = 0x50;
  static final int INTERRUPT_STATUS = 0x60;
  static final int INTERRUPT_ACK = 0x64;
  static final int STATUS = 0x70;
  static final int QUEUE_DESC_LOW = 0x80;
  static final int QUEUE_DESC_HIGH = 0x84;
  static final int QUEUE_DRIVER_LOW = 0x90;
  static final int QUEUE_DRIVER_HIGH = 0x94;
  static final int QUEUE_DEVICE_LOW = 0xa0;
  static final int QUEUE_DEVICE_HIGH = 0xa4;
  static final int SHM_LENGTH_LOW = 0xb0;
  static final int SHM_LENGTH_HIGH = 0xb4;
  static final int SHM_BASE_LOW = 0xb8;
  static final int SHM_BASE_HIGH = 0xbc;
  static final int CONFIG_GENERATION = 0xfc;
  static final int CONFIG = 0x100;

  /** The length of the register window, configuration space included. */
  static final int WINDOW = 0x1000;

  private Registers() {}
}
