package io.github.avf4j.microdroid.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BootStage;
import io.github.avf4j.ErrorCode;
import io.github.avf4j.microdroid.report.GuestReports.Report;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ProtocolException;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The bytes are those of the tests of {@code report.rs}, the writing side. */
class GuestReportsTest {
  private static final int[] HELLO = {13, 0, 0, 0, 1, 1, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};
  private static final int[] STARTED = {13, 0, 0, 0, 2, 0xd2, 4, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0};
  private static final int[] READY = {9, 0, 0, 0, 3, 2, 1, 0, 0, 0, 0, 0, 0};
  private static final int[] FINISHED = {9, 0, 0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0};
  private static final int[] KILLED = {9, 0, 0, 0, 4, 137, 0, 0, 0, 9, 0, 0, 0};
  private static final int[] ERROR = {10, 0, 0, 0, 5, 3, 0, 0, 0, 'n', 'o', ' ', 0xc3, 0xa4};

  private static List<Report> read(int[]... frames) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int[] frame : frames) {
      for (int value : frame) {
        bytes.write(value);
      }
    }
    return read(new ByteArrayInputStream(bytes.toByteArray()));
  }

  private static List<Report> read(InputStream in) throws IOException {
    GuestReports reports = new GuestReports(Channels.newChannel(in));
    List<Report> all = new ArrayList<>();
    Optional<Report> report;
    while ((report = reports.next()).isPresent()) {
      all.add(report.get());
    }
    return all;
  }

  @Test
  void readsTheLifeOfAPayload() throws IOException {
    assertThat(read(HELLO, STARTED, READY, FINISHED))
        .containsExactly(
            new GuestReports.Hello(0x0102030405060708L),
            new GuestReports.PayloadStarted(0x4d2, 5),
            new GuestReports.PayloadReady(258),
            new GuestReports.PayloadFinished(3));
  }

  @Test
  void readyMayBeLeftOut() throws IOException {
    assertThat(read(HELLO, STARTED, KILLED)).endsWith(new GuestReports.PayloadFinished(137));
  }

  @Test
  void errorMayComeBeforeTheGreeting() throws IOException {
    assertThat(read(ERROR))
        .containsExactly(new GuestReports.Failure(ErrorCode.PAYLOAD_INVALID_CONFIG, "no ä"));
  }

  @Test
  void nothingIsReadAfterTheLastReport() throws IOException {
    assertThat(read(HELLO, STARTED, FINISHED, FINISHED)).hasSize(3);
  }

  @Test
  void unknownErrorCodeIsUnknownAndControlCharactersAreReplaced() throws IOException {
    int[] error = {9, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 'a', 27, '\n', 'b'};
    error[0] = error.length - 4;
    assertThat(read(error)).containsExactly(new GuestReports.Failure(ErrorCode.UNKNOWN, "a  b"));
  }

  @Test
  void refusesToGoBack() {
    assertRefused("PAYLOAD_STARTED came when the guest was CONNECTED", STARTED);
    assertRefused("HELLO came when the guest was GREETED", HELLO, HELLO);
    assertRefused("PAYLOAD_READY came when the guest was GREETED", HELLO, READY);
    assertRefused("PAYLOAD_READY came when the guest was READY", HELLO, STARTED, READY, READY);
    assertRefused("PAYLOAD_STARTED came when the guest was READY", HELLO, STARTED, READY, STARTED);
    assertRefused("PAYLOAD_FINISHED came when the guest was GREETED", HELLO, FINISHED);
  }

  @Test
  void refusesWrongLengths() {
    assertRefused("must have 1 to 65536 bytes but has 0", new int[] {0, 0, 0, 0});
    assertRefused("but has 65537", new int[] {1, 0, 1, 0});
    assertRefused("but has 4294967295", new int[] {255, 255, 255, 255});
    assertRefused("HELLO has 0 bytes", new int[] {5, 0, 0, 0, 1, 1, 0, 0, 0});
    assertRefused("PAYLOAD_STARTED has 0", HELLO, new int[] {1, 0, 0, 0, 2});
    assertRefused("ERROR has a body", new int[] {4, 0, 0, 0, 5, 0, 0, 0});
    int[] longError = new int[4 + 5 + 4097];
    longError[0] = 5 + 4097 & 0xff;
    longError[1] = 5 + 4097 >> 8;
    longError[4] = 5;
    assertRefused("ERROR has a body", longError);
  }

  @Test
  void refusesUnknownKindsAndVersions() {
    assertRefused("unknown report kind 0", new int[] {1, 0, 0, 0, 0});
    assertRefused("unknown report kind 255", new int[] {1, 0, 0, 0, 255});
    int[] version2 = HELLO.clone();
    version2[5] = 2;
    assertRefused("speaks report version 2", version2);
    assertRefused("speaks report version 0", new int[] {1, 0, 0, 0, 1});
  }

  private static void assertRefused(String why, int[]... frames) {
    assertThatThrownBy(() -> read(frames))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining(why);
  }

  @Test
  void everyTruncationIsAnEarlyEnd() {
    for (int length = 0; length < HELLO.length; length++) {
      int[] part = java.util.Arrays.copyOf(HELLO, length);
      assertThatThrownBy(() -> read(part)).isInstanceOf(EOFException.class);
    }
  }

  @Test
  void readsFramesThatComeInPieces() throws IOException {
    byte[] bytes = new byte[HELLO.length + ERROR.length];
    for (int i = 0; i < HELLO.length; i++) {
      bytes[i] = (byte) HELLO[i];
    }
    for (int i = 0; i < ERROR.length; i++) {
      bytes[HELLO.length + i] = (byte) ERROR[i];
    }
    InputStream oneByOne =
        new ByteArrayInputStream(bytes) {
          @Override
          public int read(byte[] target, int offset, int length) {
            return super.read(target, offset, Math.min(1, length));
          }
        };
    assertThat(read(oneByOne)).hasSize(2);
  }

  private static int[] step(int step) {
    return new int[] {10, 0, 0, 0, 6, step, 9, 0, 0, 0, 0, 0, 0, 0};
  }

  private static int[] attestationRequest(int mode) {
    return new int[] {4, 0, 0, 0, 7, mode, 0x81, 0xff};
  }

  @Test
  void stepsComeInTheirOrderBeforeThePayload() throws IOException {
    assertThat(read(HELLO, step(1), step(3), step(6), STARTED, FINISHED))
        .contains(
            new GuestReports.Step(BootStage.HANDOVER_TAKEN, 9),
            new GuestReports.Step(BootStage.SECRETS_DERIVED, 9),
            new GuestReports.Step(BootStage.STORE_OPENED, 9));
    assertRefused("STEP 2 came after step 2", HELLO, step(2), step(2));
    assertRefused("STEP 0 came after step 0", HELLO, step(0));
    assertRefused("STEP 7 came after step 0", HELLO, step(7));
    assertRefused("STEP came when the guest was CONNECTED", step(1));
    assertRefused("STEP came when the guest was STARTED", HELLO, STARTED, step(1));
  }

  @Test
  void aPayloadThatRunsMayAskForACertificate() throws IOException {
    List<Report> reports =
        read(HELLO, STARTED, attestationRequest(1), READY, attestationRequest(0), FINISHED);
    assertThat(reports.get(2))
        .isInstanceOfSatisfying(
            GuestReports.AttestationRequest.class,
            request -> {
              assertThat(request.testMode()).isTrue();
              assertThat(request.csr()).containsExactly(0x81, 0xff);
            });
    assertThat(reports).hasSize(6);
    assertRefused("ATTESTATION_REQUEST came", HELLO, attestationRequest(0));
    assertRefused("ATTESTATION_REQUEST lacks", HELLO, STARTED, attestationRequest(2));
    assertRefused("ATTESTATION_REQUEST lacks", HELLO, STARTED, new int[] {2, 0, 0, 0, 7, 0});
  }

  @Test
  void aGuestMayAskTheKeeperAtAnyTimeAfterItsGreeting() throws IOException {
    int[] request = {4, 0, 0, 0, 8, 3, 0x83, 1};
    List<Report> reports = read(HELLO, request, STARTED, request, READY, request, FINISHED);
    assertThat(reports).hasSize(7);
    assertThat(reports.get(1))
        .isInstanceOfSatisfying(
            GuestReports.KeeperRequest.class,
            asked -> {
              assertThat(asked.step()).isEqualTo(GuestReports.KeeperStep.MESSAGE);
              assertThat(asked.content()).containsExactly(0x83, 1);
            });
    assertRefused("KEEPER_REQUEST came", request);
    for (int step : new int[] {0, 4, 255}) {
      assertRefused("KEEPER_REQUEST lacks", HELLO, new int[] {3, 0, 0, 0, 8, step, 1});
    }
    assertRefused("KEEPER_REQUEST lacks", HELLO, new int[] {2, 0, 0, 0, 8, 1});
    assertRefused("KEEPER_REQUEST lacks", HELLO, new int[] {1, 0, 0, 0, 8});
  }
}
