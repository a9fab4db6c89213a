package io.github.avf4j.lab;

import static io.github.avf4j.lab.TestMachines.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DebugLevel;
import io.github.avf4j.DiskImage;
import io.github.avf4j.KernelImage;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.MerkleLayout;
import io.github.avf4j.attestation.verity.MerkleParameters;
import io.github.avf4j.attestation.verity.MerkleTree;
import io.github.avf4j.attestation.verity.TreeSink;
import io.github.avf4j.attestation.verity.VerityHash;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.GuestImages;
import io.github.avf4j.microdroid.disk.CompositeDisk;
import io.github.avf4j.microdroid.disk.CompositeDiskBuilder;
import io.github.avf4j.microdroid.disk.WritablePartition;
import io.github.avf4j.microdroid.initrd.CpioWriter;
import io.github.avf4j.microdroid.initrd.InitrdBuilder;
import io.github.avf4j.microdroid.initrd.ModuleList;
import io.github.avf4j.microdroid.kernel.KernelModule;
import io.github.avf4j.microdroid.kernel.ModuleFolder;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the guest's userland does with a kernel: {@code guest/test-payloads/src/system}. */
@Tag("e2e")
@Timeout(value = 400, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class GuestSystemTest {
  private static final int BLOCK = 4096;
  private static final List<String> MODULES =
      List.of("loop", "dm_verity", "dm_crypt", "fuse", "erofs");
  private static final List<String> CIPHERS =
      List.of("hctr2", "adiantum", "nhpoly1305", "chacha_generic");
  private static final String OPENING = "test: opening the store";

  @TempDir Path folder;
  private TestMachines machines;
  private int runs;

  @BeforeEach
  void open() throws IOException {
    machines = new TestMachines();
  }

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  @Test
  void mountsAVerifiedPackageAndRunsItsProgramConfined() throws Exception {
    String output = run("package", DiskImage.readOnly(packageDisk(false)));
    assertThat(output)
        .contains("40550 6000 0 /mnt/apk/assets", "100550 6000", " /mnt/apk/bin/payload")
        .contains("uid=6000");
  }

  @Test
  void aChangedByteOfAVerifiedPackageIsAnInputOutputError() throws Exception {
    run("damaged", DiskImage.readOnly(packageDisk(true)));
  }

  @Test
  void keepsWhatIsStoredFromBootToBootAndFromOtherKeys() throws Exception {
    DiskImage store = freshStore();
    assertThat(run("store", store)).contains("stored count 1", "new=true", "mode=41770 gid=6000");
    assertThat(start("other-key", store))
        .contains("test: failed: cannot open the encrypted store: it is damaged or was made with");
    assertThat(run("store", store)).contains("stored count 2", "new=false");
    byte[] disk = Files.readAllBytes(store.image());
    assertThat(new String(disk, StandardCharsets.ISO_8859_1))
        .doesNotContain("UNFORMATTED-STORAGE", "avf-store", "counter");
  }

  @Test
  void aStoreSurvivesAKillAtAnyMomentOfItsFirstFormatting() throws Exception {
    Random random = new Random(4);
    for (int round = 0; round < 4; round++) {
      DiskImage store = freshStore();
      VirtualMachine vm = create("store", store);
      vm.run();
      BufferedReader console =
          new BufferedReader(
              new InputStreamReader(vm.getConsoleOutput(), StandardCharsets.ISO_8859_1));
      for (String line = console.readLine(); ; line = console.readLine()) {
        assertThat(line).as("the guest ended").isNotNull();
        if (line.contains(OPENING)) {
          break;
        }
      }
      Thread.sleep(random.nextInt(60 << round));
      vm.close(); // It may have ended by itself.
      boolean stored = console.lines().collect(Collectors.joining("\n")).contains("stored count 1");
      String output = run("store", store);
      assertThat(output).containsAnyOf("stored count 1", "stored count 2");
      if (stored) {
        assertThat(output).contains("stored count 2", "new=false");
      }
    }
  }

  @Test
  void theStoresFileSystemIsWholeAfterItHasGrown() throws Exception {
    Path fsck = Path.of("/sbin/e2fsck");
    assumeTrue(Files.isExecutable(fsck), fsck + " is not there: install e2fsprogs");
    Path disk = folder.resolve("plain.img");
    try (FileChannel file =
        FileChannel.open(disk, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.allocate(1), (700 << 20) - 1);
    }
    run("grow", DiskImage.readWrite(disk));
    Process check =
        new ProcessBuilder(fsck.toString(), "-fn", disk.toString())
            .redirectErrorStream(true)
            .start();
    String words = TestMachines.readAll(check.getInputStream());
    assertThat(check.waitFor()).as(words).isZero();
  }

  @Test
  void aConfinedProgramMayNotDoWhatNoPayloadNeeds() throws Exception {
    assertThat(run("sandbox")).contains("test: denied 36 calls");
  }

  /** Runs a test of the guest, which must pass; returns what it said. */
  private String run(String test, DiskImage... disks) throws Exception {
    String output = start(test, disks);
    assertThat(output).contains("test: passed");
    return output;
  }

  private String start(String test, DiskImage... disks) throws Exception {
    VirtualMachine vm = create(test, disks);
    vm.run();
    String output = TestMachines.readAll(vm.getConsoleOutput());
    assertThat(vm.awaitStopped(LONG)).as(output).contains(new StopReason.Shutdown());
    return output;
  }

  private VirtualMachine create(String test, DiskImage... disks) throws IOException {
    KernelImage kernel = KernelImage.installed();
    CacheFolder cache = CacheFolder.ofUser();
    CustomImageConfig image =
        CustomImageConfig.builder()
            .kernel(new GuestImages(cache).boot(kernel).kernel())
            .initrd(initrd(kernel, new InitrdBuilder(cache).build(kernel)))
            .commandLine("console=ttyS0 reboot=k panic=-1 quiet avf.test=" + test)
            .disks(List.of(disks))
            .build();
    VirtualMachineConfig.Builder config =
        VirtualMachineConfig.builder()
            .customImage(image)
            .debugLevel(DebugLevel.FULL)
            .outputCaptured(true)
            .backend(TestMachines.BACKEND);
    return machines.create(test + runs++, config);
  }

  /**
   * The initial RAM disk with the test's program as init, and the modules of {@code BaseRamdisk}:
   * of two archives the latter counts.
   */
  private Path initrd(KernelImage kernel, Path base) throws IOException {
    Path initrd = folder.resolve("initrd");
    if (!Files.exists(initrd)) {
      Path init = TestMachines.testPayload().resolveSibling("system-test");
      try (OutputStream out = Files.newOutputStream(initrd)) {
        Files.copy(base, out);
        CpioWriter cpio = new CpioWriter(out);
        cpio.directory("mnt", 0755);
        cpio.file("init", 0755, Files.readAllBytes(init));
        ModuleFolder modules = ModuleFolder.open(kernel.modules());
        List<KernelModule> more = new ArrayList<>(modules.resolve(MODULES));
        more.addAll(modules.resolveAvailable(CIPHERS));
        ModuleList.MICRODROID.write(cpio, more);
        cpio.finish();
      }
    }
    return initrd;
  }

  private DiskImage freshStore() throws IOException {
    Path store = folder.resolve("store" + runs + ".img");
    WritablePartition.ENCRYPTEDSTORE.create(store, 64 << 20);
    return DiskImage.readWrite(store);
  }

  /** A composed disk with a zip, its hash tree and its root hash, as one flat image. */
  private Path packageDisk(boolean damaged) throws IOException {
    byte[] zip = zip();
    zip = Arrays.copyOf(zip, (zip.length + BLOCK - 1) / BLOCK * BLOCK);
    MerkleParameters parameters =
        MerkleParameters.dmVerity(VerityHash.SHA256, BLOCK, BLOCK, ByteSlice.EMPTY);
    byte[] tree = new byte[Math.toIntExact(MerkleLayout.of(parameters, zip.length).treeSize())];
    ByteSlice root = MerkleTree.build(ImageSource.of(zip), parameters, TreeSink.into(tree));
    if (damaged) {
      zip[zip.length / 2] ^= 1;
    }
    CompositeDiskBuilder builder = new CompositeDiskBuilder();
    builder.partition("package", Files.write(folder.resolve("package"), zip), false);
    builder.partition("tree", Files.write(folder.resolve("tree"), tree), false);
    builder.partition("root", Files.write(folder.resolve("root"), root.toByteArray()), false);
    Path composed = folder.resolve("composed.img");
    CompositeDisk disk = builder.write(composed).descriptor();
    Path flat = folder.resolve("flat.img");
    try (FileChannel out =
        FileChannel.open(flat, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (CompositeDisk.Component component : disk.components()) {
        out.write(
            ByteBuffer.wrap(Files.readAllBytes(folder.resolve(component.path()))),
            component.offset());
      }
    }
    return flat;
  }

  private static byte[] zip() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] words = "compressed words\n".repeat(10_000).getBytes(StandardCharsets.US_ASCII);
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("assets/text"));
      zip.write(words);
      stored(zip, "assets/stored", words);
      stored(zip, "bin/payload", Files.readAllBytes(TestMachines.testPayload()));
    }
    return bytes.toByteArray();
  }

  private static void stored(ZipOutputStream zip, String name, byte[] content) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    CRC32 checksum = new CRC32();
    checksum.update(content);
    entry.setCrc(checksum.getValue());
    zip.putNextEntry(entry);
    zip.write(content);
  }
}
