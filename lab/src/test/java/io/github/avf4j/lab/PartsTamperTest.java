package io.github.avf4j.lab;

import static io.github.avf4j.lab.Vaults.ask;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.ErrorCode;
import io.github.avf4j.Payload;
import io.github.avf4j.PayloadException;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.microdroid.apex.VerifiedApex;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import io.github.avf4j.microdroid.payload.PackOptions;
import io.github.avf4j.microdroid.payload.VmFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Optional;
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

/** As {@link MicrodroidTamperTest}, of extra APKs and APEXes. */
@Tag("e2e")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 400, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class PartsTamperTest {
  private static final String NAME = "tampered-parts";
  private static final int BLOCK = 4096;

  /** The time at which an EROFS image was built, which no reader minds. */
  private static final int BUILD_TIME = 1024 + 24;

  /** Behind the size and the inverse that an AVB key begins with. */
  private static final int IN_MODULUS = 128;

  private static final byte[] DATA = "nobody changes this unseen".getBytes(UTF_8);
  private static final byte[] SIGNING_BLOCK = "APK Sig Block 42".getBytes(UTF_8);
  private static final byte[] MANIFEST = "AndroidManifest".getBytes(UTF_8);

  private TestMachines machines;
  private VirtualMachine vm;
  private VerifiedApk verifiedExtra;
  private VerifiedApex verifiedModule;
  private Path extra;
  private Path module;
  private Path disk;

  /** Packed, but never run. */
  private Tampering fresh;

  /** After the first boot. */
  private Tampering used;

  /** One place, and how to change it. */
  private interface Change {
    void make(PartsTamperTest test) throws Exception;
  }

  @BeforeAll
  void run(@TempDir Path folder) throws Exception {
    machines = new TestMachines();
    Path apk = folder.resolve("lab.apk");
    TestApk.write(apk, "alice", 1, "");
    extra = folder.resolve("extra.apk");
    verifiedExtra = TestApk.writeData(extra, "alice", "one", new String(DATA, UTF_8));
    Path second = folder.resolve("second.apk");
    TestApk.writeData(second, "mallory", "two", new String(DATA, UTF_8));
    module = folder.resolve("module.apex");
    verifiedModule = TestModule.write(module, "anyone", "");
    ApkPayload payload =
        Payload.apk(apk)
            .withConfigPath(TestApk.CONFIG_WITH_PARTS)
            .withExtraApk(extra)
            .withExtraApk(second)
            .withApex(TestModule.NAME, module);
    vm =
        machines.create(
            NAME, Vaults.config(apk).encryptedStorage(Optional.empty()).payload(payload));
    Path files = machines.files(NAME);
    disk = new VmFolder(files).pack(payload, PackOptions.DEFAULT).payloadDisk();
    Path instance = files.resolve("instance.img");
    fresh = new Tampering(extra, module, disk, instance);
    Vaults.start(vm);
    Vaults.quit(vm);
    used = new Tampering(extra, module, disk, instance);
  }

  @AfterEach
  void stop() {
    vm.close();
  }

  @AfterAll
  void close() throws IOException {
    machines.close();
  }

  private static Arguments firstBoot(String what, String word, Change change) {
    return Arguments.of(
        "first boot: " + what, true, ErrorCode.PAYLOAD_VERIFICATION_FAILED, word, change);
  }

  private static Arguments laterBoot(String what, ErrorCode code, String word, Change change) {
    return Arguments.of("later boot: " + what, false, code, word, change);
  }

  static Stream<Arguments> whatTheGuestFinds() {
    return Stream.of(
        firstBoot(
            "content of an extra APK",
            "extra-apk-0: it is not what its hash tree says",
            test -> test.flipIn("extra-apk-0", DATA, 0)),
        firstBoot(
            "signing block of the second extra APK",
            "extra-apk-1: it is not what its hash tree says",
            test -> test.flipIn("extra-apk-1", SIGNING_BLOCK, -100)),
        firstBoot(
            "root hash of an extra idsig",
            "extra-apk-0: it is not what its hash tree says",
            test -> test.flipIn("extra-idsig-0", test.verifiedExtra.rootHash().toByteArray(), 0)),
        firstBoot(
            "hash tree of an extra idsig",
            "extra-apk-0: it is not what its hash tree says",
            test -> test.flipIn("extra-idsig-0", test.firstLeaf(), 0)),
        firstBoot(
            "digest of the APK in an extra idsig",
            "extra-apk-0: the idsig is for another APK",
            test ->
                test.flipIn("extra-idsig-0", test.verifiedExtra.contentDigest().toByteArray(), 0)),
        firstBoot(
            "file system of an APEX",
            "its content is not what its hash tree says",
            test -> test.flipInModule(BUILD_TIME)),
        firstBoot(
            "hash tree of an APEX",
            "its content is not what its hash tree says",
            test -> test.flipInModule(test.verifiedModule.hashtree().treeOffset())),
        firstBoot(
            "vbmeta image of an APEX",
            "APEX \"" + TestModule.NAME + "\": ",
            test ->
                test.flipIn(
                    "microdroid-apex-0", test.verifiedModule.rootDigest().toByteArray(), 0)),
        firstBoot(
            "public key of an APEX",
            "APEX \"" + TestModule.NAME + "\": ",
            test ->
                test.flipIn(
                    "microdroid-apex-0",
                    test.verifiedModule.publicKey().blob().toByteArray(),
                    IN_MODULUS)),
        laterBoot(
            "manifest of an extra APK",
            ErrorCode.PAYLOAD_VERIFICATION_FAILED,
            "extra-apk-0: it is not what its hash tree says",
            test -> test.flipIn("extra-apk-0", MANIFEST, 0)),
        laterBoot(
            "order of the extra APKs",
            ErrorCode.PAYLOAD_CHANGED,
            "Extra APKs have changed.",
            PartsTamperTest::exchangeExtraApks));
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

  @Test
  void theHostRefusesEachOfThem() throws Exception {
    long payload = verifiedModule.payloadOffset();
    used.restore();
    assertTheHostRefuses(extra, used.find(extra, DATA, 0), "the APK " + extra + " is refused");
    for (long at :
        new long[] {
          payload + BUILD_TIME,
          payload + verifiedModule.hashtree().treeOffset(),
          used.find(module, verifiedModule.rootDigest().toByteArray(), 0),
          used.find(module, verifiedModule.publicKey().blob().toByteArray(), 0) + IN_MODULUS
        }) {
      assertTheHostRefuses(
          module, at, "the APEX " + TestModule.NAME + " of the file " + module + " is refused");
    }
    Vaults.start(vm);
    assertThat(ask(vm, "greeting")).isEmpty();
    Vaults.quit(vm);
  }

  private void assertTheHostRefuses(Path file, long position, String message) throws IOException {
    used.flip(file, position);
    assertThatThrownBy(vm::run)
        .isInstanceOfSatisfying(
            PayloadException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.PAYLOAD_VERIFICATION_FAILED))
        .hasMessageContaining(message);
    used.restore();
  }

  private void flipIn(String partition, byte[] bytes, long offset) throws IOException {
    fresh.flip(disk, fresh.find(disk, bytes, Tampering.start(disk, partition)) + offset);
  }

  private void flipInModule(long offset) throws IOException {
    long start = Tampering.start(disk, "microdroid-apex-0");
    fresh.flip(disk, start + verifiedModule.payloadOffset() + offset);
  }

  /** The hash of the extra APK's first block. */
  private byte[] firstLeaf() throws Exception {
    byte[] block = Arrays.copyOf(Files.readAllBytes(extra), BLOCK);
    return MessageDigest.getInstance("SHA-256").digest(block);
  }

  /** Both are good, and each has its idsig. */
  private void exchangeExtraApks() throws IOException {
    long first = Tampering.start(disk, "extra-apk-0");
    long second = Tampering.start(disk, "extra-apk-1");
    assertThat(Tampering.start(disk, "extra-idsig-1") - second)
        .isEqualTo(Tampering.start(disk, "extra-idsig-0") - first);
    byte[] all = Files.readAllBytes(disk);
    int length = (int) (second - first);
    used.write(disk, first, Arrays.copyOfRange(all, (int) second, (int) second + length));
    used.write(disk, second, Arrays.copyOfRange(all, (int) first, (int) second));
  }
}
