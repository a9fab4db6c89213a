package io.github.avf4j.kvm.boot.arm64;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.kvm.boot.Initrd;
import io.github.avf4j.kvm.boot.arm64.BootMaterial.Payload;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineTreeTest {
  private static final Hardware ORDINARY = new Hardware(256 << 20, 2, 4, Gic.V3, Rtc.PL031, 0);
  private static final Hardware PROTECTED =
      new Hardware(3L << 30, 18, 3, Gic.V3, Rtc.PL030, 64 << 20);
  private static final Hardware OLD = new Hardware(1L << 30, 4, 3, Gic.V2, Rtc.PL031, 0);

  @TempDir Path folder;

  @Test
  void treeOfAnOrdinaryMachineIsWhatItWas() throws Exception {
    assertGolden("ordinary.dts", ORDINARY, kernel());
  }

  @Test
  void treeOfAProtectedMachineWithFirmwareIsWhatItWas() throws Exception {
    byte[] instance = new byte[64];
    for (int i = 0; i < instance.length; i++) {
      instance[i] = (byte) i;
    }
    assertGolden(
        "protected.dts",
        PROTECTED,
        new BootMaterial(
            "panic=-1", Initrd.NONE, new Payload(0x80200000L, 12345), instance, new byte[64]));
  }

  @Test
  void treeOfAMachineWithTheOldInterruptControllerIsWhatItWas() throws Exception {
    assertGolden("gic-v2.dts", OLD, kernel());
  }

  @Test
  void seedIsNewEachTime() {
    assertThat(BootMaterial.newSeed()).hasSize(64).isNotEqualTo(BootMaterial.newSeed());
  }

  @Test
  void everyTreeIsReadAgainAndFitsItsPlace() {
    BootMaterial longest =
        new BootMaterial("x".repeat(4096), Initrd.NONE, Payload.NONE, new byte[64], new byte[64]);
    byte[] tree = MachineTree.write(new Hardware(1L << 40, 512, 11, Gic.V3, Rtc.PL031, 0), longest);
    assertThat(tree.length).isLessThan(Layout.FDT_MAX);
    assertThat(DeviceTree.parse(tree).root().child("cpus").orElseThrow().children()).hasSize(512);
  }

  private static BootMaterial kernel() {
    byte[] seed = "0123456789abcdef".repeat(4).getBytes(StandardCharsets.US_ASCII);
    return new BootMaterial(
        "console=ttyS0 panic=-1",
        new Initrd(0x81000000L, 1234567),
        Payload.NONE,
        new byte[0],
        seed);
  }

  /** The golden files are what dtc made of the trees, looked at by a person. */
  private void assertGolden(String name, Hardware hardware, BootMaterial material)
      throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/dtc")), "needs dtc (device-tree-compiler)");
    Path tree = Files.write(folder.resolve("tree.dtb"), MachineTree.write(hardware, material));
    Path messages = folder.resolve("messages");
    Process dtc =
        new ProcessBuilder("dtc", "-I", "dtb", "-O", "dts", tree.toString())
            .redirectError(messages.toFile())
            .start();
    String source = new String(dtc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(dtc.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(dtc.exitValue()).isZero();
    assertThat(messages).as("dtc's warnings").hasContent("");
    try (InputStream in = MachineTreeTest.class.getResourceAsStream(name)) {
      Files.writeString(Path.of("target", name), source);
      assertThat(in).as("golden file, compare with target/" + name).isNotNull();
      assertThat(source).isEqualTo(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }
}
