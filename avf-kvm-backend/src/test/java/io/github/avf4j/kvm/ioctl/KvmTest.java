package io.github.avf4j.kvm.ioctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import org.junit.jupiter.api.Test;

/** Compares numbers and layouts with what a C program printed (src/test/c/kvm.c, x86-64). */
class KvmTest {
  private final HeaderFacts c = new HeaderFacts("kvm.properties");

  @Test
  void numbersAreThoseOfTheHeader() throws IllegalAccessException {
    assertThat(c.assertAll(Kvm.class)).isGreaterThan(40);
  }

  @Test
  void generalRegistersAreWhereTheHeaderSays() throws IllegalAccessException {
    assertThat(new Registers().buffer().size()).isEqualTo((int) c.number("sizeof.kvm_regs"));
    for (Field field : Registers.class.getFields()) {
      if (field.getType() == int.class) {
        assertThat(field.getInt(null))
            .as(field.getName())
            .isEqualTo((int) c.number("kvm_regs." + field.getName().toLowerCase()));
      }
    }
  }

  @Test
  void specialRegistersAreWhereTheHeaderSays() throws IllegalAccessException {
    assertThat(new SpecialRegisters().buffer().size())
        .isEqualTo((int) c.number("sizeof.kvm_sregs"));
    for (Field field : SpecialRegisters.class.getFields()) {
      assertThat(field.getInt(null))
          .as(field.getName())
          .isEqualTo((int) c.number("kvm_sregs." + field.getName().toLowerCase()));
    }
    c.assertFacts(
        "kvm_segment.",
        "limit=8",
        "selector=12",
        "type=14",
        "present=15",
        "dpl=16",
        "db=17",
        "s=18",
        "l=19",
        "g=20",
        "unusable=22");
    assertThat(c.number("kvm_dtable.limit")).isEqualTo(8);
  }

  @Test
  void segmentsAreUnpackedFromTheirDescriptors() {
    SpecialRegisters registers = new SpecialRegisters();
    registers.setSegment(SpecialRegisters.CS, new SpecialRegisters.Segment(8, 0x00AF9B000000FFFFL));
    var b = registers.buffer().bytes();
    assertThat(b.getLong(0)).isZero();
    assertThat(b.getInt(8)).as("limit").isEqualTo(-1);
    assertThat(b.getShort(12)).as("selector").isEqualTo((short) 8);
    assertThat(
            new int[] {b.get(14), b.get(15), b.get(16), b.get(17), b.get(18), b.get(19), b.get(20)})
        .as("type, present, dpl, db, s, l, g")
        .containsExactly(0xB, 1, 0, 0, 1, 1, 1);
    registers.setSegment(
        SpecialRegisters.TR, new SpecialRegisters.Segment(0x18, 0x00008B0000000067L));
    assertThat(b.getInt(144 + 8)).as("limit in bytes").isEqualTo(0x67);
  }

  @Test
  void portAccessesAreWhereTheHeaderSays() {
    c.assertFacts(
        "kvm_run.",
        "io.direction=32",
        "io.size=33",
        "io.port=34",
        "io.count=36",
        "io.data_offset=40");
  }

  @Test
  void otherStructuresAreLaidOutAsTheHeaderSays() {
    c.assertStructuresOfAllProcessors();
    c.assertFacts(
        "",
        "kvm_cpuid2.entries=8",
        "sizeof.kvm_msr_entry=16",
        "kvm_msr_entry.data=8",
        "kvm_msrs.entries=8",
        "sizeof.kvm_fpu=416",
        "kvm_fpu.fcw=128",
        "kvm_fpu.mxcsr=408",
        "sizeof.kvm_lapic_state=1024",
        "sizeof.kvm_translation=24",
        "kvm_translation.physical_address=8",
        "kvm_translation.valid=16",
        "sizeof.kvm_pit_config=64");
    assertThat(Cpuid.ENTRY_SIZE).isEqualTo((int) c.number("sizeof.kvm_cpuid_entry2"));
    assertThat(Cpuid.FUNCTION).isEqualTo((int) c.number("kvm_cpuid_entry2.function"));
    assertThat(Cpuid.INDEX).isEqualTo((int) c.number("kvm_cpuid_entry2.index"));
    assertThat(Cpuid.FLAGS).isEqualTo((int) c.number("kvm_cpuid_entry2.flags"));
    assertThat(Cpuid.EAX).isEqualTo((int) c.number("kvm_cpuid_entry2.eax"));
    assertThat(Cpuid.EBX).isEqualTo((int) c.number("kvm_cpuid_entry2.ebx"));
    assertThat(Cpuid.ECX).isEqualTo((int) c.number("kvm_cpuid_entry2.ecx"));
    assertThat(Cpuid.EDX).isEqualTo((int) c.number("kvm_cpuid_entry2.edx"));
  }
}
