package io.github.avf4j.kvm.ioctl;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Compares numbers and layouts with what a C program printed on arm64 (src/test/c/kvm-arm64.c). */
class KvmArmTest {
  private final HeaderFacts c = new HeaderFacts("kvm-arm64.properties");

  @Test
  void numbersAreThoseOfTheHeader() throws IllegalAccessException {
    assertThat(c.assertAll(KvmArm.class)).isGreaterThan(30);
  }

  @Test
  void numbersThatAllProcessorsShareAreTheSameHere() throws IllegalAccessException {
    assertThat(c.assertKnown(Kvm.class)).isEqualTo(26);
  }

  @Test
  void registersHaveTheIdsOfTheirPlaces() {
    assertThat(c.number("kvm_regs.regs.regs[0]")).isZero();
    assertThat(c.number("kvm_regs.regs.pc")).isEqualTo(ArmRegister.PC_OFFSET);
    assertThat(c.number("kvm_regs.regs.pstate")).isEqualTo(ArmRegister.PSTATE_OFFSET);
    assertThat(ArmRegister.x(0)).isEqualTo(0x6030000000100000L);
    assertThat(ArmRegister.x(2)).isEqualTo(0x6030000000100004L);
    assertThat(ArmRegister.PC).isEqualTo(0x6030000000100040L);
    assertThat(ArmRegister.PSTATE).isEqualTo(0x6030000000100042L);
  }

  @Test
  void structuresAreLaidOutAsTheHeaderSays() {
    c.assertFacts(
        "",
        "kvm_run.immediate_exit=1",
        "kvm_run.exit_reason=8",
        "kvm_run.mmio.phys_addr=32",
        "kvm_run.mmio.data=40",
        "kvm_run.mmio.len=48",
        "kvm_run.mmio.is_write=52",
        "kvm_run.internal.suberror=32",
        "kvm_run.system_event.type=32",
        "kvm_run.fail_entry.hardware_entry_failure_reason=32",
        "kvm_run.arm_nisv.fault_ipa=40",
        "sizeof.kvm_userspace_memory_region=32",
        "kvm_userspace_memory_region.guest_phys_addr=8",
        "kvm_userspace_memory_region.memory_size=16",
        "kvm_userspace_memory_region.userspace_addr=24",
        "sizeof.kvm_irqfd=32",
        "kvm_irqfd.gsi=4",
        "sizeof.kvm_ioeventfd=64",
        "kvm_ioeventfd.addr=8",
        "kvm_ioeventfd.len=16",
        "kvm_ioeventfd.fd=20",
        "kvm_ioeventfd.flags=24",
        "sizeof.kvm_irq_level=8",
        "kvm_irq_level.level=4",
        "sizeof.kvm_enable_cap=104",
        "kvm_enable_cap.flags=4",
        "kvm_enable_cap.args=8",
        "sizeof.kvm_create_device=12",
        "kvm_create_device.fd=4",
        "kvm_create_device.flags=8",
        "sizeof.kvm_device_attr=24",
        "kvm_device_attr.group=4",
        "kvm_device_attr.attr=8",
        "kvm_device_attr.addr=16",
        "sizeof.kvm_vcpu_init=32",
        "kvm_vcpu_init.features=4",
        "sizeof.kvm_one_reg=16",
        "kvm_one_reg.addr=8",
        "KVM_VGIC_V3_DIST_SIZE=65536",
        "KVM_VGIC_V3_REDIST_SIZE=131072",
        "KVM_VGIC_V2_DIST_SIZE=4096",
        "KVM_VGIC_V2_CPU_SIZE=8192");
  }
}
