package io.github.avf4j.microdroid.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BaseImageException;
import io.github.avf4j.BaseImageException.Reason;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.image.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BaseImageVerifierTest {
  @TempDir Path folder;
  private StockGuest stock;
  private BaseImage image;
  private Path key;

  @BeforeEach
  void setUp() throws IOException {
    stock = StockGuest.in(folder);
    image = build("base");
    key = TestKey.writeBlob(folder.resolve("key.avbpubkey"));
  }

  private BaseImage build(String name) throws IOException {
    return stock
        .builder()
        .signedBy(TestKey.signer())
        .rollbackIndex(3)
        .build(folder.resolve(name), Progress.NONE);
  }

  private void assertRefused(Reason reason, String words) throws IOException {
    assertRefused(TestKey.publicKey(), reason, words);
  }

  private void assertRefused(AvbPublicKey trusted, Reason reason, String words) {
    assertThatThrownBy(() -> BaseImageVerifier.verify(BaseImage.open(image.folder()), trusted))
        .isInstanceOfSatisfying(
            BaseImageException.class, e -> assertThat(e.reason()).isEqualTo(reason))
        .hasMessageContaining(words);
  }

  private static void flip(Path file, int at) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[at < 0 ? bytes.length + at : at] ^= 1;
    Files.write(file, bytes);
  }

  private void take(String name, BaseImage other) throws IOException {
    Files.copy(
        other.folder().resolve(name),
        image.folder().resolve(name),
        StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void acceptsWhatOneKeySigned() throws IOException {
    var guest = BaseImageVerifier.verify(image, TestKey.publicKey());
    assertThat(guest.rollbackIndex()).isEqualTo(3);
    assertThat(guest.debuggable()).isFalse();
    assertThat(guest.publicKey()).isEqualTo(TestKey.publicKey());
  }

  @Test
  void trustsTheGivenKeyOnly() throws IOException {
    assertRefused(DevelopmentKey.publicKey(), Reason.WRONG_KEY, DevelopmentKey.publicKey().sha1());
    BaseImage developed = stock.builder().build(folder.resolve("developed"), Progress.NONE);
    assertThat(BaseImageVerifier.verify(developed, DevelopmentKey.publicKey()).keyIndex()).isZero();
    image = developed;
    assertRefused(Reason.WRONG_KEY, "microdroid_kernel");
  }

  @Test
  void aSystemOfAnotherSignerDoesNotHideBehindTheKernel() throws IOException {
    BaseImage developed = stock.builder().build(folder.resolve("developed"), Progress.NONE);
    take(BaseImage.VBMETA, developed);
    assertRefused(Reason.WRONG_KEY, BaseImage.VBMETA);
    take(BaseImage.VBMETA, build("again"));
    take(BaseImage.SYSTEM, developed);
    assertRefused(Reason.WRONG_KEY, BaseImage.SYSTEM);
  }

  @ParameterizedTest
  @CsvSource({
    "microdroid_kernel, 100",
    "microdroid_initrd_normal.img, 100",
    "microdroid_initrd_debuggable.img, -1",
    "microdroid_system.img, 1100",
    "microdroid_vbmeta.img, 500",
  })
  void namesTheFileThatIsNotWhatWasSigned(String name, int at) throws IOException {
    flip(image.folder().resolve(name), at);
    assertRefused(Reason.PART_MISMATCH, name);
  }

  @Test
  void filesOfTwoImagesOfOneSignerDoNotMix() throws IOException {
    Files.write(stock.runtime().folder().resolve("lib64/libm.so.6"), StockGuest.elf(7000));
    BaseImage other = build("other");
    take(BaseImage.SYSTEM, other);
    assertRefused(Reason.PART_MISMATCH, BaseImage.SYSTEM);
    take(BaseImage.VBMETA, other);
    assertRefused(Reason.PART_MISMATCH, "is not the one that microdroid_initrd_normal.img names");
    take(BaseImage.INITRD_NORMAL, other);
    assertRefused(Reason.PART_MISMATCH, BaseImage.INITRD_NORMAL);
    take(BaseImage.KERNEL, other);
    assertRefused(Reason.PART_MISMATCH, BaseImage.INITRD_DEBUGGABLE);
    take(BaseImage.INITRD_DEBUGGABLE, other);
    BaseImageVerifier.verify(image, TestKey.publicKey());
    take(BaseImage.INITRD_DEBUGGABLE, build("swapped"));
    Files.copy(image.initrd(false), image.initrd(true), StandardCopyOption.REPLACE_EXISTING);
    assertRefused(Reason.PART_MISMATCH, "the other kind of guest");
  }

  @ParameterizedTest
  @CsvSource({
    "microdroid_kernel",
    "microdroid_initrd_normal.img",
    "microdroid_initrd_debuggable.img",
    "microdroid_system.img",
    "microdroid_vbmeta.img",
    "microdroid.json"
  })
  void namesAMissingAndAnEmptyFile(String name) throws IOException {
    Files.write(image.folder().resolve(name), new byte[0]);
    assertRefused(Reason.PART_MISSING, name + " is empty");
    Files.delete(image.folder().resolve(name));
    assertRefused(Reason.PART_MISSING, name + " does not exist: make a base image");
  }

  @Test
  void opensAFolderWithAKeyFileAndNoticesChanges() throws IOException {
    BaseImages images = new BaseImages(new CacheFolder(folder.resolve("cache")));
    for (Path file : List.of(key, Files.write(folder.resolve("key.pem"), TestKey.pem()))) {
      TrustedBaseImage opened = images.open(image.folder(), Optional.of(file));
      assertThat(opened).isEqualTo(TrustedBaseImage.of(image, TestKey.publicKey()));
    }
    assertThatThrownBy(() -> images.open(image.folder(), Optional.empty()))
        .as("without a key, the development key must have signed")
        .isInstanceOfSatisfying(
            BaseImageException.class, e -> assertThat(e.reason()).isEqualTo(Reason.WRONG_KEY));
    flip(image.system(), 1100);
    assertThatThrownBy(() -> images.open(image.folder(), Optional.of(key)))
        .isInstanceOfSatisfying(
            BaseImageException.class, e -> assertThat(e.reason()).isEqualTo(Reason.PART_MISMATCH));
  }

  @Test
  void saysWhatIsWrongWithAKeyFile() throws IOException {
    BaseImages images = new BaseImages(new CacheFolder(folder.resolve("cache")));
    Path text = Files.writeString(folder.resolve("text"), "no key");
    for (Path file : List.of(text, folder.resolve("absent"), folder)) {
      assertThatThrownBy(() -> images.open(image.folder(), Optional.of(file)))
          .isInstanceOfSatisfying(
              BaseImageException.class, e -> assertThat(e.reason()).isEqualTo(Reason.KEY_FILE))
          .hasMessageContaining(file.toString());
    }
  }
}
