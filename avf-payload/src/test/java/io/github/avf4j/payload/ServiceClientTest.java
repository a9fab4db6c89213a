package io.github.avf4j.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.payload.PayloadServiceException.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The bytes are those of the guest's {@code avf_formats::wire}. */
@Timeout(30)
class ServiceClientTest {
  @TempDir Path folder;

  @Test
  void sendsARequestAndReadsTheFieldsOfTheAnswer() throws Exception {
    try (FakeManager manager = FakeManager.ofBody(folder, new byte[] {0, 1, 2, 3})) {
      ByteBuffer fields =
          manager
              .client()
              .call(ServiceClient.INSTANCE_SECRET, new byte[] {3, 0, 0, 0}, new byte[] {'i', 'd'});
      assertThat(fields).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3}));
      assertThat(fields.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
      assertThat(manager.requests()).containsExactly(new byte[] {2, 3, 0, 0, 0, 'i', 'd'});
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1,SECURITY",
    "2,ILLEGAL_ARGUMENT",
    "3,UNSUPPORTED",
    "4,FAILED",
    "5,PROTOCOL",
    "255,PROTOCOL"
  })
  void saysWhyTheMachineRefuses(int status, Reason reason) throws Exception {
    byte[] body = "?because".getBytes(StandardCharsets.US_ASCII);
    body[0] = (byte) status;
    try (FakeManager manager = FakeManager.ofBody(folder, body)) {
      assertThatThrownBy(() -> manager.client().call(ServiceClient.NOTIFY_READY))
          .isInstanceOfSatisfying(
              PayloadServiceException.class, e -> assertThat(e.reason()).isEqualTo(reason))
          .hasMessageContaining(reason == Reason.PROTOCOL ? "status " + status : "because");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 1 << 30, (1 << 20) + (4 << 10) + 1})
  void refusesFramesOfAnImpossibleLength(int length) throws Exception {
    byte[] frame = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putInt(length).array();
    try (FakeManager manager = new FakeManager(folder, frame)) {
      assertThatThrownBy(() -> manager.client().call(ServiceClient.NOTIFY_READY))
          .isInstanceOfSatisfying(
              PayloadServiceException.class,
              e -> assertThat(e.reason()).isEqualTo(Reason.PROTOCOL));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 4, 5})
  void saysThatTheMachineDoesNotAnswer(int bytes) throws Exception {
    byte[] cut = java.util.Arrays.copyOf(new byte[] {9, 0, 0, 0, 0}, bytes);
    try (FakeManager manager = new FakeManager(folder, cut)) {
      assertThatThrownBy(() -> manager.client().call(ServiceClient.NOTIFY_READY))
          .isInstanceOfSatisfying(
              PayloadServiceException.class,
              e -> assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE));
    }
  }

  @Test
  void saysWhereItLookedForAMachine() {
    ServiceClient client = new ServiceClient(folder.resolve("nothing").toString());
    assertThatThrownBy(() -> client.call(ServiceClient.NOTIFY_READY))
        .isInstanceOfSatisfying(
            PayloadServiceException.class,
            e -> assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE))
        .hasMessageContaining(folder.resolve("nothing").toString())
        .hasMessageContaining("virtual machine?");
  }

  @Test
  void sendsNoRequestThatIsTooLong() {
    ServiceClient client = new ServiceClient(folder.resolve("nothing").toString());
    assertThatThrownBy(() -> client.call(ServiceClient.INSTANCE_SECRET, new byte[64 << 10]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> VmPayload.instanceSecret("a", 33))
        .hasMessage("size must be in 0..32 but was 33");
    assertThatThrownBy(() -> VmPayload.requestAttestation(new byte[65]))
        .hasMessage("challenge must have at most 64 bytes but has 65");
    assertThatThrownBy(() -> VmPayload.writeRollbackProtectedSecret(new byte[31]))
        .hasMessage("value must have 32 bytes but has 31");
    assertThatThrownBy(() -> VsockServer.listen(0)).hasMessageContaining("port must be in 1..");
  }
}
