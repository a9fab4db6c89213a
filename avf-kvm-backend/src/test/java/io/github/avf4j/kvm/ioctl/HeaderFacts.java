package io.github.avf4j.kvm.ioctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.util.Properties;

/** What a C program printed of the kernel's headers: numbers by name. Thread-safe. */
final class HeaderFacts {
  private static final String[] ON_ALL_PROCESSORS = {
    "kvm_run.immediate_exit=1",
    "kvm_run.exit_reason=8",
    "kvm_run.mmio.phys_addr=32",
    "kvm_run.mmio.data=40",
    "kvm_run.mmio.len=48",
    "kvm_run.mmio.is_write=52",
    "kvm_run.internal.suberror=32",
    "kvm_run.system_event.type=32",
    "kvm_run.fail_entry.hardware_entry_failure_reason=32",
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
    "kvm_irq_level.level=4"
  };

  private final Properties numbers = new Properties();

  /** Reads the fixture of that name beside this class. */
  HeaderFacts(String fixture) {
    try (InputStream in = HeaderFacts.class.getResourceAsStream(fixture)) {
      numbers.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns a number, which the fixture must have. */
  long number(String name) {
    assertThat(numbers.getProperty(name)).as("fixture has " + name).isNotNull();
    return Long.parseLong(numbers.getProperty(name));
  }

  /** Checks every public constant of {@code constants}, and returns how many there are. */
  int assertAll(Class<?> constants) throws IllegalAccessException {
    for (Field field : constants.getFields()) {
      assertSame(field);
    }
    return constants.getFields().length;
  }

  /** Checks the public constants that the fixture has, and returns how many these are. */
  int assertKnown(Class<?> constants) throws IllegalAccessException {
    int compared = 0;
    for (Field field : constants.getFields()) {
      if (numbers.containsKey(field.getName())) {
        assertSame(field);
        compared++;
      }
    }
    return compared;
  }

  private void assertSame(Field field) throws IllegalAccessException {
    assertThat(((Number) field.get(null)).longValue())
        .as(field.getName())
        .isEqualTo(number(field.getName()));
  }

  /** Checks the structures that are the same on all processors. */
  void assertStructuresOfAllProcessors() {
    assertFacts("", ON_ALL_PROCESSORS);
  }

  /** Checks facts such as {@code exit_reason=8}, whose names go on after {@code prefix}. */
  void assertFacts(String prefix, String... facts) {
    for (String fact : facts) {
      String[] nameAndValue = fact.split("=");
      assertThat(number(prefix + nameAndValue[0]))
          .as(fact)
          .isEqualTo(Long.parseLong(nameAndValue[1]));
    }
  }
}
