package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.CpuTopology;
import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DataSize;
import io.github.avf4j.DebugLevel;
import io.github.avf4j.DiskImage;
import io.github.avf4j.Firmware;
import io.github.avf4j.JavaPayload;
import io.github.avf4j.KernelImage;
import io.github.avf4j.Payload;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.StoreException;
import io.github.avf4j.VirtualMachineConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigJsonTest {
  private static final Path FILE = Path.of("/store/vm/a/config.json");

  private static VirtualMachineConfig minimal() {
    return VirtualMachineConfig.builder().payload(Payload.executable(Path.of("/p"))).build();
  }

  private static VirtualMachineConfig roundTrip(VirtualMachineConfig config) {
    return ConfigJson.read(FILE, ConfigJson.write(config));
  }

  private static VirtualMachineConfig read(String json) {
    return ConfigJson.read(FILE, json.getBytes(StandardCharsets.UTF_8));
  }

  private static String json(VirtualMachineConfig config) {
    return new String(ConfigJson.write(config), StandardCharsets.UTF_8);
  }

  @Test
  void keepsAMinimalConfiguration() {
    assertThat(roundTrip(minimal())).isEqualTo(minimal());
    assertThat(json(minimal())).doesNotContain("kernel");
  }

  @Test
  void keepsAMaximalConfiguration() {
    VirtualMachineConfig config =
        VirtualMachineConfig.builder()
            .payload(
                Payload.executable(Path.of("/p ä"))
                    .withArguments("", "a b", "\"")
                    .withEnvironment("A", "1")
                    .withEnvironment("B", ""))
            .kernel(KernelImage.of(Path.of("/k"), Path.of("/m")))
            .memory(DataSize.ofMebibytes(1000))
            .cpuTopology(CpuTopology.of(8))
            .debugLevel(DebugLevel.FULL)
            .outputCaptured(true)
            .consoleInputSupported(true)
            .bootTimeout(Duration.ofMillis(1500))
            .backend("kvm")
            .build();
    assertThat(roundTrip(config)).isEqualTo(config);
  }

  @Test
  void keepsJavaPayloads() {
    JavaPayload least = Payload.javaClass("a.B$C", Path.of("/x ä.jar"));
    JavaPayload most =
        least
            .withClassPath(Path.of("/folder"))
            .withArguments("", "a b", "ä")
            .withModules("java.sql")
            .withSigningKey(Path.of("/key.pem"), Path.of("/certificate.pem"));
    for (JavaPayload payload : new JavaPayload[] {least, most}) {
      VirtualMachineConfig config =
          VirtualMachineConfig.builder()
              .payload(payload)
              .encryptedStorage(DataSize.ofMebibytes(8))
              .updatable(true)
              .build();
      assertThat(roundTrip(config)).isEqualTo(config);
    }
    for (boolean updatable : new boolean[] {false, true}) {
      VirtualMachineConfig config =
          VirtualMachineConfig.builder().payload(least).updatable(updatable).build();
      assertThat(roundTrip(config).updatable()).isEqualTo(updatable);
    }
    assertThat(VirtualMachineConfig.builder().payload(least).build().updatable()).isTrue();
    String two = json(VirtualMachineConfig.builder().payload(least).build());
    assertThatThrownBy(() -> read(two.replace("\"mainClass\"", "\"apk\": \"/a\", \"mainClass\"")))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("something else");
  }

  @Test
  void keepsApkPayloads() {
    for (ApkPayload payload :
        new ApkPayload[] {
          Payload.apk(Path.of("/p ä.apk"))
              .withBinaryName("libx.so")
              .withExtraApk(Path.of("/q.apk"))
              .withExtraApk(Path.of("/p ä.apk")),
          Payload.apk(Path.of("/p.apk"))
              .withConfigPath("assets/vm_config.json")
              .withExtraApk(Path.of("/q.apk"))
              .withApex("com.example.b", Path.of("/b ä.apex"))
              .withApex("com.example.a", Path.of("/a.apex"))
        }) {
      VirtualMachineConfig config = VirtualMachineConfig.builder().payload(payload).build();
      assertThat(roundTrip(config)).isEqualTo(config);
      assertThat(json(config)).doesNotContain("executable");
    }
  }

  @Test
  void keepsTheBaseImageAndItsKey() {
    VirtualMachineConfig.Builder builder =
        VirtualMachineConfig.builder()
            .payload(Payload.apk(Path.of("/p.apk")).withBinaryName("libx.so"))
            .baseImage(Path.of("/base ä"));
    assertThat(roundTrip(builder.build())).isEqualTo(builder.build());
    VirtualMachineConfig config = builder.baseImageKey(Path.of("/key.pem")).build();
    assertThat(roundTrip(config)).isEqualTo(config);
    assertThat(json(config)).contains("\"baseImageKey\" : \"/key.pem\"");
  }

  @Test
  void refusesAPayloadOfTwoKinds() {
    VirtualMachineConfig config =
        VirtualMachineConfig.builder()
            .payload(Payload.apk(Path.of("/p.apk")).withBinaryName("libx.so"))
            .build();
    assertThatThrownBy(
            () -> read(json(config).replace("\"binaryName\"", "\"executable\" : \"/p\", \"b\"")))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("both an APK and an executable");
    assertThatThrownBy(() -> read(json(config).replace("\"binaryName\"", "\"b\"")))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("needs withBinaryName() or withConfigPath()");
  }

  @Test
  void keepsACustomImage() {
    VirtualMachineConfig config =
        VirtualMachineConfig.builder()
            .customImage(
                CustomImageConfig.builder()
                    .kernel(Path.of("/k"))
                    .initrd(Path.of("/i"))
                    .commandLine("a b")
                    .addDisk(DiskImage.readOnly(Path.of("/one")))
                    .addDisk(DiskImage.readWrite(Path.of("/two")))
                    .build())
            .build();
    assertThat(roundTrip(config)).isEqualTo(config);
  }

  @Test
  void keepsThatACustomImageHasNoCommandLineOrAnEmptyOne() {
    CustomImageConfig.Builder image = CustomImageConfig.builder().kernel(Path.of("/k"));
    for (CustomImageConfig each : List.of(image.build(), image.commandLine("").build())) {
      VirtualMachineConfig config = VirtualMachineConfig.builder().customImage(each).build();
      assertThat(roundTrip(config)).isEqualTo(config);
    }
  }

  @Test
  void keepsTheFirmware() {
    for (Firmware firmware :
        List.of(
            Firmware.pvmfw(),
            Firmware.pvmfw(Path.of("/k.pem")),
            Firmware.image(Path.of("/firmware")))) {
      VirtualMachineConfig config =
          VirtualMachineConfig.builder()
              .customImage(
                  CustomImageConfig.builder().kernel(Path.of("/k")).firmware(firmware).build())
              .protectionLevel(ProtectionLevel.HARDWARE)
              .build();
      assertThat(roundTrip(config)).isEqualTo(config);
    }
  }

  @Test
  void refusesANewerVersion() {
    assertThatThrownBy(() -> read(json(minimal()).replace("\"version\" : 1", "\"version\" : 2")))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("newer version of avf4j (format 2, this one knows 1)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"memoryBytes\" : 268435456 | \"memoryBytes\" : 4097 | memory must be at least",
        "\"vcpus\" : 1               | \"vcpus\" : 9          | vcpus must be in 1..8 but was 9",
        "\"debugLevel\" : \"NONE\"   | \"debugLevel\" : \"X\" | DebugLevel.X",
        "\"vcpus\" : 1,              | ''                     | it has no field vcpus",
        "PT1M                        | soon                   | is no duration",
        "\"version\" : 1,            | ''                     | it has no version",
      })
  void refusesWhatTheBuilderRefuses(String from, String to, String why) {
    String json = json(minimal()).replace(from, to);
    assertThat(json).isNotEqualTo(json(minimal()));
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("/store/vm/a/config.json is no valid configuration")
        .hasMessageContaining(why);
  }

  @Test
  void refusesWhatIsNoJson() {
    for (String text : new String[] {"", "{", "[]", "null", "\"x\"", "{}"}) {
      assertThatThrownBy(() -> read(text)).as(text).isInstanceOf(StoreException.class);
    }
  }
}
