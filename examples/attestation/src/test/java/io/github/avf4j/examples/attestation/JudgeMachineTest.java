package io.github.avf4j.examples.attestation;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.remote.AospRevision;
import io.github.avf4j.attestation.remote.ClientVmCsr;
import io.github.avf4j.attestation.remote.HostRoot;
import io.github.avf4j.attestation.remote.MicrodroidPayload;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JudgeMachineTest {
  private static final String COMPONENT = "apk:com.example.vault";
  private static final ByteSlice SIGNER = SampleDevice.hash("certificate of the developer");

  @TempDir Path folder;
  private final ByteArrayOutputStream text = new ByteArrayOutputStream();

  @BeforeEach
  void attest() throws IOException {
    MicrodroidPayload payload =
        MicrodroidPayload.ofBinaryName(AospRevision.MARCH_2025, "libvault.so")
            .apk("com.example.vault", 7, SampleDevice.hash("content").slice(0, 32), SIGNER)
            .build();
    try (HostRoot root = HostRoot.openOrCreate(folder.resolve("root"));
        SampleDevice device = new SampleDevice(root.authority(), Instant.now());
        CosePrivateKey key = ClientVmCsr.generateAttestationKey()) {
      Files.writeString(folder.resolve("root.pem"), root.toPem());
      ByteArrayOutputStream certificates = new ByteArrayOutputStream();
      for (ByteSlice certificate :
          device.attest(payload, DiceMode.DEBUG, key, ByteSlice.ofHex("c0ffee"))) {
        certificates.writeBytes(certificate.toByteArray());
      }
      Files.write(folder.resolve("certificates.der"), certificates.toByteArray());
    }
  }

  private int judge(String challenge, String signer) throws IOException {
    return JudgeMachine.run(
        new PrintStream(text, true, StandardCharsets.UTF_8),
        Clock.systemUTC(),
        List.of(
            folder.resolve("certificates.der").toString(),
            folder.resolve("root.pem").toString(),
            challenge,
            COMPONENT,
            signer));
  }

  @Test
  void acceptsAMachineOfTheHostAndPrintsEachCheck() throws IOException {
    assertThat(judge("c0ffee", SIGNER.toHex())).as(text.toString()).isZero();
    assertThat(text.toString())
        .contains("accepted")
        .containsPattern("pass +trusted-root")
        .containsPattern("pass +secure-mode +a layer was not in normal mode")
        .containsPattern("pass +component-authority " + COMPONENT);
  }

  @Test
  void refusesAnotherChallengeAndAnotherSigner() throws IOException {
    assertThat(judge("00", "00".repeat(64))).isEqualTo(1);
    assertThat(text.toString())
        .containsPattern("fail +challenge")
        .containsPattern("fail +component-authority");
  }

  @Test
  void explainsItself() throws IOException {
    PrintStream out = new PrintStream(text, true, StandardCharsets.UTF_8);
    assertThat(JudgeMachine.run(out, Clock.systemUTC(), List.of())).isEqualTo(2);
    assertThat(text.toString()).startsWith("usage: JudgeMachine");
  }
}
