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
    c.assertStructuresOfAllProcessors();
    c.assertFacts(
        "",
        "kvm_run.arm_nisv.fault_ipa=40",
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
