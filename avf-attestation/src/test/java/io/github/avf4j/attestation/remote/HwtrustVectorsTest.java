package io.github.avf4j.attestation.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceChainRules;
import io.github.avf4j.attestation.dice.RkpInstance;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every file of hwtrust's test data (AOSP tools/security, da7738aaf3ec) with the result that
 * hwtrust gives it. The two whose chains have layers in debug mode need any mode to be allowed, as
 * in hwtrust's own tests.
 */
class HwtrustVectorsTest {
  private static final Instant TIME = Instant.parse("2025-03-26T00:00:00Z");
  private static final DiceChainRules DEFAULT = DiceChainRules.DEFAULT;
  private static final DiceChainRules ANY_MODE = DEFAULT.withAnyMode(true);
  private static final String VALID = "";

  /** For each file the reason of the refusal with default options; none where it is valid. */
  private static final Map<String, String> BY_DEFAULT =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("dice/valid_ed25519.chain", "mode must be normal"),
              Map.entry("dice/valid_p256.chain", VALID),
              Map.entry("dice/bad_p256.chain", "certificate 2: the signature does not verify"),
              Map.entry("dice/bad_final_signature.chain", "the signature does not verify"),
              Map.entry("csr/valid_csr.cbor", VALID),
              Map.entry("csr/bad_csr.cbor", "do not decrypt"),
              Map.entry("csr/v2_csr.base64", VALID),
              Map.entry("csr/v3_csr.base64", VALID),
              Map.entry("csr/v3_csr_avf.cbor", "mode must be normal"),
              Map.entry("factory_csr/all_versions_valid.json", VALID),
              Map.entry("factory_csr/v2_ed25519_valid.json", VALID),
              Map.entry("factory_csr/v2_p256_valid.json", VALID),
              Map.entry("factory_csr/v3_ed25519_valid.json", VALID),
              Map.entry("factory_csr/v3_p256_valid.json", VALID),
              Map.entry("factory_csr/v3_p256_valid_with_uds_certs.json", VALID),
              Map.entry("factory_csr/v3_avf_valid_with_rkpvm_markers.json", "mode must be normal"),
              Map.entry("factory_csr/v3_p256_extra_uds_cert_in_chain.json", "occurs before"),
              Map.entry("factory_csr/v3_p256_with_corrupted_payload.json", "does not verify")));

  private static void verify(String name, DiceChainRules chain) {
    ByteSlice bytes = Vectors.slice("hwtrust/" + name);
    RequestRules rules = RequestRules.of(chain, TIME);
    if (name.startsWith("dice/")) {
      DiceChain.decode(bytes).verify(chain);
    } else if (name.startsWith("factory_csr/")) {
      String file = new String(bytes.toByteArray(), StandardCharsets.UTF_8);
      assertThat(FactoryRequests.verify(file, rules))
          .hasSameSizeAs(file.lines().filter(line -> !line.isBlank()).toList());
    } else if (name.endsWith(".base64")) {
      String text = new String(bytes.toByteArray(), StandardCharsets.US_ASCII).trim();
      ProvisioningRequest.verify(ByteSlice.takeOver(Base64.getDecoder().decode(text)), rules);
    } else {
      ProvisioningRequest.verify(bytes, rules);
    }
  }

  private static void refuses(String name, DiceChainRules chain, String reason) {
    AttestationException refusal =
        catchThrowableOfType(AttestationException.class, () -> verify(name, chain));
    assertThat(refusal).as(name).isNotNull().hasMessageContaining(reason);
  }

  @TestFactory
  Stream<DynamicTest> givesTheResultOfHwtrustByDefault() {
    return BY_DEFAULT.entrySet().stream()
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey(),
                    () -> {
                      if (entry.getValue().equals(VALID)) {
                        verify(entry.getKey(), DEFAULT);
                      } else {
                        refuses(entry.getKey(), DEFAULT, entry.getValue());
                      }
                    }));
  }

  @Test
  void acceptsChainsInDebugModeWhereAnyModeIsAllowed() {
    verify("dice/valid_ed25519.chain", ANY_MODE);
    verify("csr/v3_csr_avf.cbor", ANY_MODE.withInstance(RkpInstance.AVF));
    verify("factory_csr/v3_avf_valid_with_rkpvm_markers.json", ANY_MODE);
  }

  @Test
  void knowsTheResultOfEveryFile() throws IOException, URISyntaxException {
    List<String> names = new ArrayList<>();
    for (String kind : List.of("csr", "dice", "factory_csr")) {
      Path folder = Path.of(Vectors.class.getResource("/vectors/hwtrust/" + kind).toURI());
      try (Stream<Path> files = Files.list(folder)) {
        files.forEach(file -> names.add(kind + "/" + file.getFileName()));
      }
    }
    assertThat(BY_DEFAULT.keySet()).containsExactlyInAnyOrderElementsOf(names);
  }
}
