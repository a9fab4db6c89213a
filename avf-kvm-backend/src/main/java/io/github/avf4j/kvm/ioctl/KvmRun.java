package io.github.avf4j.kvm.ioctl;

import java.nio.ByteBuffer;

/**
 * A flyweight over the {@code struct kvm_run} that a vCPU shares with the kernel: immediate_exit 1,
 * exit_reason 8, and from 32 what the exit is about.
 *
 * <p>{@link #requestImmediateExit()} may be called on any thread while the vCPU is open; the rest
 * is confined to the vCPU thread.
 */
public final class KvmRun {
  private static final int IMMEDIATE_EXIT = 1;
  private static final int EXIT_REASON = 8;
  private static final int EXIT = 32;

  // io: direction 32, size 33, port 34, count 36, data_offset 40
  // mmio: phys_addr 32, data 40, len 48, is_write 52
  // arm_nisv: esr_iss 32, fault_ipa 40
  // internal, system_event: suberror or type 32, ndata 36, data 40
  private static final int IO_SIZE = 33;
  private static final int IO_PORT = 34;
  private static final int IO_COUNT = 36;
  private static final int IO_DATA_OFFSET = 40;
  private static final int NISV_FAULT_IPA = 40;
  private static final int MMIO_DATA = 40;
  private static final int MMIO_LENGTH = 48;
  private static final int MMIO_IS_WRITE = 52;

  private final ByteBuffer run;

  KvmRun(ByteBuffer run) {
    this.run = run;
  }

  /** Makes the next or current {@code KVM_RUN} return at once, together with a signal. */
  public void requestImmediateExit() {
    run.put(IMMEDIATE_EXIT, (byte) 1);
  }

  /** Takes the request back. */
  public void clearImmediateExit() {
    run.put(IMMEDIATE_EXIT, (byte) 0);
  }

  /** Returns one of {@code Kvm.KVM_EXIT_…}. */
  public int exitReason() {
    return run.getInt(EXIT_REASON);
  }

  /** Returns whether a port is written, not read. */
  public boolean ioIsWrite() {
    return run.get(EXIT) != 0;
  }

  /** Returns the width of a port access in bytes: 1, 2 or 4. */
  public int ioSize() {
    return run.get(IO_SIZE);
  }

  /** Returns the port. */
  public int ioPort() {
    return Short.toUnsignedInt(run.getShort(IO_PORT));
  }

  /** Returns how many accesses there are; more than 1 for string instructions. */
  public int ioCount() {
    return run.getInt(IO_COUNT);
  }

  /** Returns where the data of the first access is, for {@link #data} and {@link #setData}. */
  public int ioDataOffset() {
    return (int) run.getLong(IO_DATA_OFFSET);
  }

  /** Returns {@code size} (1, 2, 4) bytes at an offset, zero-extended. */
  public int data(int offset, int size) {
    return switch (size) {
      case 1 -> Byte.toUnsignedInt(run.get(offset));
      case 2 -> Short.toUnsignedInt(run.getShort(offset));
      default -> run.getInt(offset);
    };
  }

  /** Sets {@code size} (1, 2, 4) bytes at an offset. */
  public void setData(int offset, int size, int value) {
    switch (size) {
      case 1 -> run.put(offset, (byte) value);
      case 2 -> run.putShort(offset, (short) value);
      default -> run.putInt(offset, value);
    }
  }

  /** Returns the guest-physical address of an access that no memory backs. */
  public long mmioAddress() {
    return run.getLong(EXIT);
  }

  /** Returns its width in bytes, 1 to 8. */
  public int mmioLength() {
    return run.getInt(MMIO_LENGTH);
  }

  /** Returns whether it is a write. */
  public boolean mmioIsWrite() {
    return run.get(MMIO_IS_WRITE) != 0;
  }

  /** Returns its data, little-endian, in the low bytes. */
  public long mmioData() {
    return run.getLong(MMIO_DATA);
  }

  /** Sets what a read gets, little-endian, in the low bytes. */
  public void setMmioData(long value) {
    run.putLong(MMIO_DATA, value);
  }

  /** Returns the suberror of an internal error, or the type of a system event. */
  public int subReason() {
    return run.getInt(EXIT);
  }

  /** Returns the guest-physical address of an access that the processor did not decode (arm64). */
  public long undecodedAddress() {
    return run.getLong(NISV_FAULT_IPA);
  }

  /** Returns the hardware's reason for a failed entry. */
  public long failEntryReason() {
    return run.getLong(EXIT);
  }
}
