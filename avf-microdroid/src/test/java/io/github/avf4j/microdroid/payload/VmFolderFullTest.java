package io.github.avf4j.microdroid.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.DataSize;
import io.github.avf4j.Payload;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.apk.Vectors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Packs on disks that become full at every page. */
class VmFolderFullTest {
  private static final PackOptions OPTIONS =
      PackOptions.DEFAULT.withEncryptedStorage(DataSize.ofBytes(102_400));
  private static final int MAX_PAGES = 100;

  @TempDir Path temporary;
  private Path mount;
  private boolean mounted;

  @BeforeEach
  void makeMountPoint() throws Exception {
    mount = Files.createDirectory(temporary.resolve("small"));
  }

  @AfterEach
  void unmount() throws Exception {
    if (mounted) {
      run("umount", mount.toString());
    }
  }

  private static int run(String... command) throws Exception {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    return process.waitFor(30, TimeUnit.SECONDS) ? process.exitValue() : -1;
  }

  private void resize(String size) throws Exception {
    assertThat(run("mount", "-o", "remount,size=" + size, mount.toString())).isZero();
  }

  private static Optional<ByteSlice> id(Path folder) throws Exception {
    Path file = folder.resolve("instance_id");
    return Files.exists(file)
        ? Optional.of(ByteSlice.takeOver(Files.readAllBytes(file)))
        : Optional.empty();
  }

  @Test
  void leavesOnlyWhatIsWholeOnAFullDiskAndGoesOnWhenThereIsRoom() throws Exception {
    mounted = run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount.toString()) == 0;
    assumeTrue(mounted, "a small file system cannot be mounted here: not root");
    Path small = Files.write(temporary.resolve("a.apk"), Vectors.bytes("small-ec.apk"));
    ApkPayload payload = Payload.apk(small).withBinaryName("libpayload.so");
    int pages = 1;
    int refused = 0;
    for (boolean done = false; !done; pages++) {
      assertThat(pages).as("pages that are enough").isLessThan(MAX_PAGES);
      resize(pages * 4 + "k");
      Path folder = Files.createDirectory(mount.resolve("vm"));
      try {
        new VmFolder(folder).pack(payload, OPTIONS);
        done = true;
      } catch (PackException e) {
        assertThat(e.error()).isEqualTo(PackError.FOLDER);
        assertThat(e).hasMessageContaining("No space left on device");
        refused++;
        try (var files = Files.list(folder)) {
          assertThat(files).noneMatch(file -> file.toString().matches(".*\\.(part|new)"));
        }
      }
      WholeFiles.check(folder, List.of(small));
      Optional<ByteSlice> before = id(folder);
      resize("1m");
      ByteSlice after = new VmFolder(folder).pack(payload, OPTIONS).instanceId();
      before.ifPresent(known -> assertThat(after).isEqualTo(known));
      WholeFiles.check(folder, List.of(small));
      assertThat(run("rm", "-r", folder.toString())).isZero();
    }
    assertThat(refused).as("sizes that were too small").isGreaterThan(5);
  }
}
