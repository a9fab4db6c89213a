package io.github.avf4j.attestation.pvmfw;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.TestKeys;
import io.github.avf4j.attestation.pvmfw.RollbackDecision.Mode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RollbackDecisionTest {
  private static final RollbackRules RULES = RollbackRules.of(1);

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
          () -> RollbackDecision.modeOf(revision, payload, defer, RULES),
          PvmfwError.valueOf(expected));
    } else {
      assertThat(RollbackDecision.modeOf(revision, payload, defer, RULES))
          .isEqualTo(Mode.valueOf(expected));
    }
  }

  private static final ByteSlice TRUSTY = ByteSlice.ofHex("ab".repeat(32));
  private static final RollbackRules BY_NAME =
      RollbackRules.of(1700000000)
          .withDesktopTrusty(TRUSTY)
          .withReserved(
              List.of(
                  new ReservedName("vendor_vm", 5, 1),
                  new ReservedName("own_vm", -1L >>> 1, ReservedName.OWN_KEY),
                  new ReservedName("nobody", -1, 0)));

  @ParameterizedTest
  @CsvSource({
    // name, capabilities, asks to defer, rollback index, key, outcome
    "rkp_vm, REMOTE_ATTEST, false, 1700000000, 0, FIXED",
    "rkp_vm, SECRETKEEPER_PROTECTION, true, 1700000000, 0, FIXED",
    "rkp_vm, REMOTE_ATTEST, false, 1700000001, 0, ROLLBACK_INDEX_MISMATCH",
    "rkp_vm, REMOTE_ATTEST, false, 1700000000, 1, ROLLBACK_KEY_MISMATCH",
    "desktop-trusty, TRUSTY_SECURITY_VM, false, 3, 0, ROLLBACK_NAME_RESERVED",
    "vendor_vm, '', false, 5, 2, FIXED",
    "vendor_vm, '', false, 5, 0, ROLLBACK_KEY_MISMATCH",
    "vendor_vm, '', false, 6, 2, ROLLBACK_INDEX_MISMATCH",
    "own_vm, '', false, 9223372036854775807, 0, FIXED",
    "own_vm, '', false, 9223372036854775807, 1, ROLLBACK_KEY_MISMATCH",
    "nobody, '', false, -1, 1, ROLLBACK_NAME_RESERVED",
    "other, REMOTE_ATTEST, false, 7, 0, LEGACY",
    "other, SECRETKEEPER_PROTECTION, true, 7, 3, DEFERRED",
    "'', SECRETKEEPER_PROTECTION, true, 0, 0, ROLLBACK_INDEX_ZERO",
    "other, TRUSTY_SECURITY_VM, false, 7, 0, DEFERRED",
  })
  void goesByNameAndKeySince2026(
      String name, String capabilities, boolean defer, long index, int key, String expected) {
    VerifiedPayload payload = payload(capabilities, index, name, key, new byte[32]);
    if (expected.startsWith("ROLLBACK")) {
      PvmFirmwareTest.assertError(
          () -> RollbackDecision.modeOf(PvmfwRevision.HEAD_2026, payload, defer, BY_NAME),
          PvmfwError.valueOf(expected));
    } else {
      assertThat(RollbackDecision.modeOf(PvmfwRevision.HEAD_2026, payload, defer, BY_NAME))
          .isEqualTo(Mode.valueOf(expected));
    }
  }

  @Test
  void knowsTheOneKernelOfDesktopTrusty() {
    VerifiedPayload payload = payload("", 0, "desktop-trusty", 0, TRUSTY.toByteArray());
    assertThat(RollbackDecision.modeOf(PvmfwRevision.HEAD_2026, payload, false, BY_NAME))
        .isEqualTo(Mode.FIXED);
    PvmFirmwareTest.assertError(
        () -> RollbackDecision.modeOf(PvmfwRevision.HEAD_2026, payload, false, RULES),
        PvmfwError.ROLLBACK_NAME_RESERVED);
    assertThat(RollbackDecision.modeOf(PvmfwRevision.MARCH_2025, payload, false, BY_NAME))
        .as("a name is a name")
        .isEqualTo(Mode.LEGACY);
  }

  @Test
  void readsReservedNames() {
    ByteBuffer blob = ByteBuffer.allocate(4 + 2 * 32 + 6).order(ByteOrder.LITTLE_ENDIAN);
    blob.putInt(2);
    blob.putLong(-1).putInt(0).putShort((short) 0xffff).putShort((short) 0).putLong(0).putLong(0);
    blob.putLong(7).putInt(4).putShort((short) 3).putShort((short) 0).putLong(0).putLong(0);
    blob.put("own\0b\0".getBytes(StandardCharsets.US_ASCII));
    byte[] bytes = blob.array();
    assertThat(ReservedName.parse(ByteSlice.copyOf(bytes)))
        .containsExactly(
            new ReservedName("own", -1, ReservedName.OWN_KEY), new ReservedName("b", 7, 3));
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertUnusable(cut);
    }
    assertUnusable(changed(bytes, 0, 0x7f));
    assertUnusable(changed(bytes, 3, 0x7f));
    assertUnusable(changed(bytes, 4 + 14, 1));
    assertUnusable(changed(bytes, 4 + 31, 1));
    assertUnusable(changed(bytes, 4 + 8, 3));
    assertUnusable(changed(bytes, 4 + 11, 0xff));
    assertUnusable(changed(bytes, 4 + 8, 4));
    assertUnusable(changed(bytes, 68, 0xff));
  }

  private static byte[] changed(byte[] bytes, int at, int value) {
    byte[] changed = bytes.clone();
    changed[at] = (byte) value;
    return changed;
  }

  private static void assertUnusable(byte[] blob) {
    PvmFirmwareTest.assertError(
        () -> ReservedName.parse(ByteSlice.copyOf(blob)), PvmfwError.CONFIG_INVALID_ROLLBACK);
  }

  private static VerifiedPayload payload(String capabilities, long index) {
    return payload(capabilities, index, "", 0, new byte[32]);
  }

  private static VerifiedPayload payload(
      String capabilities, long index, String name, int key, byte[] kernelDigest) {
    Set<Capability> set =
        Arrays.stream(capabilities.split(" "))
            .filter(word -> !word.isEmpty())
            .map(Capability::valueOf)
            .collect(Collectors.toSet());
    ByteSlice digest = ByteSlice.takeOver(kernelDigest);
    return new VerifiedPayload(
        false,
        digest,
        Optional.empty(),
        TestKeys.rsa2048().publicKey(),
        key,
        set,
        index,
        OptionalInt.empty(),
        name.isEmpty() ? Optional.empty() : Optional.of(name),
        digest);
  }
}
