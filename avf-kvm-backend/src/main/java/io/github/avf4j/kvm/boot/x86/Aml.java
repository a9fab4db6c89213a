package io.github.avf4j.kvm.boot.x86;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * The few terms of ACPI machine language that our tables need (ACPI 6.5, chapter 20; resources in
 * 6.4). Every method returns the encoded term. Thread-safe.
 */
final class Aml {
  private Aml() {}

  /** Returns the terms one after another. */
  static byte[] join(byte[]... terms) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] term : terms) {
      out.writeBytes(term);
    }
    return out.toByteArray();
  }

  /** {@code Name(NAME, value)}; the name has four characters. */
  static byte[] name(String name, byte[] value) {
    return join(bytes(0x08), ascii(name), value);
  }

  /** {@code Scope(NAME) { terms }}. */
  static byte[] scope(String name, byte[]... terms) {
    return join(bytes(0x10), withLength(join(ascii(name), join(terms))));
  }

  /** {@code Device(NAME) { terms }}. */
  static byte[] device(String name, byte[]... terms) {
    return join(bytes(0x5B, 0x82), withLength(join(ascii(name), join(terms))));
  }

  /** {@code Package() { elements }}. */
  static byte[] packageOf(byte[]... elements) {
    return join(bytes(0x12), withLength(join(bytes(elements.length), join(elements))));
  }

  /** {@code Buffer() { data }}. */
  static byte[] buffer(byte[] data) {
    return join(bytes(0x11), withLength(join(integer(data.length), data)));
  }

  static byte[] integer(int value) {
    if (value == 0 || value == 1) {
      return bytes(value);
    }
    if (value > 0 && value <= 0xFF) {
      return bytes(0x0A, value);
    }
    return join(bytes(0x0C), little(value, 4));
  }

  static byte[] string(String text) {
    return join(bytes(0x0D), ascii(text), bytes(0));
  }

  /** {@code EisaId("ABC0123")}: three letters of five bits, then four hexadecimal digits. */
  static byte[] eisaId(String id) {
    int letters = (id.charAt(0) - 0x40) << 10 | (id.charAt(1) - 0x40) << 5 | (id.charAt(2) - 0x40);
    int product = Integer.parseInt(id.substring(3), 16);
    return bytes(0x0C, letters >> 8, letters, product >> 8, product);
  }

  /** {@code ResourceTemplate() { resources }}. */
  static byte[] resources(byte[]... resources) {
    return buffer(join(join(resources), bytes(0x79, 0)));
  }

  /** {@code IO(Decode16, port, port, 1, length)}. */
  static byte[] ports(int port, int length) {
    return join(bytes(0x47, 1), little(port, 2), little(port, 2), bytes(1, length));
  }

  /** {@code Memory32Fixed(ReadWrite, base, length)}. */
  static byte[] memory(long base, int length) {
    return join(bytes(0x86, 9, 0, 1), little((int) base, 4), little(length, 4));
  }

  /** {@code Interrupt(ResourceConsumer, Edge, ActiveHigh, Exclusive) { gsi }}. */
  static byte[] interrupt(int gsi) {
    return join(bytes(0x89, 6, 0, 0x03, 1), little(gsi, 4));
  }

  /** Puts the package length in front, which counts itself (ACPI 6.5, 20.2.4). */
  private static byte[] withLength(byte[] body) {
    if (body.length + 1 < 1 << 6) {
      return join(bytes(body.length + 1), body);
    }
    int follow = body.length + 2 < 1 << 12 ? 1 : body.length + 3 < 1 << 20 ? 2 : 3;
    int length = body.length + 1 + follow;
    return join(bytes(follow << 6 | length & 0xF), little(length >> 4, follow), body);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  private static byte[] little(int value, int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (value >> 8 * i);
    }
    return bytes;
  }
}
