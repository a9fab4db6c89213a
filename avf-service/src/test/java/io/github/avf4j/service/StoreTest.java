package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.DataSize;
import io.github.avf4j.IllegalVmStateException;
import io.github.avf4j.Payload;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.StoreException;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachine.Status;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StoreTest extends ManagerTest {
  private VirtualMachineConfig config;

  @BeforeEach
  void configure() {
    config = fixture.config().build();
  }

  @Test
  void keepsMachinesOverManagers() {
    VirtualMachineConfig large = fixture.config().memory(DataSize.ofGibibytes(1)).build();
    manager.create("a.b-c_1", large);
    manager.create("other", config);
    manager.close();
    manager = fixture.open();
    assertThat(manager.names()).containsExactly("a.b-c_1", "other");
    VirtualMachine vm = manager.get("a.b-c_1").orElseThrow();
    assertThat(vm.getConfig()).isEqualTo(large);
    assertThat(vm.getName()).isEqualTo("a.b-c_1");
  }

  @Test
  void givesTheSameObjectWhileItIsReachable() {
    VirtualMachine vm = manager.create("a", config);
    assertThat(manager.get("a")).containsSame(vm);
    assertThat(manager.getOrCreate("a", config)).isSameAs(vm);
    assertThatThrownBy(() -> manager.create("a", config))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("virtual machine already exists");
    assertThat(manager.get("b")).isEmpty();
  }

  @Test
  void getOrCreateKeepsTheConfigurationOfTheOneThatIsThere() {
    manager.create("a", config);
    VirtualMachineConfig other = fixture.config().memory(DataSize.ofGibibytes(1)).build();
    assertThat(manager.getOrCreate("a", other).getConfig()).isEqualTo(config);
  }

  @Test
  void deletedObjectsStayDeleted() {
    VirtualMachine old = manager.create("a", config);
    manager.delete("a");
    assertThat(old.getStatus()).isEqualTo(Status.DELETED);
    assertThat(manager.get("a")).isEmpty();
    VirtualMachine next = manager.getOrCreate("a", config);
    assertThat(next).isNotSameAs(old);
    assertThat(next.getStatus()).isEqualTo(Status.STOPPED);
    assertThat(old.getStatus()).isEqualTo(Status.DELETED);
    assertThatThrownBy(old::run)
        .isInstanceOf(IllegalVmStateException.class)
        .hasMessageContaining("deleted");
    manager.delete("a");
    assertThatThrownBy(() -> manager.delete("a"))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("there is no VM 'a'");
    assertThat(fixture.store.resolve("new")).isEmptyDirectory();
  }

  @Test
  void runningMachinesCannotBeDeletedOrRun() {
    fixture.backend.guest = machine -> {};
    VirtualMachine vm = manager.create("a", config);
    vm.run();
    assertThatThrownBy(() -> manager.delete("a"))
        .isInstanceOf(IllegalVmStateException.class)
        .hasMessage(
            "delete() needs STOPPED but VM 'a' is RUNNING, not in stopped state: stop() it first");
    assertThatThrownBy(vm::run)
        .isInstanceOf(IllegalVmStateException.class)
        .hasMessageContaining("not in stopped state");
  }

  @Test
  void filesRemovedByOthersMakeItDeleted() throws IOException {
    VirtualMachine vm = manager.create("a", config);
    Files.delete(fixture.store.resolve("vm/a/config.json"));
    Files.delete(fixture.store.resolve("vm/a"));
    assertThat(vm.getStatus()).isEqualTo(Status.DELETED);
    assertThat(manager.get("a")).isEmpty();
    assertThat(manager.names()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "../foo", "a/b", "a\0b", "ä", "a b", "a\\b", "\n"})
  void refusesNamesThatAreNoFolderNames(String name) {
    assertThatThrownBy(() -> manager.get(name)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> manager.create(name, config))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1 to 64 letters");
    assertThatThrownBy(() -> manager.delete(name)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesLongNames() {
    manager.create("x".repeat(64), config);
    assertThatThrownBy(() -> manager.create("x".repeat(65), config))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void hasOneManagerAtATime() {
    assertThatThrownBy(fixture::open)
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("in use by another manager of this process");
    // The failed attempt must not have given up the first one's lock.
    assertThatThrownBy(() -> openElsewhere()).hasMessageContaining("1");
    manager.close();
    manager = fixture.open();
  }

  /** Another process tries to take the lock; its exit code is 1 if it cannot. */
  private void openElsewhere() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                StoreOpener.class.getName(),
                fixture.store.toString())
            .redirectErrorStream(true)
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    String output = new String(process.getInputStream().readAllBytes());
    if (process.exitValue() != 0) {
      assertThat(output).contains("in use by another process");
      throw new IllegalStateException("exit code " + process.exitValue());
    }
  }

  @Test
  void deleteDoesNotFollowLinks() throws IOException {
    Path precious = Files.createDirectory(folder.resolve("precious"));
    Files.createFile(precious.resolve("file"));
    manager.create("a", config);
    Files.createSymbolicLink(fixture.store.resolve("vm/a/link"), precious);
    manager.delete("a");
    assertThat(precious.resolve("file")).exists();
    assertThat(fixture.store.resolve("vm/a")).doesNotExist();
    assertThat(fixture.store.resolve("new")).isEmptyDirectory();
  }

  @Test
  void refusesALinkInPlaceOfAMachine() throws IOException {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Files.createSymbolicLink(fixture.store.resolve("vm/a"), elsewhere);
    assertThatThrownBy(() -> manager.create("a", config)).isInstanceOf(StoreException.class);
    assertThat(elsewhere).isEmptyDirectory();
  }

  @Test
  void emptiesWhatAKilledProcessLeft() throws IOException {
    manager.close();
    Path left = Files.createDirectories(fixture.store.resolve("new/create-1"));
    Files.createFile(left.resolve("config.json"));
    manager = fixture.open();
    assertThat(left).doesNotExist();
  }

  @Test
  void saysWhatToDoWhenTheStoreCannotBeWritten() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    assertThatThrownBy(() -> fixture.service.openManager(file.resolve("store")))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("cannot use the store folder " + file)
        .hasMessageContaining("can be written");
  }

  @Test
  void leavesNothingBehindOnAFullDisk() throws Exception {
    Path mount = Files.createDirectory(folder.resolve("full"));
    // Room for the folders of the store, but not for a configuration of some kilobytes.
    assumeTrue(
        run("mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", mount.toString()) == 0,
        "a small file system cannot be mounted here: not root");
    try (VirtualMachineManager full = fixture.service.openManager(mount.resolve("store"))) {
      VirtualMachineConfig large =
          fixture
              .config()
              .payload(Payload.executable(fixture.payload).withArguments("x".repeat(100_000)))
              .build();
      assertThatThrownBy(() -> full.create("a", large))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("No space left on device")
          .hasMessageContaining("make room");
      assertThat(full.names()).isEmpty();
      assertThat(mount.resolve("store/new")).isEmptyDirectory();
      full.create("a", config);

      // Nor for a payload's disk.
      Path payload =
          Files.write(folder.resolve("large"), Arrays.copyOf(Fixture.tinyElf(), 64 << 10));
      VirtualMachine vm =
          full.create("b", fixture.config().payload(Payload.executable(payload)).build());
      assertThatThrownBy(vm::run)
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("No space left on device")
          .hasMessageContaining("make room in the store");
      assertThat(vm.getStatus()).isEqualTo(Status.STOPPED);
      assertThat(mount.resolve("store/vm/b"))
          .isDirectoryNotContaining(file -> !file.endsWith("config.json"));
    } finally {
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

  @Test
  void closedManagersDoNothing() {
    VirtualMachine vm = manager.create("a", config);
    manager.close();
    manager.close();
    assertThatThrownBy(() -> manager.get("a")).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(vm::run)
        .isInstanceOf(IllegalVmStateException.class)
        .hasMessageContaining("closed");
    assertThat(vm.getStatus()).isEqualTo(Status.STOPPED);
  }

  @Test
  void refusesProtectionThatIsNotThere() {
    for (ProtectionLevel level :
        new ProtectionLevel[] {ProtectionLevel.SIMULATED, ProtectionLevel.HARDWARE}) {
      VirtualMachineConfig asking = fixture.config().protectionLevel(level).build();
      assertThatThrownBy(() -> manager.create("p", asking))
          .isInstanceOf(BackendUnavailableException.class)
          .hasMessageContaining("protection level " + level + " is not available");
      assertThat(manager.names()).isEmpty();
    }
  }
}
