package io.github.avf4j.lab;

import static io.github.avf4j.lab.TestMachines.LONG;
import static io.github.avf4j.lab.Vaults.PROBE_PORT;
import static io.github.avf4j.lab.Vaults.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BootStage;
import io.github.avf4j.ErrorCode;
import io.github.avf4j.Payload;
import io.github.avf4j.PayloadException;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.dice.DiceCertificate;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.remote.AttestationPolicy;
import io.github.avf4j.attestation.remote.AttestationResult;
import io.github.avf4j.attestation.remote.AttestationVerifier;
import io.github.avf4j.attestation.remote.ComponentRequirement;
import io.github.avf4j.attestation.remote.HostRoot;
import io.github.avf4j.attestation.remote.VmComponent;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import io.github.avf4j.service.Recorder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Signed payloads in verified guests, from run to stopped. */
@Tag("e2e")
@Timeout(value = 400, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class MicrodroidTest {
  private static final int CHALLENGE_BYTES = 32;

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

  @Test
  void keepsSecretsAndStorageForTheSamePayloadOnly() throws Exception {
    VerifiedApk alice = TestApk.write(apk, "alice", 2, "hello");
    final byte[] original = Files.readAllBytes(apk);
    VirtualMachine vm = machines.create("vault", Vaults.config(apk));
    Vaults.start(vm);
    assertStagesInOrder(vm);
    assertChainNames(alice, DiceChain.decode(ByteSlice.ofHex(ask(vm, "chain"))));
    assertThat(ask(vm, "greeting")).isEqualTo("hello");
    final String secret = ask(vm, "fingerprint");
    assertThat(ask(vm, "count")).isEqualTo("1");
    Vaults.quit(vm);

    TestApk.write(apk, "mallory", 2, "hello");
    assertChanged(vm);
    TestApk.write(apk, "alice", 2, "hello again");
    assertChanged(vm);
    TestApk.write(apk, "alice", 1, "hello");
    assertChanged(vm);

    // What was refused has left no trace.
    Files.write(apk, original);
    Vaults.start(vm);
    assertThat(ask(vm, "fingerprint")).isEqualTo(secret);
    assertThat(ask(vm, "count")).isEqualTo("2");
    assertAttested(vm, alice);
    Vaults.quit(vm);
  }

  private static void assertStagesInOrder(VirtualMachine vm) {
    Map<BootStage, Duration> stages = vm.getTimeline().stages();
    assertThat(stages.keySet())
        .containsSubsequence(
            BootStage.INIT,
            BootStage.HANDOVER_TAKEN,
            BootStage.PAYLOAD_VERIFIED,
            BootStage.SECRETS_DERIVED,
            BootStage.APEXES_ACTIVATED,
            BootStage.PAYLOAD_MOUNTED,
            BootStage.STORE_OPENED,
            BootStage.PAYLOAD_STARTED,
            BootStage.PAYLOAD_READY);
    assertThat(List.copyOf(stages.values())).isSorted();
  }

  private static void assertChainNames(VerifiedApk apk, DiceChain chain) {
    chain.verifySignatures();
    DiceCertificate leaf = chain.leaf();
    assertThat(leaf.componentName()).contains("Microdroid payload");
    assertThat(VmComponent.of(leaf.config().orElseThrow()))
        .anySatisfy(
            component -> {
              assertThat(component.name()).isEqualTo("apk:" + TestApk.PACKAGE);
              assertThat(component.authorityHash()).isEqualTo(apk.certificateHash());
              assertThat(component.codeHash()).isEqualTo(apk.rootHash());
            });
  }

  private static void assertChanged(VirtualMachine vm) throws InterruptedException {
    StopReason reason = Vaults.refused(vm);
    assertThat(reason)
        .isInstanceOfSatisfying(
            StopReason.MicrodroidError.class,
            error -> assertThat(error.code()).isEqualTo(ErrorCode.PAYLOAD_CHANGED));
    assertThat(reason.avfCode()).isEqualTo(12);
  }

  static void assertAttested(VirtualMachine vm, VerifiedApk apk) throws IOException {
    ByteSlice challenge = ByteSlice.takeOver(new byte[CHALLENGE_BYTES]);
    List<ByteSlice> certificates =
        ask(vm, "attest " + challenge.toHex()).lines().map(ByteSlice::ofHex).toList();
    AttestationPolicy.Builder policy =
        AttestationPolicy.builder()
            .component(
                ComponentRequirement.of("apk:" + TestApk.PACKAGE, apk.certificateHash())
                    .withLeastVersion(2))
            .debugAllowed(true);
    try (HostRoot root = HostRoot.openOrCreate(HostRoot.fileOfUser())) {
      policy.root(root.certificate());
    }
    AttestationVerifier verifier = new AttestationVerifier(policy.build(), Clock.systemUTC());
    AttestationResult result = verifier.verify(certificates, challenge);
    assertThat(result.isAccepted()).as(result.toTable()).isTrue();
    byte[] other = new byte[CHALLENGE_BYTES];
    other[0] = 1;
    assertThat(verifier.verify(certificates, ByteSlice.takeOver(other)).isAccepted()).isFalse();
  }

  @Test
  void anUpdatableInstanceRunsOtherVersionsOfItsSignerOnly() throws Exception {
    TestApk.write(apk, "alice", 1, "first");
    VirtualMachine vm =
        machines.create(
            "updatable", Vaults.config(apk).encryptedStorage(Optional.empty()).updatable(true));
    Vaults.start(vm);
    final String alice = ask(vm, "fingerprint");
    assertThat(ask(vm, "count")).startsWith("!");
    Vaults.quit(vm);
    TestApk.write(apk, "mallory", 1, "first");
    SecretkeeperTest.assertRefusedByTheKeeper(vm);
    TestApk.write(apk, "alice", 2, "second");
    Vaults.start(vm);
    assertThat(ask(vm, "fingerprint")).isEqualTo(alice);
    assertThat(ask(vm, "greeting")).isEqualTo("second");
    Vaults.quit(vm);
  }

  @Test
  @Tag("lab")
  void aPayloadKnowsItsFirstBootAndItsEndIsReported() throws Exception {
    VirtualMachine vm = probe("ends");
    Recorder recorder = new Recorder();
    vm.setCallback(Runnable::run, recorder);
    Vaults.start(vm);
    assertThat(ask(vm, PROBE_PORT, "new")).isEqualTo("1");
    assertThat(ask(vm, PROBE_PORT, "keep x")).isEqualTo("-3");
    assertThat(ask(vm, PROBE_PORT, "kept")).isEqualTo("-3");
    assertThat(ask(vm, PROBE_PORT, "rights"))
        .isEqualTo("uid=6000 gid=6000 mount=Operation not permitted");
    ask(vm, PROBE_PORT, "exit 7");
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
    assertThat(vm.getPayloadExitCode()).contains(7);
    assertThat(recorder.awaitStopped())
        .containsExactly("started", "ready", "finished 7", "stopped SHUTDOWN when STOPPED");
    vm.clearCallback();
    Vaults.start(vm);
    assertThat(ask(vm, PROBE_PORT, "new")).isEqualTo("0");
    assertDiesOf(vm, "signal 11", 11);
  }

  @Test
  void aPayloadThatIsNamedByItsLibraryDiesOfARestrictedCall() throws Exception {
    VirtualMachine vm = probe("restricted");
    Vaults.start(vm);
    assertDiesOf(vm, "chain", 6);
  }

  private static void assertDiesOf(VirtualMachine vm, String question, int signal)
      throws InterruptedException {
    try {
      assertThat(ask(vm, PROBE_PORT, question)).isEmpty();
    } catch (IOException e) {
      // Its connections end with it.
    }
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
    assertThat(vm.getPayloadExitCode()).contains(128 + signal);
  }

  private VirtualMachine probe(String name) throws IOException {
    TestApk.write(apk, "alice", 1, "");
    return machines.create(
        name, Vaults.config(apk).payload(Payload.apk(apk).withBinaryName(TestApk.PROBE)));
  }

  @Test
  void refusesALibraryThatIsNotInTheApk() throws Exception {
    TestApk.write(apk, "alice", 1, "");
    VirtualMachine byName =
        machines.create(
            "absent", Vaults.config(apk).payload(Payload.apk(apk).withBinaryName("libabsent.so")));
    assertThatThrownBy(byName::run)
        .isInstanceOfSatisfying(
            PayloadException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.PAYLOAD_INVALID_CONFIG))
        .hasMessageContaining(TestMachines.libraryFolder() + "libprobe.so");
    VirtualMachine byConfig =
        machines.create(
            "nothing",
            Vaults.config(apk).payload(Payload.apk(apk).withConfigPath(TestApk.CONFIG_OF_NOTHING)));
    assertThat(Vaults.refused(byConfig))
        .isInstanceOfSatisfying(
            StopReason.MicrodroidError.class,
            error -> {
              assertThat(error.code()).isEqualTo(ErrorCode.UNKNOWN);
              assertThat(error.message()).contains("Unable to access", "libnothing.so");
            });
  }
}
