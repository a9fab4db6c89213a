package io.github.avf4j.lab;

import static io.github.avf4j.lab.Vaults.PROBE_PORT;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.ErrorCode;
import io.github.avf4j.Payload;
import io.github.avf4j.PayloadException;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.dice.DiceCertificate;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.remote.VmComponent;
import io.github.avf4j.microdroid.apex.VerifiedApex;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Payloads whose configuration names extra APKs and an APEX. */
@Tag("e2e")
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class PayloadPartsTest {
  private static final String ONE = "/mnt/extra-apk/0/assets/data.txt";
  private static final String TWO = "/mnt/extra-apk/1/assets/data.txt";

  @TempDir Path folder;
  private TestMachines machines;
  private Path apk;
  private Path one;
  private Path two;
  private Path module;

  @BeforeEach
  void open() throws IOException {
    machines = new TestMachines();
    apk = folder.resolve("lab.apk");
    one = folder.resolve("one.apk");
    two = folder.resolve("two.apk");
    module = folder.resolve("module.apex");
  }

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  private ApkPayload payload() {
    return Payload.apk(apk)
        .withConfigPath(TestApk.CONFIG_OF_PROBE)
        .withExtraApk(one)
        .withExtraApk(two)
        .withApex(TestModule.NAME, module);
  }

  private VirtualMachine machine(String name, ApkPayload payload) {
    return machines.create(
        name, Vaults.config(apk).encryptedStorage(Optional.empty()).payload(payload));
  }

  private static String ask(VirtualMachine vm, String question) throws IOException {
    return Vaults.ask(vm, PROBE_PORT, question);
  }

  private static void quit(VirtualMachine vm) throws IOException, InterruptedException {
    ask(vm, "exit 0");
    assertThat(vm.awaitStopped(TestMachines.LONG)).contains(new StopReason.Shutdown());
  }

  @Test
  void areReadableMeasuredAndRemembered() throws Exception {
    VerifiedApk main = TestApk.write(apk, "alice", 1, "");
    VerifiedApk first = TestApk.writeData(one, "alice", "one", "the first of two");
    VerifiedApk second = TestApk.writeData(two, "mallory", "two", "the second of two");
    VerifiedApex apex = TestModule.write(module, "anyone", "in the module");
    VirtualMachine vm = machine("parts", payload());
    Vaults.start(vm);
    assertThat(ask(vm, "new")).isEqualTo("1");
    assertThat(ask(vm, "cat " + ONE)).isEqualTo("the first of two");
    assertThat(ask(vm, "cat " + TWO)).isEqualTo("the second of two");
    assertThat(ask(vm, "cat " + TestModule.FILE)).isEqualTo("in the module");
    DiceChain chain = DiceChain.decode(ByteSlice.ofHex(ask(vm, "dice")));
    chain.verifySignatures();
    assertMeasured(chain.leaf(), List.of(main, first, second), apex);
    quit(vm);

    // The host has no objection to any of these.
    final byte[] original = Files.readAllBytes(one);
    TestApk.writeData(one, "mallory", "one", "the first of two");
    assertChanged(vm, "Extra APKs have changed.");
    TestApk.writeData(one, "alice", "one", "another first");
    assertChanged(vm, "Extra APKs have changed.");
    Files.write(one, original);
    TestModule.write(module, "somebody else", "in the module");
    assertChanged(vm, "APEXes have changed.");
    TestModule.write(module, "anyone", "in another module");
    assertChanged(vm, "APEXes have changed.");
    TestModule.write(module, "anyone", "in the module");
    // An idsig can be made again, and is: what the guest gets is right.
    Path idsig = machines.files("parts").resolve("extra_idsig_0");
    final byte[] right = Files.readAllBytes(idsig);
    Tampering tampering = new Tampering(idsig);
    tampering.flip(idsig, tampering.find(idsig, first.rootHash().toByteArray(), 0));
    Vaults.start(vm);
    assertThat(ask(vm, "new")).isEqualTo("0");
    assertThat(idsig).hasBinaryContent(right);
    quit(vm);
    aBlockOfAModuleThatWasChangedCannotBeRead(vm);
  }

  private static void assertMeasured(
      DiceCertificate leaf, List<VerifiedApk> apks, VerifiedApex apex) throws Exception {
    assertThat(leaf.componentName()).contains("Microdroid payload");
    assertThat(new String(leaf.configBytes().orElseThrow().toByteArray(), ISO_8859_1))
        .contains("/mnt/apk/" + TestApk.CONFIG_OF_PROBE);
    ByteArrayOutputStream code = new ByteArrayOutputStream();
    ByteArrayOutputStream authority = new ByteArrayOutputStream();
    for (VerifiedApk apk : apks) {
      code.writeBytes(apk.rootHash().toByteArray());
      authority.writeBytes(apk.certificateHash().toByteArray());
    }
    code.writeBytes(apex.rootDigest().toByteArray());
    authority.writeBytes(apex.publicKey().blob().toByteArray());
    assertThat(leaf.codeHash()).contains(sha512(code));
    assertThat(leaf.authorityHash()).contains(sha512(authority));
    ByteArrayOutputStream key = new ByteArrayOutputStream();
    key.writeBytes(apex.publicKey().blob().toByteArray());
    assertThat(VmComponent.of(leaf.config().orElseThrow()))
        .extracting(VmComponent::name, VmComponent::codeHash, VmComponent::authorityHash)
        .containsExactly(
            component("apk:com.example.lab", apks.get(0)),
            component("apk:com.example.lab.one", apks.get(1)),
            component("apk:com.example.lab.two", apks.get(2)),
            tuple("apex:" + TestModule.NAME, apex.rootDigest(), sha512(key)));
  }

  private static Tuple component(String name, VerifiedApk apk) {
    return tuple(name, apk.rootHash(), apk.certificateHash());
  }

  private static ByteSlice sha512(ByteArrayOutputStream bytes) throws Exception {
    return ByteSlice.takeOver(MessageDigest.getInstance("SHA-512").digest(bytes.toByteArray()));
  }

  private static void assertChanged(VirtualMachine vm, String message) throws Exception {
    assertThat(Vaults.refused(vm))
        .isInstanceOfSatisfying(
            StopReason.MicrodroidError.class,
            error -> {
              assertThat(error.code()).as(error.message()).isEqualTo(ErrorCode.PAYLOAD_CHANGED);
              assertThat(error.message()).isEqualTo(message);
            });
  }

  /** The tree is looked at where it is read: as in Android, the payload sees an I/O error. */
  private void aBlockOfAModuleThatWasChangedCannotBeRead(VirtualMachine vm) throws Exception {
    Path disk = machines.files("parts").resolve("payload-flat.img");
    Tampering tampering = new Tampering(disk);
    byte[] text = "in the module".getBytes(UTF_8);
    long at = tampering.find(disk, text, Tampering.start(disk, "microdroid-apex-0"));
    tampering.flip(disk, at);
    Vaults.start(vm);
    assertThat(ask(vm, "cat " + TestModule.FILE)).startsWith("!").endsWith("Input/output error");
    assertThat(ask(vm, "cat " + ONE)).isEqualTo("the first of two");
    quit(vm);
  }

  @Test
  void theHostRefusesAConfigurationAndPartsThatDoNotAgree() throws Exception {
    TestApk.write(apk, "alice", 1, "");
    TestApk.writeData(one, "alice", "one", "1");
    Files.copy(one, two);
    TestModule.write(module, "anyone", "x");
    ApkPayload bare = Payload.apk(apk).withConfigPath(TestApk.CONFIG_OF_PROBE);
    assertRefused("none", bare, "\"extra_apks\" names 2 (/data/app/one.apk, /data/app/two.apk)");
    ApkPayload withApks = bare.withExtraApk(one).withExtraApk(two);
    assertRefused(
        "apks", withApks, "\"apexes\" names " + TestModule.NAME + ", which were not given");
    assertRefused(
        "more",
        payload().withApex("com.example.other", module),
        "\"apexes\" does not name com.example.other, which were given");
  }

  private void assertRefused(String name, ApkPayload payload, String message) {
    assertThatThrownBy(machine(name, payload)::run)
        .isInstanceOfSatisfying(
            PayloadException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.PAYLOAD_INVALID_CONFIG))
        .hasMessageContaining(message);
  }
}
