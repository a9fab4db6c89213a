package io.github.avf4j.attestation.cbor;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Compares with the CBOR of Jackson, on seeded random data. */
class CborDifferentialTest {
  private static final ObjectMapper ORACLE = new CBORMapper();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  @Test
  void writesWhatTheOracleReads() throws IOException {
    Random random = new Random(20261122);
    for (int i = 0; i < 3000; i++) {
      CborValue value = randomValue(random, 4);
      byte[] bytes = value.encoded().toByteArray();
      assertThat(ORACLE.readTree(bytes)).isEqualTo(node(value));
      assertThat(CborReader.decode(bytes)).isEqualTo(value);
    }
  }

  @Test
  void readsWhatTheOracleWrites() throws IOException {
    Random random = new Random(8949);
    for (int i = 0; i < 3000; i++) {
      JsonNode node = node(asTheOracleWritesIt(randomValue(random, 4)));
      byte[] bytes = ORACLE.writeValueAsBytes(node);
      CborValue value = CborReader.decode(bytes);
      assertThat(node(value)).isEqualTo(node);
      assertThat(reencode(value)).isEqualTo(bytes);
    }
  }

  @Test
  void acceptsNothingThatTheOracleReadsDifferently() throws IOException {
    Random random = new Random(7049);
    int accepted = 0;
    for (int i = 0; i < 60_000; i++) {
      byte[] bytes = randomValue(random, 3).encoded().toByteArray();
      for (int n = random.nextInt(3); n >= 0; n--) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      }
      CborValue value;
      try {
        value = CborReader.decode(bytes);
      } catch (CborException e) {
        assertThat(e.position().orElseThrow()).isBetween(0L, (long) bytes.length);
        continue;
      }
      accepted++;
      assertThat(reencode(value)).isEqualTo(bytes);
      if (isPlain(value)) {
        assertThat(ORACLE.readTree(bytes)).isEqualTo(node(value));
      }
    }
    assertThat(accepted).isGreaterThan(1000);
  }

  /** Encodes the tree item by item, not from the bytes it came from. */
  static byte[] reencode(CborValue value) {
    CborWriter out = new CborWriter();
    write(value, out);
    return out.toByteArray();
  }

  private static void write(CborValue value, CborWriter out) {
    if (value instanceof CborArray array) {
      out.array(array.size());
      array.items().forEach(item -> write(item, out));
    } else if (value instanceof CborMap map) {
      out.map(map.size());
      map.entries()
          .forEach(
              entry -> {
                write(entry.key(), out);
                write(entry.value(), out);
              });
    } else if (value instanceof CborTag tag) {
      out.tag(tag.tag());
      write(tag.content(), out);
    } else {
      value.writeTo(out);
    }
  }

  private static boolean isPlain(CborValue value) {
    if (value instanceof CborArray array) {
      return array.items().stream().allMatch(CborDifferentialTest::isPlain);
    }
    if (value instanceof CborMap map) {
      return map.entries().stream()
          .allMatch(entry -> entry.key() instanceof CborText && isPlain(entry.value()));
    }
    return !(value instanceof CborTag)
        && !(value instanceof CborSimple simple && (simple.value() < 20 || simple.value() > 22));
  }

  private static JsonNode node(CborValue value) {
    if (value instanceof CborInteger integer) {
      if (!integer.isLong()) {
        return NODES.numberNode(integer.bigValue());
      }
      long number = integer.longValue();
      return (int) number == number ? NODES.numberNode((int) number) : NODES.numberNode(number);
    } else if (value instanceof CborText text) {
      return NODES.textNode(text.value());
    } else if (value instanceof CborBytes bytes) {
      return NODES.binaryNode(bytes.value().toByteArray());
    } else if (value instanceof CborFloat number) {
      return number.encoded().length() == 9
          ? NODES.numberNode(number.value())
          : NODES.numberNode((float) number.value());
    } else if (value instanceof CborArray array) {
      ArrayNode node = NODES.arrayNode();
      array.items().forEach(item -> node.add(node(item)));
      return node;
    } else if (value instanceof CborMap map) {
      ObjectNode node = NODES.objectNode();
      map.entries().forEach(entry -> node.set(entry.key().asText(), node(entry.value())));
      return node;
    }
    return value.isNull() ? NODES.nullNode() : NODES.booleanNode(value.asBoolean());
  }

  /** The oracle writes floating point numbers in 64 bits and great integers as tagged strings. */
  private static CborValue asTheOracleWritesIt(CborValue value) {
    if (value instanceof CborFloat || value instanceof CborInteger integer && !integer.isLong()) {
      return CborValue.ofNull();
    } else if (value instanceof CborArray array) {
      return CborArray.of(
          array.items().stream().map(CborDifferentialTest::asTheOracleWritesIt).toList());
    } else if (value instanceof CborMap map) {
      CborMap.Builder builder = CborMap.builder();
      map.entries().forEach(entry -> builder.put(entry.key(), asTheOracleWritesIt(entry.value())));
      return builder.build();
    }
    return value;
  }

  private static CborValue randomValue(Random random, int depth) {
    switch (random.nextInt(depth > 0 ? 9 : 6)) {
      case 0:
        return CborValue.of(random.nextLong() >> random.nextInt(64));
      case 1:
        return CborInteger.ofUnsigned(random.nextLong());
      case 2:
        return CborValue.of(randomText(random));
      case 3:
        byte[] bytes = new byte[random.nextInt(300) >> random.nextInt(9)];
        random.nextBytes(bytes);
        return CborValue.of(bytes);
      case 4:
        return random.nextBoolean() ? CborValue.ofNull() : CborValue.of(random.nextBoolean());
      case 5:
        return CborFloat.of(
            switch (random.nextInt(3)) {
              case 0 -> random.nextInt(2000) / 8.0;
              case 1 -> random.nextFloat();
              default -> random.nextGaussian();
            });
      case 6, 7:
        List<CborValue> items = new ArrayList<>();
        for (int n = random.nextInt(6); n > 0; n--) {
          items.add(randomValue(random, depth - 1));
        }
        return CborArray.of(items);
      default:
        CborMap.Builder map = CborMap.builder();
        for (int n = random.nextInt(6); n > 0; n--) {
          map.put(n + randomText(random), randomValue(random, depth - 1));
        }
        return map.build();
    }
  }

  private static String randomText(Random random) {
    StringBuilder text = new StringBuilder();
    for (int n = random.nextInt(40) >> random.nextInt(6); n > 0; n--) {
      int point = random.nextInt(random.nextBoolean() ? 0x80 : 0x11000);
      text.appendCodePoint(point >= 0xd800 && point < 0xe000 ? 'x' : point);
    }
    return text.toString();
  }
}
