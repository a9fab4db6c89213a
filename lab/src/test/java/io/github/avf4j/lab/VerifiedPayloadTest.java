package io.github.avf4j.lab;

import static io.github.avf4j.lab.TestMachines.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.DataSize;
import io.github.avf4j.DebugLevel;
import io.github.avf4j.ErrorCode;
import io.github.avf4j.Payload;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.apk.ApkWriter;
import io.github.avf4j.microdroid.apk.SigningKey;
import io.github.avf4j.microdroid.disk.Partition;
import io.github.avf4j.microdroid.disk.PartitionTable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A signed library in a guest: what it gets, and what the guest itself refuses. */
@Tag("e2e")
@Timeout(value = 400, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class VerifiedPayloadTest {
  private static final String APK = "payload.apk";
  private static final String LIBRARY = "libpayload.so";

  /** The payload disk as the guest sees it; the host makes it of files that it has verified. */
  private static final String DISK = "payload-flat.img";

  @TempDir Path folder;
  private TestMachines machines;

  @BeforeEach
  void open() throws IOException {
    machines = new TestMachines();
  }

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  @Test
  void aLibraryRunsWithoutRightsAndKeepsItsSecretAndItsStore() throws Exception {
    VirtualMachine vm = create("signer", true);
    String first = run(vm);
    assertThat(first)
        .contains("uid=6000 gid=6000", "new=1", "text=words", "count=1")
        .contains("mount=Operation not permitted");
    String second = run(vm);
    assertThat(second).contains("new=0", "count=2", secret(first));
    assertThat(vm.getPayloadExitCode()).contains(7);
  }

  @Test
  void thePackageOfAnotherSignerIsNotTheInstancesPayload() throws Exception {
    VirtualMachine vm = create("signer", false);
    run(vm);
    Path apk = folder.resolve(APK);
    // Signing it again would make another package: no two signatures are the same.
    Path original = Files.copy(apk, folder.resolve("original.apk"));
    writeApk("other");
    assertThat(refusal(vm).code()).isEqualTo(ErrorCode.PAYLOAD_CHANGED);
    Files.move(original, apk, StandardCopyOption.REPLACE_EXISTING);
    assertThat(run(vm)).contains("new=0");
  }

  @Test
  void theGuestFindsWhatWasChangedAfterTheHostHadLooked() throws Exception {
    VirtualMachine vm = create("signer", false);
    String first = run(vm);
    Path disk = machines.file(vm, DISK);
    ErrorCode broken = ErrorCode.PAYLOAD_VERIFICATION_FAILED;
    assertThat(flipped(vm, disk, "microdroid-apk", 0)).isEqualTo(broken);
    assertThat(flipped(vm, disk, "microdroid-apk", 9000)).isEqualTo(broken);
    // In the idsig: the version, the root hash, the APK's digest, the tree.
    assertThat(flipped(vm, disk, "microdroid-apk-idsig", 0)).isEqualTo(broken);
    assertThat(flipped(vm, disk, "microdroid-apk-idsig", 21)).isEqualTo(broken);
    assertThat(flipped(vm, disk, "microdroid-apk-idsig", 60)).isEqualTo(broken);
    assertThat(flipped(vm, disk, "microdroid-apk-idsig", 150)).isEqualTo(broken);
    // AVF has no code for metadata that cannot be read.
    assertThat(flipped(vm, disk, "payload-metadata", 0)).isEqualTo(ErrorCode.UNKNOWN);
    assertThat(run(vm)).contains(secret(first));
  }

  @Test
  void aTakenRecordOfTheInstanceIsMissed() throws Exception {
    VirtualMachine vm = create("signer", false);
    run(vm);
    Path image = machines.file(vm, "instance.img");
    byte[] bytes = Files.readAllBytes(image);
    // The manager's record; the firmware's, before it, still says that the instance is not new.
    int at = indexOf(bytes, new byte[] {(byte) 0xcf, (byte) 0x9a, (byte) 0xfe, (byte) 0x9a});
    bytes[at + 600] ^= 1;
    Files.write(image, bytes);
    assertThat(refusal(vm).message()).contains("made anew");
    Arrays.fill(bytes, at, at + 16, (byte) 0);
    Files.write(image, bytes);
    StopReason.MicrodroidError missing = refusal(vm);
    assertThat(missing.code()).isEqualTo(ErrorCode.PAYLOAD_INVALID_CONFIG);
    assertThat(missing.message()).contains("Instance data not found.");
  }

  private static int indexOf(byte[] bytes, byte[] part) {
    int at = 0;
    while (!ByteBuffer.wrap(bytes, at, part.length).equals(ByteBuffer.wrap(part))) {
      at++;
    }
    return at;
  }

  private VirtualMachine create(String signer, boolean storage) throws Exception {
    VirtualMachineConfig.Builder config =
        VirtualMachineConfig.builder()
            .payload(Payload.apk(writeApk(signer)).withBinaryName(LIBRARY))
            .debugLevel(DebugLevel.FULL)
            .outputCaptured(true)
            .bootTimeout(LONG)
            .backend(TestMachines.BACKEND);
    return machines.create(
        "verified", storage ? config.encryptedStorage(DataSize.ofMebibytes(32)) : config);
  }

  private Path writeApk(String signer) throws Exception {
    Path apk = folder.resolve(APK);
    Files.deleteIfExists(apk);
    new ApkWriter("com.example.payload")
        .add("lib/x86_64/" + LIBRARY, library())
        .add("assets/text", "words".getBytes(StandardCharsets.US_ASCII))
        .writeSigned(
            apk, SigningKey.ofPem(resource(signer + ".key.pem"), resource(signer + ".cert.pem")));
    return apk;
  }

  /** Compiles the library once; the guest's own, which it links with, is what Maven has built. */
  private Path library() throws Exception {
    Path library = folder.resolve(LIBRARY);
    if (Files.exists(library)) {
      return library;
    }
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/cc")), "needs a C compiler, /usr/bin/cc");
    Path source = Files.write(folder.resolve("payload.c"), resource("payload.c"));
    Path guest = TestMachines.guestFolder();
    Process compiler =
        new ProcessBuilder(
                "/usr/bin/cc",
                "-std=gnu11",
                "-Wall",
                "-Werror",
                "-fPIC",
                "-shared",
                "-I" + guest.resolve("vm-payload/include"),
                "-o",
                library.toString(),
                source.toString(),
                guest
                    .resolveSibling("target")
                    .resolve("cargo-dynamic/x86_64-unknown-linux-gnu/release/libvm_payload.so")
                    .toString())
            .redirectErrorStream(true)
            .start();
    String words = TestMachines.readAll(compiler.getInputStream());
    assertThat(compiler.waitFor()).as(words).isZero();
    return library;
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = VerifiedPayloadTest.class.getResourceAsStream(name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    }
  }

  /** Runs the payload to its end; returns what it said. */
  private static String run(VirtualMachine vm) throws Exception {
    vm.run();
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
    return TestMachines.readAll(vm.getLogOutput());
  }

  private static StopReason.MicrodroidError refusal(VirtualMachine vm) throws Exception {
    vm.run();
    StopReason reason = vm.awaitStopped(LONG).orElseThrow();
    assertThat(reason).isInstanceOf(StopReason.MicrodroidError.class);
    return (StopReason.MicrodroidError) reason;
  }

  private static String secret(String output) {
    return output.lines().filter(line -> line.startsWith("secret=")).findFirst().orElseThrow();
  }

  /** What the guest says when a byte of a partition is another; the byte is put back then. */
  private static ErrorCode flipped(VirtualMachine vm, Path disk, String label, long at)
      throws Exception {
    long position = partition(disk, label).start() + at;
    flip(disk, position);
    try {
      return refusal(vm).code();
    } finally {
      flip(disk, position);
    }
  }

  private static Partition partition(Path disk, String label) throws IOException {
    try (FileChannel file = FileChannel.open(disk)) {
      return PartitionTable.read(ImageSource.of(file)).partitions().stream()
          .filter(partition -> partition.label().equals(label))
          .findFirst()
          .orElseThrow();
    }
  }

  /** Changes a byte so that the host takes the file for the one that it has made. */
  private static void flip(Path disk, long position) throws IOException {
    FileTime time = Files.getLastModifiedTime(disk);
    try (FileChannel file =
        FileChannel.open(disk, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      assertThat(file.read(one, position)).isEqualTo(1);
      one.put(0, (byte) (one.get(0) ^ 1)).flip();
      file.write(one, position);
    }
    Files.setLastModifiedTime(disk, time);
  }
}
