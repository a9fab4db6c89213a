package io.github.avf4j.kvm.boot;

import io.github.avf4j.kvm.ioctl.KvmVcpu;

/** What a boot protocol makes of the first vCPU's registers. Thread-safe. */
@FunctionalInterface
public interface BootState {
  /** Sets the registers; memory is as the protocol wants it already. */
  void apply(KvmVcpu vcpu);
}
