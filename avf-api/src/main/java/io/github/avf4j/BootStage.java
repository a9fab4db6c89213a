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
  /** The guest has taken over its secrets and its chain; for APK payloads only, as up to there. */
  HANDOVER_TAKEN,
  /** The guest has verified the payload and found it to be the instance's own. */
  PAYLOAD_VERIFIED,
  /** The guest has derived the payload's secrets. */
  SECRETS_DERIVED,
  /** The guest has activated its APEXes. */
  APEXES_ACTIVATED,
  /** The guest has mounted the APK. */
  PAYLOAD_MOUNTED,
  /** The guest has opened, or formatted, the encrypted store. */
  STORE_OPENED,
  /** The payload's process has started. */
  PAYLOAD_STARTED,
  /** The payload said that it is ready. */
  PAYLOAD_READY,
  /** The payload has ended. */
  PAYLOAD_FINISHED,
  /** The machine has stopped. */
  STOPPED
}
