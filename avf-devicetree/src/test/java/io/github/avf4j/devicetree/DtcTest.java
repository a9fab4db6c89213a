package io.github.avf4j.devicetree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compares with dtc and fdtoverlay of the device tree compiler. */
class DtcTest {
  private static final String BASE =
      """
      /dts-v1/;
      / {
        #address-cells = <2>;
        #size-cells = <2>;
        compatible = "linux,dummy-virt";
        mixed = "text", [00 ff 01], <1 2>;
        gic: intc@3fff0000 { compatible = "arm,gic-v3"; phandle = <7>; reg = <0 1 2 3>; };
        bus: bus { compatible = "simple-bus"; cells = <1>; old { x; }; };
        user { link = <&gic>, <&bus>; };
        empty { };
      };
      """;
  private static final String OVERLAY =
      """
      /dts-v1/;
      /plugin/;
      &bus {
        status = "okay";
        cells = <9>;
        dev0: dev@1000 { reg = <1>; irq-parent = <&gic>; peer = <&dev1>; old; };
        dev1: dev@2000 { reg = <2>; peer = <&dev0 5 &gic>; };
        old { y = <1>; };
      };
      &{/} {
        avf { guest { common { log = <1>; }; }; };
      };
      """;

  @TempDir Path directory;

  @BeforeEach
  void needDtc() {
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/dtc"))
            && Files.isExecutable(Path.of("/usr/bin/fdtoverlay")),
        "dtc is missing: install package device-tree-compiler to compare");
  }

  @Test
  void writesTheBytesThatDtcWrites() throws Exception {
    byte[] compiled = compile("base", BASE);
    assertThat(DeviceTree.parse(compiled).encode()).isEqualTo(compiled);
  }

  @Test
  void writesWhatDtcReads() throws Exception {
    Path file = Files.write(directory.resolve("ours.dtb"), DeviceTreeTest.sample().encode());
    byte[] again = run("dtc", "-q", "-I", "dtb", "-O", "dtb", file.toString());
    assertThat(again).isEqualTo(Files.readAllBytes(file));
  }

  @Test
  void mergesAnOverlayLikeFdtoverlay() throws Exception {
    DeviceTree base = DeviceTree.parse(compile("base", BASE));
    DeviceTree overlay = DeviceTree.parse(compile("overlay", OVERLAY));
    Path merged = directory.resolve("merged.dtb");
    run(
        "fdtoverlay",
        "-i",
        directory.resolve("base.dtb").toString(),
        "-o",
        merged.toString(),
        directory.resolve("overlay.dtb").toString());
    Path ours = Files.write(directory.resolve("ours.dtb"), Overlay.apply(base, overlay).encode());
    assertThat(sorted(ours)).isEqualTo(sorted(merged)).contains("dev@1000").contains("log");
    assertThat(base.node("/avf")).as("the base stays as it was").isEmpty();
  }

  @Test
  void refusesAnOverlayThatRefersToNothing() throws Exception {
    DeviceTree base = DeviceTree.parse(compile("base", BASE));
    DeviceTree overlay =
        DeviceTree.parse(compile("overlay", "/dts-v1/; /plugin/; &nobody { status = \"okay\"; };"));
    assertThatThrownBy(() -> Overlay.apply(base, overlay))
        .isInstanceOf(FdtException.class)
        .hasMessageContaining("nobody");
  }

  @Test
  void keepsThePhandleOfANodeThatExists() throws Exception {
    DeviceTree base = DeviceTree.parse(compile("base", BASE));
    DeviceTree overlay =
        DeviceTree.parse(
            compile(
                "overlay",
                "/dts-v1/; /plugin/; &{/} { g: intc@3fff0000 { new; }; u { l = <&g>; }; };"));
    DeviceTree merged = Overlay.apply(base, overlay);
    assertThat(merged.node("/intc").orElseThrow().phandle()).hasValue(7);
    assertThat(merged.node("/u").orElseThrow().u32("l")).hasValue(7);
  }

  private byte[] compile(String name, String source) throws Exception {
    Path dts = Files.writeString(directory.resolve(name + ".dts"), source);
    Path dtb = directory.resolve(name + ".dtb");
    run("dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", dtb.toString(), dts.toString());
    return Files.readAllBytes(dtb);
  }

  private String sorted(Path dtb) throws Exception {
    return new String(run("dtc", "-q", "-s", "-I", "dtb", "-O", "dts", dtb.toString()));
  }

  private static byte[] run(String tool, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("/usr/bin/" + tool));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    byte[] output = process.getInputStream().readAllBytes();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    return output;
  }
}
