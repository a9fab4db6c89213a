package io.github.avf4j.lab;

import static io.github.avf4j.lab.TestMachines.LONG;
import static io.github.avf4j.lab.Vaults.PROBE_PORT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.ErrorCode;
import io.github.avf4j.Payload;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.remote.HostRoot;
import io.github.avf4j.attestation.seal.DeviceSecret;
import io.github.avf4j.attestation.seal.FileSecretKeeper;
import io.github.avf4j.attestation.seal.SecretId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Updatable machines and the keeper of secrets of this host. */
@Tag("e2e")
@Timeout(value = 400, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class SecretkeeperTest {
  private static final String NOT_FOUND = "-1";

  @TempDir Path folder;
  private TestMachines machines;
  private Path apk;

  @BeforeEach
  void open() throws IOException {
    machines = new TestMachines();
    apk = folder.resolve("lab.apk");
  }

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  /** Not as another payload changed, as AVF has it: what went wrong is that there is no secret. */
  static void assertRefusedByTheKeeper(VirtualMachine vm) throws InterruptedException {
    assertThat(Vaults.refused(vm))
        .isInstanceOfSatisfying(
            StopReason.MicrodroidError.class,
            error -> {
              assertThat(error.code()).isEqualTo(ErrorCode.UNKNOWN);
              assertThat(error.message()).contains("the Secretkeeper refused with code 5");
            });
  }

  private static FileSecretKeeper keeper() {
    Path data = HostRoot.fileOfUser().getParent();
    return FileSecretKeeper.open(
        data.resolve("secretkeeper"), DeviceSecret.find(data.resolve("device-secret")));
  }

  private static String ask(VirtualMachine vm, String question) throws IOException {
    return Vaults.ask(vm, PROBE_PORT, question);
  }

  private static void quit(VirtualMachine vm) throws IOException, InterruptedException {
    ask(vm, "exit 0");
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
  }

  @Test
  void newerVersionsKeepSecretsThatOlderOnesDoNotGet() throws Exception {
    TestApk.write(apk, "alice", 2, "");
    VirtualMachine vm =
        machines.create(
            "kept",
            Vaults.config(apk)
                .payload(Payload.apk(apk).withBinaryName(TestApk.PROBE))
                .updatable(true));
    Vaults.start(vm);
    final String secret = ask(vm, "secret");
    assertThat(ask(vm, "new")).isEqualTo("1");
    assertThat(ask(vm, "kept")).isEqualTo(NOT_FOUND);
    assertThat(ask(vm, "keep a")).isEqualTo("32");
    assertThat(ask(vm, "kept")).isEqualTo("a");
    quit(vm);

    Vaults.start(vm);
    assertThat(ask(vm, "new")).isEqualTo("0");
    assertThat(ask(vm, "secret")).isEqualTo(secret);
    assertThat(ask(vm, "kept")).isEqualTo("a");
    quit(vm);

    TestApk.write(apk, "alice", 3, "");
    Vaults.start(vm);
    assertThat(ask(vm, "secret")).isEqualTo(secret);
    assertThat(ask(vm, "kept")).isEqualTo("a");
    assertThat(ask(vm, "keep b")).isEqualTo("32");
    quit(vm);

    TestApk.write(apk, "alice", 2, "");
    assertRefusedByTheKeeper(vm);

    // The keeper has lost the secret: a new one is made, with which the old store does not open.
    TestApk.write(apk, "alice", 3, "");
    ByteSlice id =
        ByteSlice.takeOver(Files.readAllBytes(machines.files("kept").resolve("instance_id")));
    assertThat(keeper().delete(SecretId.ofInstance(id))).isTrue();
    assertThat(Vaults.refused(vm))
        .isInstanceOfSatisfying(
            StopReason.MicrodroidError.class,
            error -> assertThat(error.message()).contains("Unable to prepare encrypted storage"));

    machines.manager().delete("kept");
    assertThat(keeper().delete(SecretId.ofInstance(id))).isFalse();
    assertThat(keeper().delete(SecretId.ofPayloadValue(id))).isFalse();
  }
}
