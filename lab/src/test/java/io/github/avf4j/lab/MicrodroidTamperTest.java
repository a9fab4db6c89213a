package io.github.avf4j.lab;

import static io.github.avf4j.lab.Vaults.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.DataSize;
import io.github.avf4j.ErrorCode;
import io.github.avf4j.KernelImage;
import io.github.avf4j.Payload;
import io.github.avf4j.PayloadException;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import io.github.avf4j.microdroid.base.BaseImage;
import io.github.avf4j.microdroid.base.BaseImages;
import io.github.avf4j.microdroid.payload.PackOptions;
import io.github.avf4j.microdroid.payload.VmFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Changes one thing after the host has looked at it, so that what is checked later must find it.
 */
@Tag("e2e")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 400, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class MicrodroidTamperTest {
  private static final String NAME = "tampered";
  private static final int BLOCK = 4096;
  private static final int INSTANCE_BLOCK = 512;
  private static final int MEBIBYTE = 1 << 20;
  private static final String GREETING = "nobody changes this unseen";

  /** The owners of records, in the order of their text. */
  private static final byte[] MANAGER =
      bytes(0xcf, 0x9a, 0xfe, 0x9a, 0x06, 0x62, 0x11, 0xec, 0xa3, 0x29, 0xc3, 0x26, 0x63, 0xa0);

  private static final byte[] FIRMWARE =
      bytes(0x90, 0xd2, 0x17, 0x4a, 0x03, 0x8a, 0x4b, 0xc6, 0xad, 0xf3, 0x82, 0x48, 0x48, 0xfc);

  private TestMachines machines;
  private VirtualMachine vm;
  private VerifiedApk verified;
  private BaseImage base;
  private Path apk;
  private Path disk;
  private Path instance;
  private Path store;

  /** Packed, but never run. */
  private Tampering fresh;

  /** After the first boot. */
  private Tampering used;

  private Tampering image;
  private String secret = "";

  /** One place, and how to change it. */
  private interface Change {
    void make(MicrodroidTamperTest test) throws Exception;
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  @BeforeAll
  void run(@TempDir Path folder) throws Exception {
    machines = new TestMachines();
    // A base image of its own, which others do not boot: always at the same place, so that the
    // cache does not grow.
    KernelImage installed = KernelImage.installed();
    Path kernel = Path.of("target", "tampered-vmlinuz").toAbsolutePath();
    if (!Files.exists(kernel) || Files.mismatch(kernel, installed.image()) >= 0) {
      Files.write(kernel, Files.readAllBytes(installed.image()));
    }
    KernelImage own = KernelImage.of(kernel, installed.modules());
    apk = folder.resolve("lab.apk");
    verified = TestApk.write(apk, "alice", 1, GREETING);
    vm = machines.create(NAME, Vaults.config(apk).kernel(own));
    Path files = machines.files(NAME);
    ApkPayload payload = Payload.apk(apk).withConfigPath(TestApk.CONFIG);
    disk =
        new VmFolder(files)
            .pack(payload, PackOptions.DEFAULT.withEncryptedStorage(DataSize.ofMebibytes(16)))
            .payloadDisk();
    instance = files.resolve("instance.img");
    store = files.resolve("storage.img");
    fresh = new Tampering(apk, disk, instance, store);
    Vaults.start(vm);
    secret = ask(vm, "fingerprint");
    assertThat(ask(vm, "count")).isEqualTo("1");
    Vaults.quit(vm);
    used = new Tampering(apk, disk, instance, store);
    base = new BaseImages(CacheFolder.ofUser()).image(own);
    image = new Tampering(base.kernel(), base.initrd(false), base.system(), base.vbmeta());
  }

  @AfterEach
  void restore() throws IOException {
    vm.close();
    if (image != null) {
      image.restore();
    }
  }

  @AfterAll
  void close() throws IOException {
    machines.close();
  }

  private static Arguments firstBoot(String what, ErrorCode code, String word, Change change) {
    return Arguments.of("first boot: " + what, true, code, word, change);
  }

  private static Arguments laterBoot(String what, ErrorCode code, String word, Change change) {
    return Arguments.of("later boot: " + what, false, code, word, change);
  }

  static Stream<Arguments> whatTheGuestFinds() {
    return Stream.of(
        firstBoot(
            "content of the APK",
            ErrorCode.PAYLOAD_VERIFICATION_FAILED,
            "hash tree",
            test ->
                test.fresh.flip(test.disk, test.inApk(GREETING.getBytes(StandardCharsets.UTF_8)))),
        firstBoot(
            "signing block of the APK",
            ErrorCode.PAYLOAD_VERIFICATION_FAILED,
            "hash tree",
            test -> test.fresh.flip(test.disk, test.inApk("APK Sig Block 42".getBytes()) - 100)),
        firstBoot(
            "central directory of the APK",
            ErrorCode.PAYLOAD_VERIFICATION_FAILED,
            "hash tree",
            test -> test.fresh.flip(test.disk, test.inApk(bytes('P', 'K', 1, 2)) + 16)),
        firstBoot(
            "root hash of the idsig",
            ErrorCode.PAYLOAD_VERIFICATION_FAILED,
            "hash tree",
            test ->
                test.fresh.flip(test.disk, test.inIdsig(test.verified.rootHash().toByteArray()))),
        firstBoot(
            "hash tree of the idsig",
            ErrorCode.PAYLOAD_VERIFICATION_FAILED,
            "hash tree",
            test -> test.fresh.flip(test.disk, test.inIdsig(test.firstLeaf()))),
        firstBoot(
            "metadata",
            ErrorCode.UNKNOWN,
            "payload disk: metadata",
            test -> test.fresh.flip(test.disk, Tampering.start(test.disk, "payload-metadata"))),
        firstBoot(
            "configuration that the metadata name",
            ErrorCode.PAYLOAD_INVALID_CONFIG,
            "vn_config.json",
            test -> {
              long start = Tampering.start(test.disk, "payload-metadata");
              byte[] name = "vm_config".getBytes(StandardCharsets.US_ASCII);
              test.fresh.write(
                  test.disk, test.fresh.find(test.disk, name, start) + 1, new byte[] {'n'});
            }),
        firstBoot(
            "partition table",
            ErrorCode.UNKNOWN,
            "payload disk: ",
            test -> test.fresh.flip(test.disk, 2 * INSTANCE_BLOCK + 40)),
        laterBoot(
            "content of the APK beside its manifest",
            ErrorCode.PAYLOAD_VERIFICATION_FAILED,
            "hash tree",
            test ->
                test.used.flip(test.disk, test.inApk(GREETING.getBytes(StandardCharsets.UTF_8)))),
        laterBoot(
            "record of the manager",
            ErrorCode.UNKNOWN,
            "delete the VM and create it again",
            test -> test.used.flip(test.instance, test.record(MANAGER) + INSTANCE_BLOCK + 20)),
        laterBoot(
            "record of the manager, taken away",
            ErrorCode.PAYLOAD_INVALID_CONFIG,
            "Instance data not found",
            test -> test.used.write(test.instance, test.record(MANAGER), new byte[INSTANCE_BLOCK])),
        laterBoot(
            "first block of the store",
            ErrorCode.UNKNOWN,
            "delete the VM and create it again",
            test -> test.used.flip(test.store, 1024 + 56)),
        laterBoot(
            "first block of the store, wiped",
            ErrorCode.UNKNOWN,
            "neither fresh nor formatted",
            test -> test.used.write(test.store, 0, new byte[BLOCK])),
        laterBoot(
            "system",
            ErrorCode.UNKNOWN,
            "system",
            test -> test.image.flip(test.base.system(), 1024 + 8)),
        laterBoot(
            "vbmeta image of the system",
            ErrorCode.UNKNOWN,
            "another than the RAM disk's",
            test -> test.image.flip(test.base.vbmeta(), 300)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("whatTheGuestFinds")
  void theGuestRefuses(String name, boolean isFirst, ErrorCode code, String word, Change change)
      throws Exception {
    (isFirst ? fresh : used).restore();
    change.make(this);
    assertThat(Vaults.refused(vm))
        .isInstanceOfSatisfying(
            StopReason.MicrodroidError.class,
            error -> {
              assertThat(error.code()).as(error.message()).isEqualTo(code);
              assertThat(error.message()).contains(word);
            });
  }

  /** The host has looked at the same file as the guest would. */
  @Test
  void theFirmwareRefusesKernelRamDiskAndRecord() throws Exception {
    List<Change> changes =
        List.of(
            test -> test.image.flip(test.base.kernel(), MEBIBYTE),
            test -> test.image.flip(test.base.initrd(false), MEBIBYTE),
            test -> test.used.flip(test.instance, test.record(FIRMWARE) + INSTANCE_BLOCK + 20),
            // The version, which is behind the magic.
            test -> test.used.flip(test.instance, 20));
    List<Integer> codes = List.of(7, 7, 8, 8);
    for (int i = 0; i < changes.size(); i++) {
      used.restore();
      image.restore();
      changes.get(i).make(this);
      assertThat(Vaults.refused(vm)).isInstanceOf(StopReason.FirmwareRefused.class);
      assertThat(vm.awaitStopped(TestMachines.LONG).orElseThrow().avfCode())
          .as("change " + i)
          .isEqualTo(codes.get(i));
    }
    assertThat(vm.awaitStopped(TestMachines.LONG).orElseThrow().toString())
        .contains("delete the VM and create it again");
  }

  @Test
  void theHostRefusesAChangedApkAndWhatIsNoInstanceImage() throws Exception {
    used.restore();
    used.flip(apk, 5000);
    assertThatThrownBy(vm::run)
        .isInstanceOfSatisfying(
            PayloadException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.PAYLOAD_VERIFICATION_FAILED));
    used.restore();
    used.flip(instance, 0);
    assertThatThrownBy(vm::run)
        .isInstanceOfSatisfying(
            PayloadException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNKNOWN))
        .hasMessageContaining("delete the VM and create it again");
  }

  /** As in Android: they hang on the instance's id, and a wiped image is that of a first boot. */
  @Test
  void anInstanceImageThatIsWipedGivesNoOtherSecrets() throws Exception {
    used.restore();
    used.write(instance, INSTANCE_BLOCK, new byte[MEBIBYTE]);
    Vaults.start(vm);
    assertThat(ask(vm, "fingerprint")).isEqualTo(secret);
    assertThat(ask(vm, "count")).isEqualTo("2");
    Vaults.quit(vm);
  }

  private long inApk(byte[] bytes) throws IOException {
    return fresh.find(disk, bytes, Tampering.start(disk, "microdroid-apk"));
  }

  private long inIdsig(byte[] bytes) throws IOException {
    return fresh.find(disk, bytes, Tampering.start(disk, "microdroid-apk-idsig"));
  }

  /** The hash of the APK's first block. */
  private byte[] firstLeaf() throws Exception {
    byte[] block = Arrays.copyOf(Files.readAllBytes(apk), BLOCK);
    return MessageDigest.getInstance("SHA-256").digest(block);
  }

  /** The header of a record, in the instance image after the first boot. */
  private long record(byte[] owner) {
    return used.find(instance, owner, INSTANCE_BLOCK);
  }
}
