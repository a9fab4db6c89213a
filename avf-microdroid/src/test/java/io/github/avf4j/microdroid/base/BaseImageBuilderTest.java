package io.github.avf4j.microdroid.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.KernelImage;
import io.github.avf4j.StoreException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.HashDescriptor;
import io.github.avf4j.attestation.avb.HashtreeDescriptor;
import io.github.avf4j.attestation.avb.ImageReport;
import io.github.avf4j.attestation.avb.ImageVerifier;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import io.github.avf4j.attestation.avb.VbmetaImage;
import io.github.avf4j.attestation.pvmfw.Capability;
import io.github.avf4j.attestation.pvmfw.PayloadVerifier;
import io.github.avf4j.attestation.pvmfw.PvmfwError;
import io.github.avf4j.attestation.pvmfw.PvmfwException;
import io.github.avf4j.attestation.pvmfw.PvmfwRevision;
import io.github.avf4j.attestation.pvmfw.VerifiedPayload;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.Foreign;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.Tool;
import io.github.avf4j.microdroid.boot.Bootconfig;
import io.github.avf4j.microdroid.erofs.ErofsImage;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.Progress;
import io.github.avf4j.microdroid.initrd.GuestBinary;
import io.github.avf4j.microdroid.initrd.InitrdBuilder;
import io.github.avf4j.microdroid.kernel.KernelModule;
import io.github.avf4j.microdroid.kernel.KernelUnpacker;
import io.github.avf4j.microdroid.kernel.ModuleFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BaseImageBuilderTest {
  private static final AvbPublicKey KEY = DevelopmentKey.publicKey();

  @TempDir Path folder;
  private StockGuest stock;

  @BeforeEach
  void setUp() throws IOException {
    stock = StockGuest.in(folder);
  }

  private BaseImage build(String name) throws IOException {
    return stock.builder().build(folder.resolve(name), Progress.NONE);
  }

  private static VerifiedPayload verify(byte[] kernel, byte[] initrd) {
    return new PayloadVerifier(List.of(KEY), PvmfwRevision.JANUARY_2025)
        .verify(ImageSource.of(kernel), ImageSource.of(initrd));
  }

  private static PvmfwError errorOf(byte[] kernel, byte[] initrd) {
    try {
      verify(kernel, initrd);
    } catch (PvmfwException e) {
      return e.error();
    }
    throw new AssertionError("was accepted");
  }

  private static byte[] flipped(byte[] bytes, int at) {
    byte[] copy = bytes.clone();
    copy[at] ^= 1;
    return copy;
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private List<String> names(Path where) throws IOException {
    try (var files = Files.list(where)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void twoBuildsAreTheSameBytes() throws IOException {
    BaseImage first = build("first");
    StockGuest again = StockGuest.in(folder.resolve("other place"));
    BaseImage second = again.builder().build(folder.resolve("second"), Progress.NONE);
    List<String> all = new ArrayList<>(BaseImage.IMAGES);
    all.add(BaseImage.DESCRIPTION);
    assertThat(names(first.folder())).containsExactlyInAnyOrderElementsOf(all);
    for (String name : all) {
      assertThat(Files.mismatch(first.folder().resolve(name), second.folder().resolve(name)))
          .as(name)
          .isEqualTo(-1);
    }
  }

  @Test
  void theFirmwareTakesTheKernelWithEitherRamdisk() throws IOException {
    BaseImage image = build("base");
    byte[] kernel = Files.readAllBytes(image.kernel());
    VerifiedPayload normal = verify(kernel, Files.readAllBytes(image.initrd(false)));
    VerifiedPayload debug = verify(kernel, Files.readAllBytes(image.initrd(true)));
    assertThat(normal.debuggable()).isFalse();
    assertThat(debug.debuggable()).isTrue();
    assertThat(normal.kernelDigest()).isEqualTo(debug.kernelDigest());
    assertThat(normal.rollbackIndex()).isEqualTo(1);
    assertThat(normal.capabilities()).containsExactly(Capability.SECRETKEEPER_PROTECTION);
    assertThat(Arrays.copyOf(kernel, 300_001)).isEqualTo(StockGuest.elf(300_001));
  }

  @Test
  void saltsAreThoseOfAndroid() throws IOException {
    BaseImage image = build("base");
    VbmetaImage vbmeta = VbmetaImage.find(ImageSource.of(Files.readAllBytes(image.kernel())));
    assertThat(vbmeta.descriptors())
        .filteredOn(HashDescriptor.class::isInstance)
        .map(HashDescriptor.class::cast)
        .extracting(HashDescriptor::partitionName, hash -> hash.salt().toHex())
        .containsExactlyInAnyOrder(
            tuple("boot", "3b4a12881d11f33cff968a24d7c53723a8232cde9a8d91e29fdbd6a95ae6adf0"),
            tuple(
                "initrd_normal",
                "8041a07d54ac82290f6d90bac1fa8d7fdbc4db974d101d60faf294749d1ebaf8"),
            tuple(
                "initrd_debug",
                "8ab9dc9cb7e6456700ff6ef18c6b4c3acc24c5fa5381b829563f8d7a415d869a"));
  }

  @Test
  void everyFlippedByteIsRefusedByName() throws IOException {
    BaseImage image = build("base");
    byte[] kernel = Files.readAllBytes(image.kernel());
    byte[] initrd = Files.readAllBytes(image.initrd(false));
    int vbmeta = (300_001 + 4095) / 4096 * 4096;
    int descriptors = vbmeta + 256 + 576;
    for (int at : new int[] {0, 150_000, 300_000, descriptors, vbmeta + 256, vbmeta + 300}) {
      assertThat(errorOf(flipped(kernel, at), initrd))
          .as("kernel byte " + at)
          .isEqualTo(PvmfwError.AVB_VERIFICATION);
    }
    for (int at : new int[] {vbmeta, kernel.length - 64}) {
      assertThat(errorOf(flipped(kernel, at), initrd))
          .as("kernel byte " + at)
          .isEqualTo(PvmfwError.AVB_INVALID_METADATA);
    }
    for (int at : new int[] {0, initrd.length / 2, initrd.length - 100, initrd.length - 1}) {
      assertThat(errorOf(kernel, flipped(initrd, at)))
          .as("ramdisk byte " + at)
          .isEqualTo(PvmfwError.AVB_VERIFICATION);
    }
    assertThat(errorOf(kernel, Arrays.copyOf(initrd, initrd.length + 1)))
        .isEqualTo(PvmfwError.AVB_VERIFICATION);
    assertThat(errorOf(kernel, Arrays.copyOf(initrd, initrd.length - 1)))
        .isEqualTo(PvmfwError.AVB_VERIFICATION);
  }

  @Test
  void theRamdisksDifferInFourLinesOnly() throws Exception {
    BaseImage image = build("base");
    Bootconfig[] both = new Bootconfig[2];
    byte[][] common = new byte[2][];
    for (int i = 0; i < 2; i++) {
      byte[] initrd = Files.readAllBytes(image.initrd(i == 1));
      assertThat(initrd.length % 4).isZero();
      both[i] = Bootconfig.find(ImageSource.of(initrd)).orElseThrow();
      // The first archive ends with the block of its trailer; the second has the same text.
      int end = text(initrd).indexOf("TRAILER!!!") + 12;
      end += -end & 3;
      common[i] = Arrays.copyOf(initrd, end);
      byte[] second = Arrays.copyOfRange(initrd, end, (int) both[i].ramdiskSize());
      byte[] file = Tool.run(folder, second, "cpio", "-i", "--to-stdout", "--quiet", "bootconfig");
      assertThat(new String(file, StandardCharsets.UTF_8)).isEqualTo(both[i].text());
    }
    assertThat(common[1]).isEqualTo(common[0]);
    Set<String> normal = new HashSet<>(both[0].text().lines().toList());
    Set<String> debug = new HashSet<>(both[1].text().lines().toList());
    Set<String> shared = new HashSet<>(normal);
    shared.retainAll(debug);
    normal.removeAll(shared);
    debug.removeAll(shared);
    assertThat(normal)
        .containsExactlyInAnyOrder(
            "androidboot.microdroid.debuggable=0",
            "kernel.printk.devkmsg=off",
            "kernel.console=ttynull",
            "androidboot.adb.enabled=0");
    assertThat(debug)
        .containsExactlyInAnyOrder(
            "androidboot.microdroid.debuggable=1",
            "kernel.printk.devkmsg=on",
            "kernel.console=hvc0",
            "androidboot.adb.enabled=1");
    assertThat(shared).contains("androidboot.hardware = microdroid", "kernel.8250.nr_uarts = 4");
  }

  @Test
  void theRamdiskHasInitModulesAndTheWayToTheSystem() throws Exception {
    byte[] initrd = Files.readAllBytes(build("base").initrd(false));
    String list = text(Tool.run(folder, initrd, "cpio", "-itv", "--quiet"));
    assertThat(list)
        .contains("init", "lib/modules/dm_verity.ko", "lib/modules/erofs.ko", "mnt/apk")
        .contains("lib64 -> system/lib64", "lib/x86_64-linux-gnu -> ../system/lib64");
    assertThat(modules(initrd, "load")).containsExactlyElementsOf(InitrdBuilder.MODULES);
    assertThat(modules(initrd, "microdroid"))
        .containsExactly("dm_mod", "dm_verity", "erofs", "fuse", "loop max_loop=1");
    // Of the ciphers, the stock kernel of this test has one.
    assertThat(modules(initrd, "store")).containsExactly("dm_crypt", "adiantum");
  }

  @Test
  void isForArm64WhereItsPartsAre() throws Exception {
    Path other = Files.createDirectories(folder.resolve("arm64"));
    BaseImage image =
        StockGuest.in(other, GuestArchitecture.AARCH64)
            .builder()
            .build(other.resolve("base"), Progress.NONE);
    byte[] system = Files.readAllBytes(image.system());
    ErofsImage files =
        ErofsImage.open(
            ImageSource.prefix(
                ImageSource.of(system), tree(VbmetaImage.find(ImageSource.of(system)))));
    assertThat(files.find("lib64/ld-linux-aarch64.so.1").orElseThrow().mode()).isEqualTo(0100755);
    byte[] launcher = GuestBinary.LAUNCHER.read(GuestArchitecture.AARCH64);
    assertThat(files.find("bin/microdroid_launcher").orElseThrow().size())
        .isEqualTo(launcher.length);
    assertThat(
            new ObjectMapper()
                .readTree(image.description().toFile())
                .at("/avf4j/architecture")
                .textValue())
        .isEqualTo("aarch64");
    byte[] initrd = Files.readAllBytes(image.initrd(false));
    assertThat(text(Tool.run(folder, initrd, "cpio", "-i", "-tv", "--quiet")))
        .contains(
            "lib/aarch64-linux-gnu -> ../system/lib64",
            "lib/ld-linux-aarch64.so.1 -> ../system/lib64/ld-linux-aarch64.so.1");
  }

  private List<String> modules(byte[] initrd, String list) throws Exception {
    byte[] lines =
        Tool.run(folder, initrd, "cpio", "-i", "--to-stdout", "--quiet", "lib/modules/" + list);
    return text(lines)
        .lines()
        .map(line -> line.replaceFirst("^/lib/modules/(\\w+)\\.ko", "$1"))
        .toList();
  }

  @Test
  void theSystemIsWhatBootconfigVouchesFor() throws Exception {
    BaseImage image = build("base");
    byte[] system = Files.readAllBytes(image.system());
    VbmetaImage footer = VbmetaImage.find(ImageSource.of(system));
    byte[] partition = Files.readAllBytes(image.vbmeta());
    VbmetaImage vbmeta = VbmetaImage.parse(ByteSlice.takeOver(partition));
    assertThat(partition).hasSize(4096);
    assertThat(vbmeta.bytes()).isEqualTo(footer.bytes());
    String bootconfig =
        Bootconfig.find(ImageSource.of(Files.readAllBytes(image.initrd(false))))
            .orElseThrow()
            .text();
    JsonNode json = new ObjectMapper().readTree(image.description().toFile()).get("avf4j");
    assertThat(bootconfig)
        .contains("androidboot.vbmeta.size = " + footer.bytes().length() + "\n")
        .contains(
            "androidboot.vbmeta.digest = \"" + json.get("vbmeta_digest").textValue() + "\"\n");

    ErofsImage files = ErofsImage.open(ImageSource.prefix(ImageSource.of(system), tree(footer)));
    assertThat(files.verify().files())
        .isEqualTo(GuestRuntime.libraryNames(GuestArchitecture.X86_64).size() + 4);
    assertThat(files.find("lib64/" + GuestArchitecture.X86_64.loader()).orElseThrow().mode())
        .isEqualTo(0100755);
    assertThat(files.find("lib64/libc.so.6").orElseThrow().mtime()).isEqualTo(1_611_569_676);
    assertThat(files.find("NOTICE/libc6")).isPresent();
    assertThat(files.find("bin/microdroid_launcher").orElseThrow().mode()).isEqualTo(0100755);
    assertThat(files.find("lib64/libvm_payload.so").orElseThrow().mode()).isEqualTo(0100644);
    assertThat(files.find("lib64/libbinder_ndk.so").orElseThrow().mode()).isEqualTo(0100644);
    assertThat(files.superblock().label()).isEqualTo("system");
  }

  private static long tree(VbmetaImage vbmeta) {
    return descriptor(vbmeta).imageSize();
  }

  private static HashtreeDescriptor descriptor(VbmetaImage vbmeta) {
    return vbmeta.descriptors().stream()
        .filter(HashtreeDescriptor.class::isInstance)
        .map(HashtreeDescriptor.class::cast)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void othersTakeTheSystemToo() throws Exception {
    Path system = build("base").system();
    Foreign.run("erofs-utils", "fsck.erofs", system);
    HashtreeDescriptor tree =
        descriptor(VbmetaImage.find(ImageSource.of(Files.readAllBytes(system))));
    Object[] verify = {
      "verify",
      "--no-superblock",
      "--hash=sha256",
      "--data-blocks=" + tree.imageSize() / 4096,
      "--hash-offset=" + tree.treeOffset(),
      "--salt=" + tree.salt().toHex(),
      system,
      system,
      tree.rootDigest().toHex()
    };
    Foreign.run("cryptsetup-bin", "veritysetup", verify);
    byte[] bytes = Files.readAllBytes(system);
    Files.write(system, flipped(bytes, 4096 * 2));
    assertThat(Foreign.tryRun("cryptsetup-bin", "veritysetup", verify).exitCode()).isNotZero();
  }

  @Test
  void everyFlippedByteOfTheSystemIsFound() throws IOException {
    BaseImage image = build("base");
    byte[] system = Files.readAllBytes(image.system());
    long data = tree(VbmetaImage.find(ImageSource.of(system)));
    long tree = descriptor(VbmetaImage.find(ImageSource.of(system))).treeSize();
    assertThat(report(image.system()).isOk()).isTrue();
    for (long at : new long[] {0, 1024, data - 1, data, data + tree, data + tree + 900}) {
      Files.write(image.system(), flipped(system, (int) at));
      assertThat(report(image.system()).isOk()).as("byte " + at).isFalse();
    }
    Files.write(image.system(), system);
    byte[] vbmeta = Files.readAllBytes(image.vbmeta());
    assertThat(report(image.vbmeta(), image).isOk()).isTrue();
    for (int at : new int[] {0, 256, 300, 900}) {
      Files.write(image.vbmeta(), flipped(vbmeta, at));
      assertThat(report(image.vbmeta(), image).isOk()).as("byte " + at).isFalse();
    }
  }

  private static ImageReport report(Path file) throws IOException {
    return new ImageVerifier().expectedKey(KEY).verify(file);
  }

  private static ImageReport report(Path file, BaseImage image) throws IOException {
    return new ImageVerifier().expectedKey(KEY).partition("system", image.system()).verify(file);
  }

  @Test
  void theDescriptionNamesWhatIsThere() throws IOException {
    BaseImage image = build("base");
    JsonNode json = new ObjectMapper().readTree(image.description().toFile());
    assertThat(json.get("kernel").textValue()).isEqualTo("microdroid_kernel");
    JsonNode ours = json.get("avf4j");
    assertThat(ours.get("development_key").booleanValue()).isTrue();
    assertThat(ours.get("rollback_index").longValue()).isEqualTo(1);
    assertThat(ours.get("files")).hasSize(5);
    for (JsonNode file : ours.get("files")) {
      byte[] content = Files.readAllBytes(image.folder().resolve(file.get("name").textValue()));
      assertThat(file.get("size").longValue()).isEqualTo(content.length);
      assertThat(file.get("sha256").textValue()).isEqualTo(CacheFolder.nameOf(content));
    }
  }

  private static AvbSigner signer(int bits) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(bits);
    String key =
        Base64.getMimeEncoder(64, new byte[] {'\n'})
            .encodeToString(generator.generateKeyPair().getPrivate().getEncoded());
    String pem = "-----BEGIN PRIVATE KEY-----\n" + key + "\n-----END PRIVATE KEY-----\n";
    return RsaKeyFile.signer(pem.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void aKeyOfTheUserSignsEverything() throws Exception {
    AvbSigner own = signer(4096);
    BaseImage image =
        stock.builder().signedBy(own).rollbackIndex(7).build(folder.resolve("base"), Progress.NONE);
    byte[] kernel = Files.readAllBytes(image.kernel());
    byte[] initrd = Files.readAllBytes(image.initrd(false));
    assertThat(errorOf(kernel, initrd)).isEqualTo(PvmfwError.AVB_PUBLIC_KEY_REJECTED);
    VerifiedPayload payload =
        new PayloadVerifier(List.of(KEY, own.publicKey()), PvmfwRevision.MARCH_2025)
            .verify(ImageSource.of(kernel), ImageSource.of(initrd));
    assertThat(payload.rollbackIndex()).isEqualTo(7);
    assertThat(report(image.system()).isOk()).isFalse();
    assertThat(new ImageVerifier().expectedKey(own.publicKey()).verify(image.system()).isOk())
        .isTrue();
    assertThat(Files.readString(image.description())).contains("\"development_key\": false");
  }

  @Test
  void aKeyOfAnotherSizeIsRefused() throws Exception {
    AvbSigner small = signer(2048);
    assertThatThrownBy(
            () -> stock.builder().signedBy(small).build(folder.resolve("base"), Progress.NONE))
        .isInstanceOfSatisfying(
            AvbException.class, e -> assertThat(e.kind()).isEqualTo(AvbException.Kind.KEY))
        .hasMessageContaining("4096");
    assertThat(folder.resolve("base")).doesNotExist();
  }

  @Test
  void whatFailsLeavesTheOldImageAlone() throws IOException {
    BaseImage old = build("base");
    byte[] before = Files.readAllBytes(old.kernel());
    List<String> around = names(folder);

    Path broken = Files.writeString(folder.resolve("vmlinux"), "no kernel ".repeat(1000));
    assertThatThrownBy(() -> build("base"))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("is no kernel");
    Files.write(broken, StockGuest.elf(4000));
    Files.writeString(stock.runtime().folder().resolve("lib64/libm.so.6"), "no library");
    assertThatThrownBy(() -> build("base"))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("libm.so.6")
        .hasMessageContaining("bin/setup");
    Files.delete(stock.runtime().folder().resolve("lib64/libc.so.6"));
    assertThatThrownBy(() -> build("base")).hasMessageContaining("libc.so.6 does not exist");
    Files.delete(stock.kernel().modules().resolve("erofs.ko"));
    assertThatThrownBy(() -> build("base")).hasMessageContaining("module erofs,");

    assertThat(names(folder)).isEqualTo(around);
    assertThat(Files.readAllBytes(old.kernel())).isEqualTo(before);
  }

  @Test
  void aMissingKernelIsNamed() {
    KernelImage none = KernelImage.of(folder.resolve("none"), stock.kernel().modules());
    assertThatThrownBy(
            () ->
                new BaseImageBuilder(none, stock.runtime())
                    .build(folder.resolve("base"), Progress.NONE))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("none does not exist");
  }

  @Test
  void replacesAnImageButNothingElse() throws IOException {
    BaseImage first = build("base");
    Files.write(stock.kernel().image(), StockGuest.elf(5000));
    List<String> around = names(folder);
    BaseImage second = build("base");
    assertThat(second).isEqualTo(first);
    assertThat(Files.readAllBytes(second.kernel())).startsWith(StockGuest.elf(5000));
    assertThat(names(folder)).isEqualTo(around);

    Files.writeString(second.folder().resolve("thesis.txt"), "years of work");
    assertThatThrownBy(() -> build("base"))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("thesis.txt");
    assertThat(second.folder().resolve("thesis.txt")).exists();
  }

  @Test
  void addsFilesToTheSystem() throws IOException {
    Path launcher = Files.write(folder.resolve("launcher"), StockGuest.elf(123));
    BaseImage image =
        stock
            .builder()
            .addToSystem("bin/microdroid_launcher", launcher, true)
            .build(folder.resolve("base"), Progress.NONE);
    ErofsImage files = ErofsImage.open(ImageSource.of(Files.readAllBytes(image.system())));
    assertThat(files.find("bin/microdroid_launcher").orElseThrow().mode()).isEqualTo(0100755);
    for (String path : new String[] {"/bin/a", "bin/../a", "..", "", "bin//a", "bin/"}) {
      assertThatThrownBy(() -> stock.builder().addToSystem(path, launcher, true))
          .as(path)
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(
            () ->
                stock
                    .builder()
                    .addToSystem("lib64/libc.so.6", launcher, false)
                    .build(folder.resolve("again"), Progress.NONE))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("already");
  }

  @Test
  void tellsHowFarItIs() throws IOException {
    List<Long> done = new ArrayList<>();
    List<Long> totals = new ArrayList<>();
    stock
        .builder()
        .build(
            folder.resolve("base"),
            (at, total) -> {
              done.add(at);
              totals.add(total);
            });
    assertThat(done).isSorted().isNotEmpty();
    assertThat(totals).containsOnly(done.get(done.size() - 1));
  }

  @Test
  void theInstalledKernelUnpacksAsIfItHadNoFooter() throws IOException {
    KernelImage installed = KernelImage.installed();
    assumeTrue(
        Files.exists(installed.image()) && Files.exists(GuestRuntime.installed().folder()),
        "needs what bin/setup fetches");
    BaseImage image =
        new BaseImageBuilder(installed, GuestRuntime.installed())
            .build(folder.resolve("base"), Progress.NONE);
    KernelUnpacker unpacker = new KernelUnpacker(new CacheFolder(folder.resolve("cache")));
    assertThat(unpacker.unpack(image.kernel()))
        .hasSameBinaryContentAs(unpacker.unpack(installed.image()));
    for (boolean debuggable : new boolean[] {false, true}) {
      VerifiedPayload payload =
          verify(Files.readAllBytes(image.kernel()), Files.readAllBytes(image.initrd(debuggable)));
      assertThat(payload.debuggable()).isEqualTo(debuggable);
    }
    long modules = 0;
    for (KernelModule module :
        ModuleFolder.open(installed.modules()).resolve(InitrdBuilder.MODULES)) {
      modules += module.content().length;
    }
    assertThat(Files.size(image.initrd(false)) - modules).isLessThan(4 << 20);
  }

  @Test
  void opensOnlyWhatIsComplete() throws IOException {
    BaseImage image = build("base");
    assertThat(BaseImage.open(folder.resolve("base"))).isEqualTo(image);
    Files.delete(image.vbmeta());
    assertThatThrownBy(() -> BaseImage.open(image.folder()))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("microdroid_vbmeta.img does not exist")
        .hasMessageContaining("avf microdroid build");
    assertThatThrownBy(() -> BaseImage.open(folder.resolve("none")))
        .isInstanceOf(InvalidImageException.class);
  }
}
