package io.github.avf4j.attestation.remote;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Fuzzing;
import io.github.avf4j.attestation.SampleDevice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborReader;
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

  private static final ServiceVm SERVICE =
      ServiceVm.builder(SampleDevice.chain(new SampleDevice("device").serviceVm()))
          .kernel(SampleDevice.KERNEL)
          .build();
  private static final RkpKeys KEYS = new RkpKeys(SecretBytes.takeOver(new byte[32]));

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

  /** Device info stands behind signatures in requests, where a fuzzer does not get. */
  @FuzzTest(maxDuration = "5m")
  void parsesDeviceInfo(byte[] data) {
    Fuzzing.parse(
        data, bytes -> DeviceInfo.parse(CborReader.decode(bytes).asMap(), 3, false).toString());
  }

  @FuzzTest(maxDuration = "5m")
  void checksClientsOfTheServiceVm(byte[] data) {
    Fuzzing.parse(data, bytes -> SERVICE.check(ByteSlice.copyOf(bytes)));
  }

  @FuzzTest(maxDuration = "5m")
  void opensKeyBlobs(byte[] data) {
    Fuzzing.parse(data, bytes -> KEYS.openBlob(ByteSlice.copyOf(bytes)).close());
  }

  @FuzzTest(maxDuration = "5m")
  void opensKeysToSign(byte[] data) {
    Fuzzing.parse(data, bytes -> KEYS.openMaced(ByteSlice.copyOf(bytes)));
  }

  @FuzzTest(maxDuration = "5m")
  void readsSignatures(byte[] data) {
    Fuzzing.parse(data, bytes -> EcDer.rawSignature(ByteSlice.copyOf(bytes)));
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
