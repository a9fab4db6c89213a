package io.github.avf4j.attestation.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileDeviceSecretTest {
  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = directory.resolve("state/device-secret");
  }

  @Test
  void keepsItsSecret() {
    FileDeviceSecret first = FileDeviceSecret.openOrCreate(file);
    FileDeviceSecret second = FileDeviceSecret.openOrCreate(file);
    assertThat(first.secret()).isEqualTo(second.secret());
    assertThat(first.secret().toByteArray()).hasSize(32).isNotEqualTo(new byte[32]);
  }

  @Test
  void createsTheFileForItsOwnerAlone() throws IOException {
    FileDeviceSecret.openOrCreate(file);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    try (var files = Files.list(file.getParent())) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void givesAnotherIdentityOnceTheFileIsLost() throws IOException {
    var before = FileDeviceSecret.openOrCreate(file).secret();
    Files.delete(file);
    assertThat(FileDeviceSecret.openOrCreate(file).secret()).isNotEqualTo(before);
  }

  @Test
  void refusesADamagedFileAndLeavesIt() throws IOException {
    FileDeviceSecret.openOrCreate(file);
    byte[] content = Files.readAllBytes(file);
    for (int i = 0; i < content.length; i++) {
      byte[] changed = content.clone();
      changed[i] ^= 1;
      Files.write(file, changed);
      assertThatExceptionOfType(DeviceSecretException.class)
          .isThrownBy(() -> FileDeviceSecret.openOrCreate(file))
          .withMessageContaining("damaged");
      assertThat(Files.readAllBytes(file)).isEqualTo(changed);
    }
    Files.write(file, new byte[0]);
    assertThatExceptionOfType(DeviceSecretException.class)
        .isThrownBy(() -> FileDeviceSecret.openOrCreate(file));
  }

  @Test
  void refusesAFileThatOthersCanRead() throws IOException {
    FileDeviceSecret.openOrCreate(file);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    assertThatExceptionOfType(DeviceSecretException.class)
        .isThrownBy(() -> FileDeviceSecret.openOrCreate(file))
        .withMessageContaining("chmod 600");
  }

  @Test
  void refusesADirectoryWhereOthersCanReplaceIt() throws IOException {
    Path shared = Files.createDirectory(directory.resolve("shared"));
    Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
    Path exposed = shared.resolve("device-secret");
    assertThatExceptionOfType(DeviceSecretException.class)
        .isThrownBy(() -> FileDeviceSecret.openOrCreate(exposed))
        .withMessageContaining("chmod go-w");
    assertThat(exposed).doesNotExist();
  }

  @Test
  void refusesASymbolicLink() throws IOException {
    Path target = directory.resolve("target");
    FileDeviceSecret.openOrCreate(target);
    Files.createDirectories(file.getParent());
    Files.createSymbolicLink(file, target);
    assertThatExceptionOfType(DeviceSecretException.class)
        .isThrownBy(() -> FileDeviceSecret.openOrCreate(file));
  }

  @Test
  void givesOneSecretToAllWhoCreateItAtOnce() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      List<Future<FileDeviceSecret>> opened =
          threads.invokeAll(
              java.util.Collections.nCopies(16, () -> FileDeviceSecret.openOrCreate(file)));
      Set<String> secrets = new HashSet<>();
      for (Future<FileDeviceSecret> one : opened) {
        secrets.add(java.util.HexFormat.of().formatHex(one.get().secret().toByteArray()));
      }
      assertThat(secrets).hasSize(1);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void neverPrintsTheSecret() {
    FileDeviceSecret secret = FileDeviceSecret.openOrCreate(file);
    String hex = java.util.HexFormat.of().formatHex(secret.secret().toByteArray());
    assertThat(secret.toString() + secret.description() + secret.secret()).doesNotContain(hex);
  }

  @Test
  void leavesNothingWhereTheDiskFails() {
    for (int operation = 1; operation <= 6; operation++) {
      AtomicInteger count = new AtomicInteger();
      int last = operation;
      assertThatThrownBy(
              () ->
                  FileDeviceSecret.openOrCreate(
                      file,
                      name -> {
                        if (count.incrementAndGet() == last) {
                          throw new UncheckedIOException(new IOException("no space left"));
                        }
                      }))
          .isInstanceOf(UncheckedIOException.class);
      assertThat(file.getParent().toFile().list()).isEmpty();
    }
  }

  @Test
  void removesASecondNameSoThatRemovalEndsTheIdentity() throws IOException {
    var before = FileDeviceSecret.openOrCreate(file).secret();
    Path second = file.resolveSibling(".avf-new-device-secret-1");
    Files.createLink(second, file);
    Path another = Files.write(file.resolveSibling(".avf-new-other-1"), new byte[1]);
    assertThat(FileDeviceSecret.openOrCreate(file).secret()).isEqualTo(before);
    assertThat(second).doesNotExist();
    assertThat(another).as("of another file").exists();
  }

  @Test
  void keepsTheIdentityOfAFileThatWasPutBackAndTakesNoneOfAnother() throws IOException {
    var first = FileDeviceSecret.openOrCreate(file).secret();
    byte[] content = Files.readAllBytes(file);
    Files.delete(file);
    var second = FileDeviceSecret.openOrCreate(file).secret();
    Files.write(file, content);
    assertThat(FileDeviceSecret.openOrCreate(file).secret()).isEqualTo(first).isNotEqualTo(second);
  }

  @ParameterizedTest
  @ValueSource(strings = {"r--------", "rw-------"})
  void takesAFileThatItsOwnerAloneMayUse(String permissions) throws IOException {
    var before = FileDeviceSecret.openOrCreate(file).secret();
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    assertThat(FileDeviceSecret.openOrCreate(file).secret()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"rw-r-----", "rw--w----", "rw---x---", "rw----r--", "rw-----w-", "rw------x"})
  void refusesEveryRightOfOthers(String permissions) throws IOException {
    FileDeviceSecret.openOrCreate(file);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    assertThatExceptionOfType(DeviceSecretException.class)
        .isThrownBy(() -> FileDeviceSecret.openOrCreate(file));
  }
}
