package io.github.avf4j.microdroid.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.microdroid.report.HostMessages.Status;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class HostMessagesTest {
  private static final ByteSlice ID = id((byte) 7);

  private static ByteSlice id(byte value) {
    byte[] bytes = new byte[64];
    Arrays.fill(bytes, value);
    return ByteSlice.takeOver(bytes);
  }

  private static byte[] boot(boolean isNew, boolean deferred) {
    try (SecretBytes handover = SecretBytes.copyOf(new byte[] {10, 11});
        SecretBytes frame =
            HostMessages.boot(
                new HostMessages.Instance(isNew, deferred, ID, Optional.empty()), handover)) {
      return frame.toByteArray();
    }
  }

  @Test
  void bootHasFlagsAndIdAndHandover() {
    byte[] frame = boot(true, false);
    assertThat(frame).hasSize(4 + 1 + 4 + 64 + 2);
    assertThat(Arrays.copyOf(frame, 10)).containsExactly(71, 0, 0, 0, 1, 3, 0, 0, 0, 7);
    assertThat(Arrays.copyOfRange(frame, 72, 75)).containsExactly(7, 10, 11);
  }

  @Test
  void bootTellsANewInstanceAndOneThatProtectsItself() {
    assertThat(boot(false, false)[5]).isEqualTo((byte) 1);
    assertThat(boot(false, true)[5]).isEqualTo((byte) 5);
  }

  @Test
  void bootHasTheKeyOfTheKeeperBetweenIdAndHandover() {
    ByteSlice key = ByteSlice.takeOver(new byte[] {1, 2, 3});
    try (SecretBytes handover = SecretBytes.copyOf(new byte[] {10, 11});
        SecretBytes frame =
            HostMessages.boot(
                new HostMessages.Instance(false, true, ID, Optional.of(key)), handover)) {
      byte[] bytes = frame.toByteArray();
      assertThat(bytes[5]).isEqualTo((byte) 0xd);
      assertThat(Arrays.copyOfRange(bytes, 72, bytes.length))
          .containsExactly(7, 3, 0, 1, 2, 3, 10, 11);
    }
  }

  @Test
  void keeperResponsesHaveContentOrAReason() {
    assertThat(HostMessages.kept(new byte[] {8, 9})).containsExactly(4, 0, 0, 0, 3, 0, 8, 9);
    assertThat(HostMessages.kept(new byte[0])).containsExactly(2, 0, 0, 0, 3, 0);
    assertThat(HostMessages.notKept(Status.FAILED, "no"))
        .containsExactly(4, 0, 0, 0, 3, 2, 'n', 'o');
    assertThatThrownBy(() -> HostMessages.kept(new byte[65536]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void bootRefusesAnIdOfAnotherSize() {
    HostMessages.Instance instance =
        new HostMessages.Instance(true, false, ByteSlice.takeOver(new byte[63]), Optional.empty());
    try (SecretBytes handover = SecretBytes.copyOf(new byte[1])) {
      assertThatThrownBy(() -> HostMessages.boot(instance, handover))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("has 63");
    }
  }

  @Test
  void attestedHasEachCertificateBehindItsLength() {
    assertThat(HostMessages.attested(List.of(new byte[] {1, 2}, new byte[] {3})))
        .containsExactly(13, 0, 0, 0, 2, 0, 2, 0, 0, 0, 1, 2, 1, 0, 0, 0, 3);
  }

  @Test
  void certificatesThatDoNotFitAreRefused() {
    List<byte[]> large = List.of(new byte[65536]);
    assertThatThrownBy(() -> HostMessages.attested(large))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at most 65536 bytes");
  }

  @Test
  void notAttestedHasStatusAndReason() {
    assertThat(HostMessages.notAttested(Status.UNSUPPORTED, "no"))
        .containsExactly(4, 0, 0, 0, 2, 1, 'n', 'o');
    assertThat(HostMessages.notAttested(Status.FAILED, "x".repeat(5000))).hasSize(4 + 2 + 4096);
  }
}
