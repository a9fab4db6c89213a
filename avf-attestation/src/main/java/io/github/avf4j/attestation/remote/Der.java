package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/** Writes elements of ASN.1 in DER. Thread-safe. */
final class Der {
  private Der() {}

  static byte[] element(int tag, byte[]... parts) {
    int size = Arrays.stream(parts).mapToInt(part -> part.length).sum();
    ByteArrayOutputStream out = new ByteArrayOutputStream(size + 5);
    out.write(tag);
    if (size < 0x80) {
      out.write(size);
    } else {
      int bytes = size < 0x100 ? 1 : size < 0x10000 ? 2 : 3;
      out.write(0x80 | bytes);
      for (int i = bytes - 1; i >= 0; i--) {
        out.write(size >>> 8 * i);
      }
    }
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  static byte[] sequence(byte[]... parts) {
    return element(DerReader.SEQUENCE, parts);
  }

  static byte[] integer(BigInteger value) {
    return element(DerReader.INTEGER, value.toByteArray());
  }

  static byte[] integer(long value) {
    return integer(BigInteger.valueOf(value));
  }

  static byte[] bool(boolean value) {
    return element(DerReader.BOOLEAN, new byte[] {(byte) (value ? 0xff : 0)});
  }

  static byte[] octets(byte[] value) {
    return element(DerReader.OCTET_STRING, value);
  }

  static byte[] octets(ByteSlice value) {
    return octets(value.toByteArray());
  }

  static byte[] bits(byte[] value) {
    return element(DerReader.BIT_STRING, new byte[1], value);
  }

  static byte[] utf8(String value) {
    return element(DerReader.UTF8_STRING, value.getBytes(StandardCharsets.UTF_8));
  }

  static byte[] oid(String dotted) {
    String[] arcs = dotted.split("\\.");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    arc(out, 40 * Long.parseLong(arcs[0]) + Long.parseLong(arcs[1]));
    for (int i = 2; i < arcs.length; i++) {
      arc(out, Long.parseLong(arcs[i]));
    }
    return element(DerReader.OID, out.toByteArray());
  }

  private static void arc(ByteArrayOutputStream out, long value) {
    Deque<Integer> octets = new ArrayDeque<>();
    octets.push((int) (value & 0x7f));
    for (long rest = value >>> 7; rest != 0; rest >>>= 7) {
      octets.push((int) (rest & 0x7f | 0x80));
    }
    octets.forEach(out::write);
  }
}
