package io.github.avf4j.attestation.pvmfw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DeviceTreesTest {
  @Test
  void readsATreeInTheMiddleOfADocument() {
    DeviceTree tree = new DeviceTree();
    tree.root().add("chosen").setU32("value", 7);
    byte[] bytes = tree.encode();
    byte[] document = new byte[bytes.length + 12];
    System.arraycopy(bytes, 0, document, 4, bytes.length);
    ByteSlice slice = ByteSlice.takeOver(document).slice(4);
    assertThat(DeviceTrees.parse(slice).node("/chosen").orElseThrow().u32("value")).hasValue(7);
  }

  @Test
  void refusesWithTheRootOfThisModuleAndThePlaceInTheDocument() {
    byte[] bytes = new DeviceTree().encode();
    byte[] document = new byte[bytes.length + 100];
    System.arraycopy(bytes, 0, document, 100, bytes.length);
    document[100 + 27] = 99;
    assertThatThrownBy(() -> DeviceTrees.parse(ByteSlice.takeOver(document).slice(100)))
        .isInstanceOfSatisfying(
            AttestationException.class,
            e -> {
              assertThat(e.position()).hasValue(120);
              assertThat(e.reason()).isEqualTo("version 17 (compatible to 99) is unknown");
              assertThat(e).hasCauseInstanceOf(FdtException.class);
            });
  }

  @Test
  void refusesAnOverlayThatDoesNotFitWithoutAPlace() {
    DeviceTree overlay = new DeviceTree();
    overlay.root().add("fragment@0").setStrings("target-path", "/nowhere").add("__overlay__");
    ByteSlice bytes = ByteSlice.takeOver(overlay.encode());
    assertThatThrownBy(() -> DebugPolicy.ofOverlay(bytes))
        .isInstanceOfSatisfying(
            DeviceTreeException.class,
            e -> {
              assertThat(e.position()).isEmpty();
              assertThat(e.reason()).contains("/nowhere");
            });
    byte[] cut = Arrays.copyOf(bytes.toByteArray(), 8);
    assertThatThrownBy(() -> DebugPolicy.ofOverlay(ByteSlice.takeOver(cut)))
        .isInstanceOfSatisfying(
            DeviceTreeException.class, e -> assertThat(e.position()).hasValue(0));
  }
}
