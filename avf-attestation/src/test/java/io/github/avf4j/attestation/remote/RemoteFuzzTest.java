package io.github.avf4j.attestation.remote;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Fuzzing;
import io.github.avf4j.attestation.dice.DiceChainRules;
import io.github.avf4j.attestation.dice.RkpInstance;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;

class RemoteFuzzTest {
  private static final Instant TIME = Instant.parse("2025-03-26T00:00:00Z");
  private static final DiceChainRules CHAIN =
      DiceChainRules.DEFAULT.withAnyMode(true).withDegenerate(true);
  private static final RequestRules RULES = RequestRules.of(CHAIN, TIME);
  private static final AttestationVerifier VERIFIER =
      new AttestationVerifier(
          AttestationPolicy.builder().root(root()).build(), Clock.fixed(TIME, ZoneOffset.UTC));

  private static ByteSlice root() {
    var key = ClientVmCsr.generateAttestationKey();
    return SampleCertificates.authority("Root").sign(key, key);
  }

  @FuzzTest(maxDuration = "5m")
  void verifiesProvisioningRequests(byte[] data) {
    Fuzzing.parse(data, bytes -> ProvisioningRequest.verify(ByteSlice.copyOf(bytes), RULES));
  }

  @FuzzTest(maxDuration = "5m")
  void verifiesRequestsOfServiceVms(byte[] data) {
    RequestRules rules = RULES.withChain(CHAIN.withInstance(RkpInstance.AVF));
    Fuzzing.parse(data, bytes -> ProvisioningRequest.verify(ByteSlice.copyOf(bytes), rules));
  }

  @FuzzTest(maxDuration = "5m")
  void verifiesRequestsOfClientVms(byte[] data) {
    Fuzzing.parse(data, bytes -> ClientVmCsr.decode(ByteSlice.copyOf(bytes)).verify(CHAIN));
  }

  @FuzzTest(maxDuration = "5m")
  void verifiesFactoryFiles(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> FactoryRequests.verify(new String(bytes, StandardCharsets.ISO_8859_1), RULES));
  }

  @FuzzTest(maxDuration = "5m")
  void verifiesCertificates(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          AttestationResult result = VERIFIER.verifyFile(bytes, ByteSlice.EMPTY);
          if (result.isAccepted() || result.toJson().isEmpty() || result.toTable().isEmpty()) {
            throw new AssertionError("a chain that no root signed is accepted");
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void decodesExtensions(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          AttestationExtension decoded = AttestationExtension.decode(ByteSlice.copyOf(bytes));
          if (!ByteSlice.takeOver(decoded.encode()).contentEquals(bytes)) {
            throw new AssertionError("what was decoded encodes to something else");
          }
        });
  }
}
