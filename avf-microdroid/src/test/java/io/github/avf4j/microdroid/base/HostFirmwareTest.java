package io.github.avf4j.microdroid.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.dice.DiceCertificate;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceChainRules;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.dice.ExplicitKeyChain;
import io.github.avf4j.attestation.dice.RkpInstance;
import io.github.avf4j.attestation.pvmfw.InstanceImage;
import io.github.avf4j.attestation.pvmfw.InstanceStorage;
import io.github.avf4j.attestation.pvmfw.NextHandover;
import io.github.avf4j.attestation.pvmfw.PvmFirmware;
import io.github.avf4j.attestation.pvmfw.PvmfwError;
import io.github.avf4j.attestation.pvmfw.PvmfwException;
import io.github.avf4j.attestation.pvmfw.RebootReason;
import io.github.avf4j.attestation.seal.DeviceSecret;
import io.github.avf4j.attestation.seal.SealingPolicy;
import io.github.avf4j.microdroid.base.HostFirmware.Instance;
import io.github.avf4j.microdroid.image.Progress;
import io.github.avf4j.microdroid.kernel.ModuleFiles;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostFirmwareTest {
  private static final ByteSlice ID = id(1);

  @TempDir Path folder;
  private StockGuest stock;
  private BaseImage image;
  private final HostFirmware firmware = device(42);

  @BeforeEach
  void setUp() throws IOException {
    stock = StockGuest.in(folder);
    image = build("base", 2);
  }

  private BaseImage build(String name, long rollbackIndex) throws IOException {
    return stock.builder().rollbackIndex(rollbackIndex).build(folder.resolve(name), Progress.NONE);
  }

  private static ByteSlice id(int value) {
    byte[] id = new byte[HostFirmware.INSTANCE_ID_SIZE];
    Arrays.fill(id, (byte) value);
    return ByteSlice.takeOver(id);
  }

  private static HostFirmware device(int value) {
    return new HostFirmware(secret(value), List.of(DevelopmentKey.publicKey()));
  }

  private static DeviceSecret secret(int value) {
    return new DeviceSecret() {
      @Override
      public String description() {
        return "test";
      }

      @Override
      public SecretBytes secret() {
        byte[] secret = new byte[SIZE];
        Arrays.fill(secret, (byte) value);
        return SecretBytes.takeOver(secret);
      }
    };
  }

  private static Instance deferred(boolean debuggable) {
    return new Instance(debuggable, ID, true, null);
  }

  private static List<DiceCertificate> chain(NextHandover next) {
    return next.handover().chain().orElseThrow().certificates();
  }

  private static byte[] seal(NextHandover next) {
    return next.handover().cdis().seal().toByteArray();
  }

  private static void assertRefused(Runnable boot, PvmfwError error, RebootReason reason) {
    assertThatThrownBy(boot::run)
        .isInstanceOfSatisfying(
            PvmfwException.class,
            e -> {
              assertThat(e.error()).isEqualTo(error);
              assertThat(e.rebootReason()).isEqualTo(reason);
            });
  }

  private void boot(Instance instance) {
    firmware.boot(image, instance).close();
  }

  @Test
  void theGuestsLayerSaysWhetherItCanBeDebugged() {
    try (NextHandover normal = firmware.boot(image, deferred(false));
        NextHandover debug = firmware.boot(image, deferred(true))) {
      assertThat(chain(normal))
          .extracting(DiceCertificate::mode)
          .containsExactly(DiceMode.NORMAL, DiceMode.DEBUG, DiceMode.NORMAL);
      assertThat(chain(debug))
          .extracting(DiceCertificate::mode)
          .containsExactly(DiceMode.NORMAL, DiceMode.DEBUG, DiceMode.DEBUG);
      assertThat(seal(normal)).isNotEqualTo(seal(debug));
      assertThat(normal.rollback().isDeferred()).isTrue();
    }
  }

  @Test
  void theHandoverIsOneThatAGuestCanRead() {
    try (NextHandover next = firmware.boot(image, deferred(false));
        var read = PvmFirmware.parseHandover(next.page().toByteArray())) {
      assertThat(read.chain().orElseThrow().encoded())
          .isEqualTo(next.handover().chain().orElseThrow().encoded());
      assertThat(PvmFirmware.isDebugChain(read)).as("the host played the firmware").isTrue();
      DiceCertificate guest = chain(next).get(2);
      assertThat(guest.config().orElseThrow().componentName()).contains("vm_entry");
      assertThat(guest.config().orElseThrow().securityVersion())
          .isEqualTo(Optional.of(BigInteger.TWO));
    }
  }

  @Test
  void theServiceVmSharesTheFirmwareAndTheSignerOfGuestsAndKnowsTheirKernel() {
    try (HostFirmware.ServiceVmLayer service = firmware.serviceVm(image);
        NextHandover normal = firmware.boot(image, deferred(false));
        NextHandover debug = firmware.boot(image, deferred(true))) {
      DiceChain own = service.handover().chain().orElseThrow();
      assertThat(own.items().subList(0, 3))
          .isEqualTo(normal.handover().chain().orElseThrow().items().subList(0, 3));
      assertThat(own.leaf().authorityHash()).isEqualTo(chain(normal).get(2).authorityHash());
      assertThat(own.leaf().mode()).as("the host plays it").isEqualTo(DiceMode.DEBUG);
      assertThat(chain(normal).get(2).codeHash()).hasValue(service.kernel().normalCodeHash());
      assertThat(chain(debug).get(2).codeHash()).hasValue(service.kernel().debugCodeHash());
      DiceChainRules rules = DiceChainRules.DEFAULT.withAnyMode(true).withDerivedIds(true);
      assertThat(own.verify(rules.withInstance(RkpInstance.AVF)).warnings()).isEmpty();
      assertThat(service.handover().cdis().seal().toByteArray()).isNotEqualTo(seal(normal));
    }
  }

  @Test
  void noServiceVmVouchesForAnImageThatIsNotTrusted() throws IOException {
    byte[] bytes = Files.readAllBytes(image.initrd(true));
    bytes[100] ^= 1;
    Files.write(image.initrd(true), bytes);
    assertRefused(
        () -> firmware.serviceVm(image).close(),
        PvmfwError.AVB_VERIFICATION,
        RebootReason.PAYLOAD_VERIFICATION_FAILED);
    Files.copy(image.initrd(false), image.initrd(true), StandardCopyOption.REPLACE_EXISTING);
    assertThatThrownBy(() -> firmware.serviceVm(image))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("mixed up");
  }

  @Test
  void secretsHangOnDeviceAndInstanceAndSurviveAnUpdate() throws IOException {
    Files.write(stock.kernel().image(), StockGuest.elf(5000));
    BaseImage updated = build("updated", 3);
    try (NextHandover first = firmware.boot(image, deferred(false));
        NextHandover again = device(42).boot(image, deferred(false));
        NextHandover later = firmware.boot(updated, deferred(false));
        NextHandover otherDevice = device(43).boot(image, deferred(false));
        NextHandover otherId = firmware.boot(image, new Instance(false, id(2), true, null))) {
      assertThat(seal(again)).isEqualTo(seal(first));
      assertThat(again.page().toByteArray()).isEqualTo(first.page().toByteArray());
      assertThat(seal(later)).isEqualTo(seal(first));
      assertThat(later.handover().cdis().attest()).isNotEqualTo(first.handover().cdis().attest());
      assertThat(seal(otherDevice)).isNotEqualTo(seal(first));
      assertThat(seal(otherId)).isNotEqualTo(seal(first));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "microdroid_kernel, 100, AVB_VERIFICATION",
    "microdroid_kernel, -64, AVB_INVALID_METADATA",
    "microdroid_initrd_normal.img, 100, AVB_VERIFICATION",
    "microdroid_initrd_normal.img, -1, AVB_VERIFICATION",
  })
  void refusesAChangedByte(String name, int at, PvmfwError error) throws IOException {
    Path file = image.folder().resolve(name);
    byte[] bytes = Files.readAllBytes(file);
    bytes[at < 0 ? bytes.length + at : at] ^= 1;
    Files.write(file, bytes);
    assertRefused(() -> boot(deferred(false)), error, RebootReason.PAYLOAD_VERIFICATION_FAILED);
  }

  @Test
  void refusesTheRamdiskOfAnotherImage() throws IOException {
    Files.write(stock.kernel().modules().resolve("fuse.ko"), modules());
    BaseImage other = build("other", 2);
    Files.copy(other.initrd(false), folder.resolve("initrd"));
    Files.delete(image.initrd(false));
    Files.move(folder.resolve("initrd"), image.initrd(false));
    assertRefused(
        () -> boot(deferred(false)),
        PvmfwError.AVB_VERIFICATION,
        RebootReason.PAYLOAD_VERIFICATION_FAILED);
  }

  private static byte[] modules() {
    return ModuleFiles.of("depends=", "name=fuse", "other=1");
  }

  @Test
  void refusesAKeyThatIsNotTrusted() {
    // A key that fits in form; nobody has the private one.
    BigInteger modulus = BigInteger.ONE.shiftLeft(4095).add(BigInteger.valueOf(12345));
    AvbPublicKey other = AvbPublicKey.of(modulus, BigInteger.valueOf(65537));
    HostFirmware strict = new HostFirmware(secret(42), List.of(other));
    assertRefused(
        () -> strict.boot(image, deferred(false)).close(),
        PvmfwError.AVB_PUBLIC_KEY_REJECTED,
        RebootReason.PAYLOAD_VERIFICATION_FAILED);
  }

  @Test
  void secretsHangOnTheKeyThatSigned() throws IOException {
    BaseImage own =
        stock
            .builder()
            .signedBy(TestKey.signer())
            .rollbackIndex(2)
            .build(folder.resolve("own"), Progress.NONE);
    BaseImage newer =
        stock
            .builder()
            .signedBy(TestKey.signer())
            .rollbackIndex(3)
            .build(folder.resolve("newer"), Progress.NONE);
    HostFirmware strict = new HostFirmware(secret(42), List.of(TestKey.publicKey()));
    try (NextHandover developed = firmware.boot(image, deferred(false));
        NextHandover first = strict.boot(own, deferred(false));
        NextHandover updated = strict.boot(newer, deferred(false))) {
      assertThat(chain(first).get(2).authorityHash()).contains(TestKey.publicKey().sha512());
      assertThat(seal(first)).isNotEqualTo(seal(developed)).isEqualTo(seal(updated));
    }
    for (Runnable boot :
        List.<Runnable>of(
            () -> strict.boot(image, deferred(false)).close(),
            () -> firmware.boot(own, deferred(false)).close(),
            () -> strict.serviceVm(image).close())) {
      assertRefused(
          boot, PvmfwError.AVB_PUBLIC_KEY_REJECTED, RebootReason.PAYLOAD_VERIFICATION_FAILED);
    }
  }

  @Test
  void theInstanceImageRefusesANewerImageOfTheSameKey() throws IOException {
    InstanceImage disk = InstanceImage.format(InstanceStorage.of(new byte[4096]));
    Instance instance = new Instance(false, ID, false, disk);
    boot(instance);
    BaseImage updated = build("updated", 3);
    assertRefused(
        () -> firmware.boot(updated, instance).close(),
        PvmfwError.INSTANCE_RECORDED_CODE_HASH_MISMATCH,
        RebootReason.INTERNAL_ERROR);
  }

  @Test
  void aGuestThatProtectsItselfNeedsARollbackIndex() throws IOException {
    BaseImage lowered = build("lowered", 0);
    assertRefused(
        () -> firmware.boot(lowered, deferred(false)).close(),
        PvmfwError.ROLLBACK_INDEX_ZERO,
        RebootReason.INVALID_PAYLOAD);
  }

  @Test
  void aLoweredRollbackIndexShowsInTheChainAndKeepersOfSecretsRefuseIt() throws IOException {
    BaseImage lowered = build("lowered", 1);
    try (NextHandover now = firmware.boot(image, deferred(false));
        NextHandover before = firmware.boot(lowered, deferred(false))) {
      assertThat(version(before)).isEqualTo(BigInteger.ONE).isLessThan(version(now));
      assertThat(before.payload().kernelDigest()).isEqualTo(now.payload().kernelDigest());
      SealingPolicy policy = SealingPolicy.forMicrodroid(now.handover().chain().orElseThrow());
      assertThat(policy.matches(explicit(now))).isTrue();
      assertThat(policy.matches(explicit(before))).isFalse();
      SealingPolicy older = SealingPolicy.forMicrodroid(before.handover().chain().orElseThrow());
      assertThat(older.matches(explicit(now))).isTrue();
    }
  }

  private static ExplicitKeyChain explicit(NextHandover next) {
    return ExplicitKeyChain.of(next.handover().chain().orElseThrow());
  }

  private static BigInteger version(NextHandover next) {
    return chain(next).get(2).config().orElseThrow().securityVersion().orElseThrow();
  }

  @Test
  void theInstanceImageRefusesOtherCode() throws IOException {
    InstanceImage disk = InstanceImage.format(InstanceStorage.of(new byte[4096]));
    Instance instance = new Instance(false, ID, false, disk);
    try (NextHandover first = firmware.boot(image, instance);
        NextHandover second = firmware.boot(image, instance)) {
      assertThat(first.isNewInstance()).isTrue();
      assertThat(second.isNewInstance()).isFalse();
      assertThat(seal(second)).isEqualTo(seal(first));
    }
    assertRefused(
        () -> boot(new Instance(true, ID, false, disk)),
        PvmfwError.INSTANCE_RECORDED_CODE_HASH_MISMATCH,
        RebootReason.INTERNAL_ERROR);
    assertRefused(
        () -> boot(new Instance(false, ID, false, null)),
        PvmfwError.INSTANCE_MISSING_IMAGE,
        RebootReason.INTERNAL_ERROR);
    assertRefused(
        () -> device(43).boot(image, instance).close(),
        PvmfwError.INSTANCE_DECRYPTION_FAILED,
        RebootReason.INTERNAL_ERROR);
  }

  @Test
  void saysWhatIsWrongWithItsArguments() throws IOException {
    assertThatThrownBy(() -> new Instance(false, ByteSlice.EMPTY, true, null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("64 bytes");
    Files.delete(image.kernel());
    assertThatThrownBy(() -> boot(deferred(false))).isInstanceOf(InvalidImageException.class);
  }
}
