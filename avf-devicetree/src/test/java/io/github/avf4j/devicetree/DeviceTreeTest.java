package io.github.avf4j.devicetree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DeviceTreeTest {
  @Test
  void readsWhatItWrote() {
    DeviceTree tree = sample();
    byte[] bytes = tree.encode();
    DeviceTree again = DeviceTree.parse(bytes);
    assertThat(again.encode()).isEqualTo(bytes);
    assertThat(again.reservations()).containsExactly(new DeviceTree.Reservation(0x1000, 0x2000));
    assertThat(again.node("/memory").orElseThrow().name()).isEqualTo("memory@80000000");
    assertThat(again.node("/memory@80000000").orElseThrow().u32OrU64("reg")).isEmpty();
    assertThat(again.node("/chosen").orElseThrow().string("bootargs")).hasValue("panic=-1");
    assertThat(again.byPhandle(1).orElseThrow().name()).isEqualTo("intc");
    assertThat(again.compatible("arm,gic-v3")).hasSize(1);
    assertThat(again.node("/nothing")).isEmpty();
  }

  @Test
  void refusesEveryTruncation() {
    byte[] bytes = sample().encode();
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> DeviceTree.parse(cut)).isInstanceOf(FdtException.class);
      if (length >= 8) {
        ByteBuffer.wrap(cut).putInt(4, length);
        assertThatThrownBy(() -> DeviceTree.parse(cut)).isInstanceOf(FdtException.class);
      }
    }
  }

  @Test
  void refusesTooManyLevels() {
    DeviceTree tree = new DeviceTree();
    FdtNode node = tree.root();
    for (int i = 0; i < 64; i++) {
      node = node.add("n");
    }
    assertRefused(tree.encode(), "levels");
  }

  @Test
  void refusesTooManyItems() {
    DeviceTree tree = new DeviceTree();
    for (int i = 0; i < 70000; i++) {
      tree.root().setEmpty("p" + i);
    }
    assertRefused(tree.encode(), "more than 65536");
  }

  @Test
  void refusesANameThatOccursTwice() {
    DeviceTree tree = new DeviceTree();
    tree.root().add("a1");
    tree.root().add("a2");
    byte[] bytes = tree.encode();
    bytes[indexOf(bytes, "a2") + 1] = '1';
    assertRefused(bytes, "twice");
    assertThatThrownBy(() -> tree.root().add("a1")).isInstanceOf(FdtException.class);
  }

  @Test
  void refusesNamesThatWouldBePaths() {
    assertThatThrownBy(() -> new DeviceTree().root().add("a/b")).isInstanceOf(FdtException.class);
    assertThatThrownBy(() -> new DeviceTree().root().setEmpty("")).isInstanceOf(FdtException.class);
  }

  @Test
  void saysWhereAndWhyItRefuses() {
    byte[] bytes = sample().encode();
    bytes[27] = 99;
    assertThatThrownBy(() -> DeviceTree.parse(bytes))
        .isInstanceOfSatisfying(
            FdtException.class,
            e -> {
              assertThat(e.position()).hasValue(20);
              assertThat(e.reason()).isEqualTo("version 17 (compatible to 99) is unknown");
              assertThat(e).hasMessage(e.reason() + " (at byte 20)");
            });
    assertThatThrownBy(() -> new DeviceTree().root().add(""))
        .isInstanceOfSatisfying(FdtException.class, e -> assertThat(e.position()).isEmpty());
  }

  @Test
  void givesEachCallerAViewOfItsOwnThatCannotChangeTheValue() {
    FdtNode node = sample().root();
    ByteBuffer first = node.property("#size-cells").orElseThrow();
    assertThat(first.isReadOnly()).isTrue();
    assertThat(first.order()).isEqualTo(ByteOrder.BIG_ENDIAN);
    assertThat(first.order(ByteOrder.LITTLE_ENDIAN).getInt()).isEqualTo(2 << 24);
    assertThat(node.property("#size-cells").orElseThrow().getInt()).isEqualTo(2);
    assertThat(node.u32("#size-cells")).hasValue(2);
  }

  @Test
  void copiesTheBytesThatAPropertyIsSetTo() {
    FdtNode node = new DeviceTree().root();
    byte[] bytes = {0, 0, 0, 1, 0, 0, 0, 2};
    ByteBuffer second = ByteBuffer.wrap(bytes).position(4).order(ByteOrder.LITTLE_ENDIAN);
    node.set("both", bytes).set("second", second);
    bytes[7] = 9;
    assertThat(second.position()).isEqualTo(4);
    assertThat(node.cells("both").orElseThrow()).containsExactly(1, 2);
    assertThat(node.u32("second")).hasValue(2);
  }

  @Test
  void takesAllPropertiesOfAnotherNode() {
    FdtNode from = new DeviceTree().root().setU32("b", 2).setU32("c", 3);
    FdtNode into = new DeviceTree().root().setU32("a", 1).setU32("b", 9).setAll(from);
    from.setU32("b", 4);
    assertThat(into.propertyNames()).containsExactly("a", "b", "c");
    assertThat(into.u32("b")).hasValue(2);
    assertThat(into.setAll(into).u32("c")).hasValue(3);
  }

  private static int indexOf(byte[] bytes, String text) {
    return new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf(text);
  }

  private static void assertRefused(byte[] bytes, String reason) {
    assertThatThrownBy(() -> DeviceTree.parse(bytes))
        .isInstanceOf(FdtException.class)
        .hasMessageContaining(reason);
  }

  static DeviceTree sample() {
    DeviceTree tree = new DeviceTree();
    tree.reserve(0x1000, 0x2000);
    FdtNode root = tree.root();
    root.setU32("#address-cells", 2).setU32("#size-cells", 2);
    root.setStrings("compatible", "linux,dummy-virt", "second");
    root.add("memory@80000000")
        .setStrings("device_type", "memory")
        .setU64("reg", 1L << 31, 1 << 26);
    root.add("intc").setStrings("compatible", "arm,gic-v3").setU32("phandle", 1);
    root.add("chosen").setStrings("bootargs", "panic=-1").setEmpty("avf,strict-boot");
    return tree;
  }
}
