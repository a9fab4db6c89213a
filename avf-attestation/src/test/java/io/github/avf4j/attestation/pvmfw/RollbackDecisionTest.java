package io.github.avf4j.attestation.pvmfw;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.TestKeys;
import io.github.avf4j.attestation.pvmfw.RollbackDecision.Mode;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RollbackDecisionTest {
  @ParameterizedTest
  @CsvSource({
    // capabilities, asks to defer, rollback index, in January 2025, in March 2025
    "'', true, 0, LEGACY, LEGACY",
    "SECRETKEEPER_PROTECTION, false, 1, LEGACY, LEGACY",
    "SECRETKEEPER_PROTECTION, true, 1, DEFERRED, DEFERRED",
    "SECRETKEEPER_PROTECTION, true, 0, ROLLBACK_INDEX_ZERO, ROLLBACK_INDEX_ZERO",
    "REMOTE_ATTEST, false, 1, FIXED, FIXED",
    "REMOTE_ATTEST, true, 2, ROLLBACK_INDEX_MISMATCH, ROLLBACK_INDEX_MISMATCH",
    "REMOTE_ATTEST SECRETKEEPER_PROTECTION, true, 2, DEFERRED, ROLLBACK_INDEX_MISMATCH",
    "REMOTE_ATTEST SECRETKEEPER_PROTECTION, true, 1, DEFERRED, FIXED",
    "TRUSTY_SECURITY_VM, false, 3, DEFERRED, DEFERRED",
    "TRUSTY_SECURITY_VM, false, 0, ROLLBACK_INDEX_ZERO, ROLLBACK_INDEX_ZERO",
  })
  void followsTheOrderOfTheRevision(
      String capabilities, boolean defer, long index, String january, String march) {
    VerifiedPayload payload = payload(capabilities, index);
    assertOutcome(PvmfwRevision.JANUARY_2025, payload, defer, january);
    assertOutcome(PvmfwRevision.MARCH_2025, payload, defer, march);
  }

  private static void assertOutcome(
      PvmfwRevision revision, VerifiedPayload payload, boolean defer, String expected) {
    if (expected.startsWith("ROLLBACK")) {
      PvmFirmwareTest.assertError(
          () -> RollbackDecision.modeOf(revision, payload, defer, 1), PvmfwError.valueOf(expected));
    } else {
      assertThat(RollbackDecision.modeOf(revision, payload, defer, 1))
          .isEqualTo(Mode.valueOf(expected));
    }
  }

  private static VerifiedPayload payload(String capabilities, long index) {
    Set<Capability> set =
        Arrays.stream(capabilities.split(" "))
            .filter(word -> !word.isEmpty())
            .map(Capability::valueOf)
            .collect(Collectors.toSet());
    ByteSlice digest = ByteSlice.takeOver(new byte[32]);
    return new VerifiedPayload(
        false,
        digest,
        Optional.empty(),
        TestKeys.rsa2048().publicKey(),
        set,
        index,
        OptionalInt.empty(),
        Optional.empty(),
        digest);
  }
}
