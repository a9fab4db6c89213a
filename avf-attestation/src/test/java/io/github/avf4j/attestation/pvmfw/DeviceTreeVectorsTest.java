package io.github.avf4j.attestation.pvmfw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.devicetree.DeviceTree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The trees of device assignment, against the device tree compiler. */
class DeviceTreeVectorsTest {
  private static final Path DTC = Path.of("/usr/bin/dtc");

  @ParameterizedTest
  @ValueSource(strings = {"vm_dtbo", "host_devices"})
  void areWhatDtcMakesOfTheirSources(String name, @TempDir Path directory) throws Exception {
    assumeTrue(
        Files.isExecutable(DTC), "dtc is missing: install package device-tree-compiler to compare");
    Path dts = Files.write(directory.resolve(name + ".dts"), Vectors.bytes("fdt/" + name + ".dts"));
    Path dtb = directory.resolve(name + ".dtb");
    Process dtc =
        new ProcessBuilder(
                DTC.toString(), "-q", "-@", "-I", "dts", "-O", "dtb", "-o", "" + dtb, "" + dts)
            .inheritIO()
            .start();
    assertThat(dtc.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(dtc.exitValue()).isZero();
    byte[] compiled = Files.readAllBytes(dtb);
    assertThat(Vectors.bytes("fdt/" + name + ".dtb")).isEqualTo(compiled);
    assertThat(DeviceTree.parse(compiled).encode()).isEqualTo(compiled);
  }
}
