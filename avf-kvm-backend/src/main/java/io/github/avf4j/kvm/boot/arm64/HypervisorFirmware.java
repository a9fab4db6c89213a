package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.linux.NativeBuffer;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/**
 * The firmware that a hypervisor keeps for protected machines, as Android's does: the bootloader
 * put it where only the hypervisor reads it. Thread-safe.
 */
final class HypervisorFirmware {
  /** {@code KVM_CAP_ARM_PROTECTED_VM} of Android's kernels. */
  private static final int CAPABILITY = 0xFFBADAB1;

  // Flags of the capability: what to do.
  private static final int SET_FIRMWARE_ADDRESS = 0;
  private static final int INFO = 1;

  /** The answer to {@link #INFO}: the firmware's size, then reserved. */
  private static final int INFO_SIZE = 64;

  private static @Nullable Boolean known; // guarded by the class

  private HypervisorFirmware() {}

  /**
   * Says whether there is such firmware: the first time, makes a protected VM to ask, and closes
   * it.
   *
   * @throws io.github.avf4j.BackendUnavailableException if this host makes no protected VMs
   * @throws HypervisorException if the firmware does not fit into its window
   */
  static synchronized boolean isPresent() {
    Boolean present = known;
    if (present == null) {
      try (KvmSystem system = KvmSystem.open();
          KvmVm vm = Arm64Platform.createVm(system, true)) {
        present = vm.extension(CAPABILITY) != 0 && size(vm) != 0;
      }
      known = present;
    }
    return present;
  }

  private static long size(KvmVm vm) {
    NativeBuffer info = NativeBuffer.allocate(INFO_SIZE);
    vm.enableCapability(CAPABILITY, INFO, info.address());
    Reference.reachabilityFence(info);
    long size = info.bytes().getLong(0);
    if (Long.compareUnsigned(size, Layout.FIRMWARE_WINDOW_SIZE) > 0) {
      throw new HypervisorException(
          "ioctl(KVM_ENABLE_CAP)",
          0,
          "the hypervisor's firmware has "
              + Long.toUnsignedString(size)
              + " bytes, more than its window of 4 MiB: give the machine firmware of your own");
    }
    return size;
  }

  /** Has the hypervisor put the firmware into its window when the machine starts. */
  static void load(KvmVm vm) {
    vm.enableCapability(CAPABILITY, SET_FIRMWARE_ADDRESS, Layout.FIRMWARE);
  }
}
