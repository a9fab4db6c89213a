package io.github.avf4j.microdroid.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.DataSize;
import io.github.avf4j.ErrorCode;
import io.github.avf4j.Payload;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import io.github.avf4j.microdroid.Foreign;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.apex.ApexManifest;
import io.github.avf4j.microdroid.apex.ApexWriter;
import io.github.avf4j.microdroid.apk.ApkError;
import io.github.avf4j.microdroid.apk.ApkException;
import io.github.avf4j.microdroid.apk.ApkWriter;
import io.github.avf4j.microdroid.apk.TestKeys;
import io.github.avf4j.microdroid.apk.Vectors;
import io.github.avf4j.microdroid.disk.DiskImage;
import io.github.avf4j.microdroid.disk.Partition;
import io.github.avf4j.microdroid.disk.PartitionTable;
import io.github.avf4j.microdroid.disk.PayloadMetadata;
import io.github.avf4j.microdroid.disk.RawWriter;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The APKs are the vectors: what is made of them is compared with Android's own idsig files. */
class VmFolderTest {
  private static final PackOptions STORAGE =
      PackOptions.DEFAULT.withEncryptedStorage(DataSize.ofBytes(100_000));

  @TempDir Path temporary;
  private Path folder;
  private Path apk;
  private ApkPayload payload;

  @BeforeEach
  void makeFolder() throws IOException {
    folder = Files.createDirectory(temporary.resolve("vm"));
    apk = apk("a.apk", "small-ec.apk");
    payload = Payload.apk(apk).withBinaryName("libpayload.so");
  }

  private Path apk(String name, String vector) throws IOException {
    return Files.write(temporary.resolve(name), Vectors.bytes(vector));
  }

  private PackedVm pack() {
    return pack(payload, PackOptions.DEFAULT);
  }

  private PackedVm pack(ApkPayload payload, PackOptions options) {
    return new VmFolder(folder).pack(payload, options);
  }

  private PackException refused(ApkPayload payload, PackOptions options, PackError error) {
    try {
      pack(payload, options);
    } catch (PackException e) {
      assertThat(e.error()).as(e.getMessage()).isEqualTo(error);
      return e;
    }
    throw new AssertionError("packing should fail with " + error);
  }

  private PackException refused(PackError error) {
    return refused(payload, PackOptions.DEFAULT, error);
  }

  /** All files with what tells a new file from an old one. */
  private Map<String, String> files() throws IOException {
    Map<String, String> all = new TreeMap<>();
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
        all.put(
            file.getFileName().toString(),
            now.fileKey() + " " + now.size() + " " + now.lastModifiedTime());
      }
    }
    return all;
  }

  @Test
  void makesWhatAGuestLooksFor() throws Exception {
    PackedVm made = pack(payload, STORAGE);
    assertThat(files().keySet())
        .containsExactlyInAnyOrder(
            "idsig",
            "instance.img",
            "instance_id",
            "payload-flat.img",
            "payload-flat.made",
            "payload-footer.img",
            "payload-header.img",
            "payload-metadata.img",
            "payload.img",
            "storage.img",
            "zero.img");
    assertThat(folder.resolve("idsig"))
        .hasBinaryContent(Vectors.bytes("small-ec.apk.unsigned.idsig"));
    assertThat(made.newInstance()).isTrue();
    assertThat(made.instanceImage()).hasSize(10 << 20);
    assertThat(made.encryptedStore().orElseThrow()).hasSize(102_400);
    assertThat(made.apk().manifest().packageName()).isEqualTo("com.example.avf.sample");
    assertThat(folder.resolve("instance_id"))
        .hasBinaryContent(made.instanceId().toByteArray())
        .hasSize(64);
    assertThat(Files.getPosixFilePermissions(folder.resolve("instance_id")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    try (DiskImage disk = DiskImage.open(made.payloadDisk())) {
      List<Partition> partitions = PartitionTable.read(disk).partitions();
      assertThat(partitions)
          .extracting(Partition::label)
          .containsExactly("payload-metadata", "microdroid-apk", "microdroid-apk-idsig");
      byte[] content = disk.readRange(partitions.get(1).start(), (int) partitions.get(1).size());
      assertThat(content).isEqualTo(Vectors.bytes("small-ec.apk"));
      PayloadMetadata metadata =
          PayloadMetadata.read(DiskImage.open(folder.resolve("payload-metadata.img")));
      assertThat(metadata.task()).contains(new PayloadMetadata.Binary("libpayload.so", 0));
    }
  }

  @Test
  void makesADiskThatToolsAccept() throws Exception {
    Path raw = temporary.resolve("raw.img");
    try (DiskImage disk = DiskImage.open(pack().payloadDisk())) {
      RawWriter.write(disk, raw, Progress.NONE);
    }
    assertThat(Foreign.run("fdisk", "sfdisk", "--verify", raw)).contains("No errors detected");
  }

  @Test
  void ordersApexesAsAvfDoesAndThenExtraApks() throws Exception {
    Path apex = Files.write(temporary.resolve("x.apex"), new byte[5000]);
    PackOptions options =
        PackOptions.DEFAULT.withApexes(
            List.of(
                new PackOptions.Apex("b", apex, 1, 7, true),
                new PackOptions.Apex("a", apex, 2, 1, false),
                new PackOptions.Apex("a", apex, 1, 3, false),
                new PackOptions.Apex("a", apex, 1, 2, false)));
    Path big = apk("b.apk", "big-rsa4096.apk");
    PackedVm made = pack(payload.withExtraApk(big).withExtraApk(apk), options);
    assertThat(made.extraApks())
        .extracting(extra -> extra.manifest().versionCode())
        .doesNotHaveDuplicates();
    try (DiskImage disk = DiskImage.open(made.payloadDisk())) {
      assertThat(PartitionTable.read(disk).partitions())
          .extracting(Partition::label)
          .containsExactly(
              "payload-metadata",
              "microdroid-apex-0",
              "microdroid-apex-1",
              "microdroid-apex-2",
              "microdroid-apex-3",
              "microdroid-apk",
              "microdroid-apk-idsig",
              "extra-apk-0",
              "extra-idsig-0",
              "extra-apk-1",
              "extra-idsig-1");
      PayloadMetadata metadata =
          PayloadMetadata.read(DiskImage.open(folder.resolve("payload-metadata.img")));
      assertThat(metadata.apexes())
          .extracting(one -> one.name() + one.lastUpdateSeconds() + one.factory())
          .containsExactly("a2false", "a3false", "a1false", "b7true");
      assertThat(metadata.task()).contains(new PayloadMetadata.Binary("libpayload.so", 2));
    }
    assertThat(folder.resolve("extra_idsig_0"))
        .hasBinaryContent(Vectors.bytes("big-rsa4096.apk.unsigned.idsig"));
    pack(payload.withExtraApk(apk), PackOptions.DEFAULT);
    assertThat(folder.resolve("extra_idsig_0"))
        .hasBinaryContent(Vectors.bytes("small-ec.apk.unsigned.idsig"));
    assertThat(folder.resolve("extra_idsig_1")).doesNotExist();
  }

  @Test
  void leavesAloneWhatIsRight() throws Exception {
    PackedVm first = pack(payload, STORAGE);
    Map<String, String> before = files();
    PackedVm second = pack(payload, STORAGE);
    assertThat(files()).isEqualTo(before);
    assertThat(second.newInstance()).isTrue();
    assertThat(second.instanceId()).isEqualTo(first.instanceId());
    useInstance();
    assertThat(pack(payload, STORAGE).newInstance()).isFalse();
  }

  @Test
  void makesTheFlatDiskAnewWhenItIsNotTheOneThatWasMade() throws Exception {
    Path flat = pack().payloadDisk();
    byte[] right = Files.readAllBytes(flat);
    Files.write(flat, new byte[right.length]);
    assertThat(pack().payloadDisk()).hasBinaryContent(right);
    Files.delete(flat);
    assertThat(pack().payloadDisk()).hasBinaryContent(right);
    Files.write(flat, new byte[right.length]);
    Files.delete(folder.resolve("payload-flat.made"));
    assertThat(pack().payloadDisk()).hasBinaryContent(right);
  }

  @Test
  void followsAChangedApkButKeepsTheInstance() throws Exception {
    PackedVm first = pack();
    Map<String, String> before = files();
    apk("a.apk", "big-rsa4096.apk");
    PackedVm second = pack();
    assertThat(folder.resolve("idsig"))
        .hasBinaryContent(Vectors.bytes("big-rsa4096.apk.unsigned.idsig"));
    assertThat(second.instanceId()).isEqualTo(first.instanceId());
    assertThat(second.apk().rootHash()).isNotEqualTo(first.apk().rootHash());
    assertThat(files().get("payload.img")).isNotEqualTo(before.get("payload.img"));
    assertThat(files().get("instance.img")).isEqualTo(before.get("instance.img"));
    try (DiskImage disk = DiskImage.open(second.payloadDisk())) {
      Partition partition = PartitionTable.read(disk).partitions().get(1);
      byte[] expected = Vectors.bytes("big-rsa4096.apk");
      assertThat(disk.readRange(partition.start(), expected.length)).isEqualTo(expected);
    }
  }

  @Test
  void runsAConfigurationOfTheApk() throws Exception {
    pack(Payload.apk(apk).withConfigPath("assets/vm_config.json"), PackOptions.DEFAULT);
    PayloadMetadata metadata =
        PayloadMetadata.read(DiskImage.open(folder.resolve("payload-metadata.img")));
    assertThat(metadata.task())
        .contains(new PayloadMetadata.ConfigPath("/mnt/apk/assets/vm_config.json"));
  }

  @Test
  void namesTheLibrariesThatAreThere() {
    PackException e =
        refused(payload.withBinaryName("libx.so"), PackOptions.DEFAULT, PackError.BINARY);
    assertThat(e)
        .hasMessageContaining("a.apk has no lib/x86_64/libx.so")
        .hasMessageContaining(
            "its native libraries are lib/arm64-v8a/libpayload.so, lib/x86_64/libpayload.so");
    assertThat(e.error().code()).isEqualTo(ErrorCode.PAYLOAD_INVALID_CONFIG);
    assertThat(folder.resolve("payload.img")).doesNotExist();
    assertThat(folder.resolve("instance_id")).doesNotExist();
    pack(payload, PackOptions.DEFAULT.withArchitecture(GuestArchitecture.AARCH64));
  }

  @Test
  void namesTheConfigurationsThatAreThere() {
    assertThat(
            refused(
                Payload.apk(apk).withConfigPath("assets/other.json"),
                PackOptions.DEFAULT,
                PackError.CONFIG))
        .hasMessageContaining("has no assets/other.json; its JSON files are assets/vm_config.json");
  }

  private ApkPayload configured(String config) throws IOException {
    Path made = temporary.resolve("configured.apk");
    new ApkWriter("com.example.configured")
        .add("assets/vm_config.json", config.getBytes(StandardCharsets.UTF_8))
        .add("assets/large.json", new byte[(1 << 20) + 1])
        .writeSigned(made, TestKeys.of("secp256r1"));
    return Payload.apk(made).withConfigPath("assets/vm_config.json");
  }

  private Path module(String name) throws IOException {
    Path content = Files.createDirectories(temporary.resolve("module"));
    Files.writeString(content.resolve("file"), "content of the module");
    Path apex = temporary.resolve(name + ".apex");
    try (InputStream in = getClass().getResourceAsStream("/vectors/avb/testkey_rsa2048.pem")) {
      new ApexWriter(ApexManifest.of(name, 3), RsaKeyFile.signer(in.readAllBytes()))
          .write(content, apex, Progress.NONE);
    }
    return apex;
  }

  @Test
  void takesWhatTheConfigurationNames() throws Exception {
    ApkPayload asked =
        configured(
            """
            {"task": {"type": "microdroid_launcher", "command": "libx.so"},
             "hugepages": true,
             "extra_apks": [{"path": "/elsewhere/one.apk"}],
             "apexes": [{"name": "com.example.b"}, {"name": "com.example.a"}]}
            """);
    ApkPayload given =
        asked
            .withExtraApk(apk)
            .withApex("com.example.b", module("com.example.b"))
            .withApex("com.example.a", module("com.example.a"));
    PackedVm made = pack(given, PackOptions.DEFAULT);
    assertThat(made.extraApks()).hasSize(1);
    assertThat(made.hugepages()).isTrue();
    assertThat(pack().hugepages()).isFalse();
    pack(given, PackOptions.DEFAULT);
    try (DiskImage disk = DiskImage.open(made.payloadDisk())) {
      List<Partition> partitions = PartitionTable.read(disk).partitions();
      assertThat(partitions)
          .extracting(Partition::label)
          .containsExactly(
              "payload-metadata",
              "microdroid-apex-0",
              "microdroid-apex-1",
              "microdroid-apk",
              "microdroid-apk-idsig",
              "extra-apk-0",
              "extra-idsig-0");
      byte[] first = Files.readAllBytes(temporary.resolve("com.example.a.apex"));
      assertThat(disk.readRange(partitions.get(1).start(), first.length)).isEqualTo(first);
    }
    PayloadMetadata metadata =
        PayloadMetadata.read(DiskImage.open(folder.resolve("payload-metadata.img")));
    assertThat(metadata.apexes())
        .containsExactly(
            PayloadMetadata.Apex.of("com.example.a", "microdroid-apex-0", 0, false),
            PayloadMetadata.Apex.of("com.example.b", "microdroid-apex-1", 0, false));
    assertThat(refused(asked, PackOptions.DEFAULT, PackError.CONFIG))
        .hasMessageContaining("names 1 (/elsewhere/one.apk) but 0 were given");
  }

  @Test
  void refusesAConfigurationThatCannotBeHonouredOrIsTooLong() throws Exception {
    ApkPayload asked =
        configured("{\"os\": {\"name\": \"other\"}, \"task\": {\"command\": \"/x\"}}");
    assertThat(refused(asked, PackOptions.DEFAULT, PackError.CONFIG))
        .hasMessageContaining("\"os.name\" must be empty or \"microdroid\" but is \"other\"");
    assertThat(
            refused(
                asked.withConfigPath("assets/large.json"), PackOptions.DEFAULT, PackError.CONFIG))
        .hasMessageContaining("assets/large.json has more than 1048576 bytes");
    assertThat(folder.resolve("payload.img")).doesNotExist();
  }

  @Test
  void anApkWhoseConfigurationWasChangedIsRefusedForThat() throws Exception {
    ApkPayload asked = configured("{\"task\": {\"command\": \"/right\"}}");
    byte[] bytes = Files.readAllBytes(asked.apk());
    int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("/right");
    assertThat(at).isPositive();
    bytes[at + 1] ^= 1;
    Files.write(asked.apk(), bytes);
    assertThat(refused(asked, PackOptions.DEFAULT, PackError.APK))
        .hasMessageContaining("(CONTENT_DIGEST)");
  }

  @Test
  void refusesAnApexThatWasChangedOrIsAnotherModule() throws Exception {
    Path apex = module("com.example.a");
    ApkPayload named = payload.withApex("com.example.a", apex);
    pack(named, PackOptions.DEFAULT);
    PackException e =
        refused(payload.withApex("com.example.b", apex), PackOptions.DEFAULT, PackError.APEX);
    assertThat(e).hasMessageContaining("its manifest names com.example.a: give it by that name");
    assertThat(e.error().code()).isEqualTo(ErrorCode.PAYLOAD_VERIFICATION_FAILED);
    byte[] bytes = Files.readAllBytes(apex);
    int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("content of the module");
    bytes[at] ^= 1;
    Files.write(apex, bytes);
    assertThat(refused(named, PackOptions.DEFAULT, PackError.APEX))
        .hasMessageContaining("com.example.a.apex is refused (HASH_TREE)");
    Path empty = Files.createFile(temporary.resolve("empty.apex"));
    assertThat(refused(payload.withApex("e", empty), PackOptions.DEFAULT, PackError.FILE))
        .hasMessageContaining("APEX e");
  }

  @Test
  void refusesAnApkThatWasChanged() throws Exception {
    pack();
    Map<String, String> before = files();
    byte[] changed = Vectors.bytes("small-ec.apk");
    changed[5000] ^= 1;
    Files.write(apk, changed);
    PackException e = refused(PackError.APK);
    assertThat(e).hasMessageContaining("a.apk is refused (CONTENT_DIGEST)");
    assertThat(e.error().code()).isEqualTo(ErrorCode.PAYLOAD_VERIFICATION_FAILED);
    assertThat(e.getCause())
        .isInstanceOfSatisfying(
            ApkException.class,
            cause -> assertThat(cause.error()).isEqualTo(ApkError.CONTENT_DIGEST));
    assertThat(files()).isEqualTo(before);
  }

  @Test
  void refusesAnApkThatIsTouchedWhileItIsPacked() throws Exception {
    pack();
    AtomicBoolean done = new AtomicBoolean();
    CountDownLatch begun = new CountDownLatch(1);
    Thread toucher =
        new Thread(
            () -> {
              try {
                for (long time = 1; !done.get(); time++) {
                  Files.setLastModifiedTime(apk, FileTime.fromMillis(time));
                  begun.countDown();
                }
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    toucher.start();
    try {
      assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(refused(PackError.CHANGED)).hasMessageContaining("was changed while it was read");
    } finally {
      done.set(true);
      toucher.join(60_000);
    }
    assertThat(folder.resolve("payload.img")).doesNotExist();
    pack();
  }

  @Test
  void refusesFilesThatAreNone() throws Exception {
    assertThat(
            refused(
                Payload.apk(temporary.resolve("none")).withBinaryName("libpayload.so"),
                PackOptions.DEFAULT,
                PackError.FILE))
        .hasMessageContaining("does not exist");
    assertThat(refused(payload.withExtraApk(temporary), PackOptions.DEFAULT, PackError.FILE))
        .hasMessageContaining("must be a regular file");
    Path empty = Files.createFile(temporary.resolve("e.apex"));
    assertThat(
            refused(
                payload,
                PackOptions.DEFAULT.withApexes(
                    List.of(new PackOptions.Apex("e", empty, 1, 0, false))),
                PackError.FILE))
        .hasMessageContaining("APEX e")
        .hasMessageContaining("is empty");
    Path inside = Files.write(folder.resolve("idsig"), Vectors.bytes("small-ec.apk"));
    assertThat(
            refused(
                Payload.apk(inside).withBinaryName("libpayload.so"),
                PackOptions.DEFAULT,
                PackError.FILE))
        .hasMessageContaining("must not be in the VM's own folder");
    assertThat(inside).hasBinaryContent(Vectors.bytes("small-ec.apk"));
  }

  @Test
  void refusesMoreThanADiskHolds() throws Exception {
    Path apex = Files.write(temporary.resolve("x.apex"), new byte[1]);
    PackOptions options =
        PackOptions.DEFAULT.withApexes(
            Collections.nCopies(126, new PackOptions.Apex("a", apex, 1, 0, false)));
    PackException e = refused(payload, options, PackError.DISK);
    assertThat(e).hasMessageContaining("at most 128 partitions");
    assertThat(e.getCause()).isInstanceOf(ImageException.class);
    assertThat(folder.resolve("payload.img")).doesNotExist();
  }

  @Test
  void refusesAPayloadThatDoesNotSayWhatRuns() {
    assertThatThrownBy(() -> pack(Payload.apk(apk), PackOptions.DEFAULT))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void removesWhatAKilledProcessLeftAndNothingElse() throws Exception {
    List<String> left =
        List.of(
            ".payload.img.0123456789ab.part",
            ".payload-header.img.0123456789ab.part",
            ".instance_id.0123456789ab.part",
            "idsig.0123456789abcdef.new",
            "extra_idsig_3.0123456789abcdef.new",
            "extra_idsig_0");
    List<String> foreign = List.of("config.json", ".other.img.0123456789ab.part", "notes.new");
    for (String name : left) {
      Files.createFile(folder.resolve(name));
    }
    for (String name : foreign) {
      Files.createFile(folder.resolve(name));
    }
    pack();
    assertThat(files().keySet()).doesNotContainAnyElementsOf(left).containsAll(foreign);
  }

  @Test
  void saysWhatToDoWhenThereIsNoFolder() {
    PackException e = null;
    try {
      new VmFolder(temporary.resolve("none")).pack(payload, PackOptions.DEFAULT);
    } catch (PackException thrown) {
      e = thrown;
    }
    assertThat(e).isNotNull().hasMessageContaining("make room, and check the permissions");
    assertThat(e.error()).isEqualTo(PackError.FOLDER);
  }

  /** What is in the first page of an instance image after a guest has used it. */
  private void useInstance() throws IOException {
    byte[] image = Files.readAllBytes(folder.resolve("instance.img"));
    Arrays.fill(image, 512, 528, (byte) 7);
    Files.write(folder.resolve("instance.img"), image);
  }

  @Test
  void neverMakesASecondInstanceWhereOneWasUsed() throws Exception {
    pack(payload, STORAGE);
    useInstance();
    Files.delete(folder.resolve("instance_id"));
    Map<String, String> before = files();
    assertThat(refused(payload, STORAGE, PackError.INSTANCE))
        .hasMessageContaining("instance.img was used by an instance whose file instance_id is")
        .hasMessageContaining("other secrets");
    assertThat(files()).isEqualTo(before);
  }

  @Test
  void neverMakesASecondStoreWhereOneWasFormatted() throws Exception {
    pack(payload, STORAGE);
    Files.delete(folder.resolve("instance_id"));
    Files.write(folder.resolve("storage.img"), new byte[102_400]);
    assertThat(refused(payload, STORAGE, PackError.INSTANCE)).hasMessageContaining("storage.img");
  }

  @Test
  void finishesAnInstanceThatWasBegun() throws Exception {
    PackedVm first = pack(payload, STORAGE);
    Files.delete(folder.resolve("instance_id"));
    PackedVm second = pack(payload, STORAGE);
    assertThat(second.newInstance()).isTrue();
    assertThat(second.instanceId()).isNotEqualTo(first.instanceId());
    Files.delete(folder.resolve("instance_id"));
    Files.delete(folder.resolve("instance.img"));
    assertThat(pack().encryptedStore()).isEmpty();
    assertThat(folder.resolve("storage.img")).doesNotExist();
  }

  @FunctionalInterface
  private interface Damage {
    void to(Path folder) throws IOException;
  }

  @Test
  void refusesAnInstanceThatIsNotWhole() throws Exception {
    Map<String, Damage> all =
        Map.of(
            "instance.img is missing", vm -> Files.delete(vm.resolve("instance.img")),
            "storage.img is missing", vm -> Files.delete(vm.resolve("storage.img")),
            "instance.img has 7 bytes instead of 10485760",
                vm -> Files.write(vm.resolve("instance.img"), new byte[7]),
            "instance.img does not begin as an instance image",
                vm -> Files.write(vm.resolve("instance.img"), new byte[10 << 20]),
            "storage.img has 4096 bytes instead of 102400",
                vm -> Files.write(vm.resolve("storage.img"), new byte[4096]),
            "instance_id has 63 bytes instead of 64",
                vm -> Files.write(vm.resolve("instance_id"), new byte[63]),
            "instance_id does not have 64 random bytes",
                vm -> Files.write(vm.resolve("instance_id"), new byte[64]),
            "instance_id is missing or no regular file",
                vm -> {
                  Files.move(vm.resolve("instance_id"), vm.resolve("moved"));
                  Files.createSymbolicLink(vm.resolve("instance_id"), Path.of("moved"));
                });
    for (Map.Entry<String, Damage> one : all.entrySet()) {
      folder = Files.createTempDirectory(temporary, "damaged");
      pack(payload, STORAGE);
      one.getValue().to(folder);
      Map<String, String> before = files();
      assertThat(refused(payload, STORAGE, PackError.INSTANCE))
          .hasMessageContaining(one.getKey())
          .hasMessageContaining("create it again");
      assertThat(files()).as(one.getKey()).isEqualTo(before);
    }
  }
}
