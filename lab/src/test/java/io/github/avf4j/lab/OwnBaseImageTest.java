package io.github.avf4j.lab;

import static io.github.avf4j.lab.Vaults.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BaseImageException;
import io.github.avf4j.BaseImageException.Reason;
import io.github.avf4j.KernelImage;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import io.github.avf4j.microdroid.base.BaseImageBuilder;
import io.github.avf4j.microdroid.base.GuestRuntime;
import io.github.avf4j.microdroid.image.Progress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Machines whose base image the user signed. */
@Tag("e2e")
@Timeout(value = 400, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class OwnBaseImageTest {
  @TempDir Path folder;
  private TestMachines machines;
  private VerifiedApk payload;
  private Path apk;
  private Path base;
  private Path key;

  @BeforeEach
  void open() throws Exception {
    machines = new TestMachines();
    apk = folder.resolve("lab.apk");
    payload = TestApk.write(apk, "alice", 2, "hello");
    base = folder.resolve("base");
    key = folder.resolve("key.pem");
    makeKey();
  }

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  private void makeKey() throws IOException, GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(4096);
    Base64.Encoder encoder = Base64.getMimeEncoder(64, new byte[] {'\n'});
    Files.writeString(
        key,
        "-----BEGIN PRIVATE KEY-----\n"
            + encoder.encodeToString(generator.generateKeyPair().getPrivate().getEncoded())
            + "\n-----END PRIVATE KEY-----\n",
        StandardCharsets.US_ASCII);
  }

  private void build(long rollbackIndex) throws IOException {
    new BaseImageBuilder(KernelImage.installed(), GuestRuntime.installed())
        .signedBy(RsaKeyFile.readPrivate(key))
        .rollbackIndex(rollbackIndex)
        .build(base, Progress.NONE);
  }

  @Test
  void anUpdatableInstanceKeepsItsSecretsAndNobodyChangesItsSignerUnseen() throws Exception {
    build(1);
    VirtualMachine vm =
        machines.create(
            "own", Vaults.config(apk).baseImage(base).baseImageKey(key).updatable(true));
    Vaults.start(vm);
    final String secret = ask(vm, "fingerprint");
    assertThat(ask(vm, "count")).isEqualTo("1");
    DiceChain chain = DiceChain.decode(ByteSlice.ofHex(ask(vm, "chain")));
    assertThat(chain.certificates().get(2).authorityHash())
        .contains(RsaKeyFile.readPublic(key).sha512());
    MicrodroidTest.assertAttested(vm, payload);
    Vaults.quit(vm);

    build(2);
    Vaults.start(vm);
    assertThat(ask(vm, "fingerprint")).isEqualTo(secret);
    assertThat(ask(vm, "count")).isEqualTo("2");
    MicrodroidTest.assertAttested(vm, payload);
    Vaults.quit(vm);

    build(1);
    assertRefused(vm, 7, "rollback index 1 but the instance ran with 2");

    new BaseImageBuilder(KernelImage.installed(), GuestRuntime.installed())
        .rollbackIndex(2)
        .build(base, Progress.NONE);
    assertThatThrownBy(vm::run)
        .as("the key for development signed it")
        .isInstanceOfSatisfying(
            BaseImageException.class, e -> assertThat(e.reason()).isEqualTo(Reason.WRONG_KEY));
    assertThat(vm.getStatus()).isEqualTo(VirtualMachine.Status.STOPPED);
    makeKey();
    build(3);
    assertRefused(vm, 8, "base images of another key");
  }

  @Test
  void anInstanceThatIsNotUpdatableRunsOneBaseImage() throws Exception {
    build(1);
    VirtualMachine vm =
        machines.create("fixed", Vaults.config(apk).baseImage(base).baseImageKey(key));
    Vaults.start(vm);
    Vaults.quit(vm);
    build(2);
    assertRefused(vm, 8, "the instance ran with other code");
  }

  private static void assertRefused(VirtualMachine vm, int avfCode, String words)
      throws InterruptedException {
    StopReason reason = Vaults.refused(vm);
    assertThat(reason).isInstanceOf(StopReason.FirmwareRefused.class);
    assertThat(reason.avfCode()).isEqualTo(avfCode);
    assertThat(reason.toString()).contains(words);
  }
}
