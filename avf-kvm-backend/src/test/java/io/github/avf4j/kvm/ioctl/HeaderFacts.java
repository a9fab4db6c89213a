package io.github.avf4j.kvm.ioctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.util.Properties;

/** What a C program printed of the kernel's headers: numbers by name. Thread-safe. */
final class HeaderFacts {
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
