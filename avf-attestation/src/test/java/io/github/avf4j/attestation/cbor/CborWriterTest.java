package io.github.avf4j.attestation.cbor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class CborWriterTest {
  private static String hex(CborWriter writer) {
    return HexFormat.of().formatHex(writer.toByteArray());
  }

  @Test
  void writesTheShortestHeads() {
    CborWriter out = new CborWriter(0);
    for (long value : new long[] {0, 23, 24, 255, 256, 65535, 65536, 0xffffffffL, 0x100000000L}) {
      out.integer(value).integer(~value);
    }
    assertThat(hex(out))
        .isEqualTo(
            "0020"
                + "1737"
                + "18183818"
                + "18ff38ff"
                + "190100390100"
                + "19ffff39ffff"
                + "1a000100003a00010000"
                + "1affffffff3affffffff"
                + "1b00000001000000003b0000000100000000");
  }

  @Test
  void writesNestedItems() {
    CborWriter out = new CborWriter();
    out.map(2).integer(1).array(2).text("a\u00fc").bytes(new byte[] {1}).integer(2);
    out.tag(18).array(0);
    assertThat(hex(out)).isEqualTo("a2018263" + "61c3bc" + "4101" + "02d280");
  }

  @Test
  void splicesEncodedItems() {
    CborValue decoded = CborReader.decode(ByteSlice.ofHex("a202f601f6"));
    CborWriter out = new CborWriter().array(2).value(decoded).encoded(ByteSlice.ofHex("8101"));
    assertThat(hex(out)).isEqualTo("82a202f601f68101");
  }

  @Test
  void refusesToFinishBeforeAllItemsAreThere() {
    assertThatThrownBy(() -> new CborWriter().array(2).integer(1).toByteArray())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("toByteArray() needs complete items but 1 are missing");
  }

  @Test
  void refusesHalfASurrogatePair() {
    assertThatThrownBy(() -> new CborWriter().text("\ud800"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void makesValuesThatEqualDecodedOnes() {
    CborMap made =
        CborMap.builder()
            .put(1, CborArray.of(CborValue.of("x"), CborValue.ofNull()))
            .put("k", CborValue.of(new byte[] {7}))
            .put(-5, CborTag.of(24, CborValue.of(true)))
            .build();
    CborValue decoded = CborReader.decode(made.encoded());
    assertThat(decoded).isEqualTo(made).hasSameHashCodeAs(made);
    assertThat(made.position()).isEqualTo(-1);
    assertThat(decoded.position()).isZero();
  }

  @Test
  void sortsTheEntriesOfAMap() {
    CborMap map = CborReader.decode(ByteSlice.ofHex("a3190100f620f60af6")).asMap();
    assertThat(map.sorted(KeyOrder.BYTEWISE).encoded().toHex()).isEqualTo("a30af6190100f620f6");
    assertThat(map.sorted(KeyOrder.LENGTH_FIRST).encoded().toHex()).isEqualTo("a30af620f6190100f6");
  }

  @Test
  void refusesAMapWithAKeyTwice() {
    CborMap.Entry entry = new CborMap.Entry(CborValue.of(1), CborValue.ofNull());
    assertThatThrownBy(() -> CborMap.of(List.of(entry, entry))).isInstanceOf(CborException.class);
  }

  @Test
  void wipesItsBuffer() {
    CborWriter out = new CborWriter().bytes(new byte[] {1, 2, 3});
    out.wipe();
    assertThat(out.toByteArray()).isEmpty();
  }
}
