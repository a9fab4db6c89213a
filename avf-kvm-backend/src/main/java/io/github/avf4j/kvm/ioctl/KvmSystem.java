package io.github.avf4j.kvm.ioctl;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.HypervisorException;
import io.github.avf4j.linux.Errno;
import io.github.avf4j.linux.Fd;
import io.github.avf4j.linux.Ioctl;
import io.github.avf4j.linux.NativeBuffer;
import java.lang.ref.Reference;
import java.nio.file.Path;

/** The open {@code /dev/kvm}. Thread-safe. */
public final class KvmSystem implements AutoCloseable {
  /** Where KVM is. */
  public static final Path DEVICE = Path.of("/dev/kvm");

  private static final int MOST_CPUID_ENTRIES = 4096;

  private final Fd fd;

  private KvmSystem(Fd fd) {
    this.fd = fd;
  }

  /**
   * Opens {@link #DEVICE}.
   *
   * @throws BackendUnavailableException if it is missing, not permitted, or no KVM that we know
   */
  public static KvmSystem open() {
    return open(DEVICE);
  }

  /** Opens KVM at a place of its own, for tests; see {@link #open()}. */
  public static KvmSystem open(Path device) {
    Fd fd;
    try {
      fd = Fd.openReadWrite(device);
    } catch (HypervisorException e) {
      throw new BackendUnavailableException(openAdvice(device, e.errno()), e);
    }
    int version = Ioctl.issue(fd.number(), Kvm.KVM_GET_API_VERSION, 0);
    if (version != Kvm.API_VERSION) {
      fd.close();
      throw new BackendUnavailableException(
          device
              + " does not speak KVM API version 12 (it answered "
              + (version < 0 ? Errno.describe(-version) : version)
              + "): check that it is the device of the kernel's KVM module");
    }
    return new KvmSystem(fd);
  }

  static String openAdvice(Path device, int errno) {
    String prefix = "cannot open " + device + ": " + Errno.describe(errno) + ": ";
    return prefix
        + switch (errno) {
          case Errno.ENOENT ->
              "load the module kvm_intel or kvm_amd, and switch virtualization on in the firmware"
                  + " (or allow nested virtualization if this is a virtual machine); on arm64, use a"
                  + " kernel that has KVM and starts at exception level 2";
          case Errno.EACCES, Errno.EPERM ->
              "add the user to the group that owns the device (group kvm as a rule) and log in again";
          case Errno.EBUSY -> "stop the other hypervisor that uses the processor";
          case Errno.ENODEV, Errno.ENXIO -> "load the module kvm_intel or kvm_amd";
          case Errno.EMFILE, Errno.ENFILE -> "raise the limit of open files (ulimit -n)";
          default -> "check the device";
        };
  }

  /** Returns what KVM_CHECK_EXTENSION says of a capability, 0 if it is missing. */
  public int extension(int capability) {
    return Math.max(0, Ioctl.issue(fd.number(), Kvm.KVM_CHECK_EXTENSION, capability));
  }

  /** Returns the size of the mapping of a vCPU's run structure in bytes. */
  public int vcpuMmapSize() {
    return Ioctl.call("KVM_GET_VCPU_MMAP_SIZE", fd, Kvm.KVM_GET_VCPU_MMAP_SIZE, 0);
  }

  /**
   * Returns a {@code struct kvm_cpuid2} with all that this host can give a guest: the count (4
   * bytes), 4 bytes of padding, then entries of {@link Cpuid#ENTRY_SIZE} bytes.
   */
  public NativeBuffer supportedCpuid() {
    for (int room = 128; room <= MOST_CPUID_ENTRIES; room *= 2) {
      NativeBuffer cpuid = NativeBuffer.allocate(Cpuid.ENTRIES + room * Cpuid.ENTRY_SIZE);
      cpuid.bytes().putInt(0, room);
      int result = Ioctl.issue(fd.number(), Kvm.KVM_GET_SUPPORTED_CPUID, cpuid.address());
      Reference.reachabilityFence(cpuid);
      if (result >= 0) {
        return cpuid;
      }
      if (result != -Errno.E2BIG) {
        throw Errno.failure("ioctl(KVM_GET_SUPPORTED_CPUID)", -result);
      }
    }
    throw Errno.failure("ioctl(KVM_GET_SUPPORTED_CPUID)", Errno.E2BIG);
  }

  /**
   * Makes a VM without memory, vCPUs and interrupt controllers.
   *
   * @throws BackendUnavailableException if the processor's virtualization is taken or switched off
   * @throws HypervisorException if there is no memory or descriptor left
   */
  public KvmVm createVm() {
    return createVm(0);
  }

  /**
   * As {@link #createVm()}.
   *
   * @param type what the processor's architecture knows of kinds of VMs, 0 for the default
   */
  public KvmVm createVm(long type) {
    int result = tryCreateVm(type);
    if (result < 0) {
      throw vmRefused(-result);
    }
    return new KvmVm(Fd.own(result));
  }

  /** Returns 0 if VMs of a type can be made, else the error number. Makes one and closes it. */
  public int probeVmType(long type) {
    int result = tryCreateVm(type);
    if (result < 0) {
      return -result;
    }
    Fd.own(result).close();
    return 0;
  }

  private int tryCreateVm(long type) {
    int result;
    do {
      result = Ioctl.issue(fd.number(), Kvm.KVM_CREATE_VM, type);
    } while (result == -Errno.EINTR);
    return result;
  }

  static RuntimeException vmRefused(int errno) {
    return switch (errno) {
      case Errno.EBUSY ->
          new BackendUnavailableException(
              "ioctl(KVM_CREATE_VM) failed: EBUSY (16): stop the other hypervisor that uses the"
                  + " processor's virtualization");
      case Errno.EIO, Errno.ENODEV ->
          new BackendUnavailableException(
              "ioctl(KVM_CREATE_VM) failed: "
                  + Errno.describe(errno)
                  + ": switch virtualization on in the firmware");
      default -> Errno.failure("ioctl(KVM_CREATE_VM)", errno);
    };
  }

  @Override
  public void close() {
    fd.close();
  }
}
