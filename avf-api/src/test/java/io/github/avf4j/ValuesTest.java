package io.github.avf4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.StopReason.CpuKind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ValuesTest {
  @ParameterizedTest
  @ValueSource(longs = {-1, 0, 1, 2, 0xFFFF_FFFFL, 1L << 32})
  void reservedCidsAreRefused(long value) {
    assertThatThrownBy(() -> new Cid(value))
        .hasMessage("a guest CID must be in 3..4294967294 but was " + value);
  }

  @Test
  void cidsAreWrittenAsNumbers() {
    assertThat(new Cid(0xFFFF_FFFEL)).hasToString("4294967294");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 9})
  void topologiesHaveOneToEightCpus(int vcpus) {
    assertThatThrownBy(() -> CpuTopology.of(vcpus))
        .hasMessage("vcpus must be in 1..8 but was " + vcpus);
  }

  @Test
  void topologyOfTheHostIsWithinTheRange() {
    assertThat(CpuTopology.matchHost().vcpus()).isBetween(1, 8);
  }

  @Test
  void errorCodesHaveAvfsNumbers() {
    for (ErrorCode code : ErrorCode.values()) {
      assertThat(ErrorCode.of(code.value())).isEqualTo(code);
      assertThat(code.value()).isEqualTo(code.ordinal());
    }
    assertThat(ErrorCode.of(-1)).isEqualTo(ErrorCode.UNKNOWN);
    assertThat(ErrorCode.of(4)).isEqualTo(ErrorCode.UNKNOWN);
  }

  @Test
  void stopReasonsHaveAvfsNumbersAndOneLine() {
    assertThat(new StopReason.InfrastructureError("gone").avfCode()).isZero();
    assertThat(new StopReason.Killed().avfCode()).isEqualTo(1);
    assertThat(new StopReason.Shutdown().avfCode()).isEqualTo(3);
    assertThat(new StopReason.StartFailed("x").avfCode()).isEqualTo(4);
    assertThat(new StopReason.Reboot().avfCode()).isEqualTo(5);
    assertThat(new StopReason.Hangup(Duration.ofSeconds(1)).avfCode()).isEqualTo(16);
    assertThat(new StopReason.MicrodroidError(ErrorCode.UNKNOWN, "x").avfCode()).isEqualTo(15);
    assertThat(new StopReason.MicrodroidError(ErrorCode.PAYLOAD_CHANGED, "x").avfCode())
        .isEqualTo(12);
    StopReason.Crash crash = crash(CpuKind.X86_64, new byte[] {0x0f, (byte) 0xff});
    assertThat(crash.avfCode()).isEqualTo(6);
    assertThat(crash).hasToString("CRASH TRIPLE_FAULT oh [vcpu=1 rip=0xfffff000 bytes=0fff]");
  }

  @Test
  void crashesNameTheRegisterOfTheirProcessor() {
    byte[] none = new byte[0];
    assertThat(crash(CpuKind.X86_64, none)).asString().endsWith("oh [vcpu=1 rip=0xfffff000]");
    assertThat(crash(CpuKind.ARM64, none)).asString().endsWith("oh [vcpu=1 pc=0xfffff000]");
  }

  private static StopReason.Crash crash(CpuKind kind, byte[] instruction) {
    return new StopReason.Crash(
        StopReason.CrashKind.TRIPLE_FAULT,
        "oh",
        Optional.of(new StopReason.CpuState(1, kind, 0xfffff000L, instruction)));
  }

  @Test
  void payloadsAreValues() {
    ExecutablePayload payload =
        Payload.executable(Path.of("p")).withArguments("a", "b").withEnvironment("X", "1");
    assertThat(payload)
        .isEqualTo(
            Payload.executable(Path.of("p").toAbsolutePath())
                .withEnvironment("X", "1")
                .withArguments("a", "b"))
        .isNotEqualTo(payload.withEnvironment("X", "2"))
        .isNotEqualTo(payload.withArguments());
    assertThat(payload.executable()).isAbsolute();
    assertThat(payload.toString()).endsWith("p a b");
  }

  @Test
  void apkPayloadsAreValues() {
    ApkPayload payload = Payload.apk(Path.of("p.apk")).withBinaryName("libx.so");
    assertThat(payload)
        .isEqualTo(Payload.apk(Path.of("p.apk").toAbsolutePath()).withBinaryName("libx.so"))
        .hasSameHashCodeAs(payload.withBinaryName("libx.so"))
        .isNotEqualTo(payload.withBinaryName("liby.so"))
        .isNotEqualTo(payload.withExtraApk(Path.of("q.apk")))
        .isNotEqualTo(Payload.apk(Path.of("p.apk")).withConfigPath("libx.so"));
    assertThat(payload.apk()).isAbsolute();
    assertThat(payload.withExtraApk(Path.of("q.apk")).extraApks())
        .containsExactly(Path.of("q.apk").toAbsolutePath());
    assertThat(payload.toString()).endsWith("p.apk!libx.so");
  }

  @Test
  void apkPayloadsNameFilesOfTheApk() {
    ApkPayload payload = Payload.apk(Path.of("p.apk"));
    for (String name : new String[] {"", "lib/x86_64/libx.so", "a\0"}) {
      assertThatThrownBy(() -> payload.withBinaryName(name))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("a file name without '/'");
    }
    for (String path : new String[] {"", "/mnt/apk/vm_config.json", "assets/", "a\0"}) {
      assertThatThrownBy(() -> payload.withConfigPath(path))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("the name of a file in the APK");
    }
  }

  @Test
  void payloadsHaveNoStringsThatAGuestCannotHave() {
    ExecutablePayload payload = Payload.executable(Path.of("p"));
    assertThatThrownBy(() -> payload.withArguments("a\0"))
        .hasMessage("an argument must not have a NUL character");
    assertThatThrownBy(() -> payload.withEnvironment("A", "\0"))
        .hasMessage("an environment variable must not have a NUL character");
    for (String name : new String[] {"", "A=B"}) {
      assertThatThrownBy(() -> payload.withEnvironment(name, ""))
          .hasMessageContaining("must not be empty or have '='");
    }
  }

  @Test
  void installedKernelIsInTheCache() {
    KernelImage kernel = KernelImage.installed();
    assertThat(kernel.image().toString()).endsWith("avf4j/kernels/default/vmlinuz");
    assertThat(kernel.modules().toString()).endsWith("avf4j/kernels/default/modules");
  }

  @Test
  void timelinesAreInOrderAndCopied() {
    Map<BootStage, Duration> stages =
        new java.util.HashMap<>(
            Map.of(BootStage.STOPPED, Duration.ofMillis(2), BootStage.CALLED, Duration.ZERO));
    BootTimeline timeline = new BootTimeline(stages);
    stages.clear();
    assertThat(timeline.stages().keySet()).containsExactly(BootStage.CALLED, BootStage.STOPPED);
    assertThat(timeline.at(BootStage.STOPPED)).contains(Duration.ofMillis(2));
    assertThat(timeline.at(BootStage.INIT)).isEmpty();
  }
}
