package io.github.avf4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class VirtualMachineConfigTest {
  private static VirtualMachineConfig.Builder payload() {
    return VirtualMachineConfig.builder().payload(Payload.executable(Path.of("p")));
  }

  private static void assertRefused(
      UnaryOperator<VirtualMachineConfig.Builder> change, String message) {
    assertThatThrownBy(() -> change.apply(payload()).build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(message);
  }

  @Test
  void hasDefaults() {
    VirtualMachineConfig config = payload().build();
    assertThat(config.memory()).isEqualTo(DataSize.ofMebibytes(256));
    assertThat(config.cpuTopology()).isEqualTo(CpuTopology.oneCpu());
    assertThat(config.debugLevel()).isEqualTo(DebugLevel.NONE);
    assertThat(config.outputCaptured()).isFalse();
    assertThat(config.consoleInputSupported()).isFalse();
    assertThat(config.protectionLevel()).isEqualTo(ProtectionLevel.NONE);
    assertThat(config.bootTimeout()).isEqualTo(Duration.ofSeconds(60));
    assertThat(config.backend()).isEmpty();
    assertThat(config.kernel()).isEqualTo(KernelImage.installed());
  }

  @Test
  void isAValue() {
    assertThat(payload().memory(DataSize.ofGibibytes(1)).build())
        .isEqualTo(payload().memory(DataSize.parse("1G")).build())
        .isNotEqualTo(payload().build());
  }

  @Test
  void hasEitherPayloadOrCustomImage() {
    CustomImageConfig image = CustomImageConfig.builder().kernel(Path.of("k")).build();
    assertRefused(
        builder -> builder.customImage(image),
        "either a payload or a custom image must be given, not both");
    assertThatThrownBy(() -> VirtualMachineConfig.builder().build())
        .hasMessage("either a payload or a custom image must be given, not none of them");
  }

  @Test
  void refusesMemoryThatNoMachineCanHave() {
    assertRefused(
        builder -> builder.memory(DataSize.ofMebibytes(1)),
        "memory must be at least 2 MiB but was 1 MiB");
    assertRefused(
        builder -> builder.memory(DataSize.ofBytes((4 << 20) + 1)),
        "memory must be a multiple of 4096 bytes but was 4194305 bytes");
  }

  @Test
  void outputNeedsDebugLevelFull() {
    assertRefused(
        builder -> builder.outputCaptured(true),
        "outputCaptured needs debugLevel FULL but it was NONE");
    assertRefused(
        builder -> builder.consoleInputSupported(true),
        "consoleInputSupported needs debugLevel FULL but it was NONE");
    assertThat(payload().debugLevel(DebugLevel.FULL).outputCaptured(true).build().outputCaptured())
        .isTrue();
  }

  @Test
  void encryptedStorageNeedsAnApk() {
    assertRefused(
        builder -> builder.encryptedStorage(DataSize.ofMebibytes(8)),
        "encryptedStorage needs an APK payload, whose secrets encrypt it, but was 8 MiB");
  }

  @Test
  void aBaseImageNeedsAnApkAndBringsItsKernel() {
    Path base = Path.of("base");
    assertRefused(
        builder -> builder.baseImage(base), "baseImage needs an APK payload, but was base");
    VirtualMachineConfig.Builder apk =
        VirtualMachineConfig.builder()
            .payload(Payload.apk(Path.of("p.apk")).withBinaryName("libx.so"));
    assertThatThrownBy(() -> apk.baseImageKey(Path.of("key.pem")).build())
        .hasMessage("baseImageKey needs a baseImage that it signed, but was key.pem");
    assertThat(apk.baseImage(base).build().baseImageKey()).contains(Path.of("key.pem"));
    assertThatThrownBy(() -> apk.kernel(KernelImage.of(Path.of("/k"), Path.of("/m"))).build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "baseImage base has a kernel of its own, so that there must be no other, but there was"
                + " /k");
  }

  @Test
  void bootTimeoutIsPositive() {
    assertRefused(
        builder -> builder.bootTimeout(Duration.ZERO), "bootTimeout must be positive but was PT0S");
  }

  @Test
  void customImagesAreChecked() {
    CustomImageConfig.Builder image = CustomImageConfig.builder().kernel(Path.of("k"));
    assertThat(image.build().commandLine()).as("the guest's processor decides").isEmpty();
    assertThat(image.commandLine("").build().commandLine()).contains("");
    for (String line : new String[] {"x".repeat(2048), "ä", "a\0b"}) {
      assertThatThrownBy(() -> image.commandLine(line).build())
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(
              "commandLine must be at most 2047 bytes of ASCII without NUL but was \""
                  + line
                  + '"');
    }
    CustomImageConfig.Builder disks = CustomImageConfig.builder().kernel(Path.of("k"));
    for (int i = 0; i < 9; i++) {
      disks.addDisk(DiskImage.readOnly(Path.of("d" + i)));
    }
    assertThatThrownBy(disks::build).hasMessage("disks must be at most 8 but were 9");
  }

  @Test
  void anApkPayloadSaysOnceWhatRuns() {
    ApkPayload apk = Payload.apk(Path.of("p.apk"));
    assertRefused(
        builder -> builder.payload(apk),
        "the APK payload " + apk.apk() + " needs withBinaryName() or withConfigPath()");
    assertRefused(
        builder -> builder.payload(apk.withBinaryName("libx.so").withConfigPath("assets/c.json")),
        "an APK payload must have either a binary name or a config path but has both, libx.so and"
            + " assets/c.json");
    assertThat(payload().payload(apk.withBinaryName("libx.so")).build().payload())
        .contains(apk.withBinaryName("libx.so"));
  }

  @Test
  void anApkPayloadHasItsPartsInOrder() {
    ApkPayload payload =
        Payload.apk(Path.of("p.apk"))
            .withConfigPath("assets/c.json")
            .withExtraApk(Path.of("b.apk"))
            .withExtraApk(Path.of("a.apk"))
            .withApex("com.example.two", Path.of("2.apex"))
            .withApex("com.example.one", Path.of("1.apex"));
    assertThat(payload.extraApks())
        .containsExactly(Path.of("b.apk").toAbsolutePath(), Path.of("a.apk").toAbsolutePath());
    assertThat(payload.apexes())
        .containsExactly(
            new ApkPayload.Apex("com.example.two", Path.of("2.apex").toAbsolutePath()),
            new ApkPayload.Apex("com.example.one", Path.of("1.apex").toAbsolutePath()));
    assertThat(payload)
        .isNotEqualTo(Payload.apk(Path.of("p.apk")).withConfigPath("assets/c.json"))
        .isNotEqualTo(payload.withApex("x", Path.of("x")));
    assertThat(payload().payload(payload).build().payload()).contains(payload);
  }

  @Test
  void refusesApexesThatNoGuestCanActivate() {
    ApkPayload payload = Payload.apk(Path.of("p.apk")).withApex("com.example", Path.of("x"));
    assertThatThrownBy(() -> payload.withApex("com.example", Path.of("y")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("there are two APEXes com.example: give each once");
    for (String name : new String[] {"", "../x", ".x", "a/b", "a b", "x".repeat(201)}) {
      assertThatThrownBy(() -> payload.withApex(name, Path.of("y")))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("but was \"" + name + '"');
    }
  }
}
