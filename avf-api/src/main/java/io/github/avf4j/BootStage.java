package io.github.avf4j;

/** A point in the life of one run of a machine, in order. */
public enum BootStage {
  /** {@link VirtualMachine#run()} was called. */
  CALLED,
  /** Memory is filled, vCPUs and devices are made. */
  VMM_READY,
  /** The first vCPU enters the guest, or QEMU was told to go on. */
  KERNEL_ENTERED,
  /** The guest's init said hello. */
  INIT,
  /** The payload's process has started. */
  PAYLOAD_STARTED,
  /** The payload said that it is ready. */
  PAYLOAD_READY,
  /** The payload has ended. */
  PAYLOAD_FINISHED,
  /** The machine has stopped. */
  STOPPED
}
