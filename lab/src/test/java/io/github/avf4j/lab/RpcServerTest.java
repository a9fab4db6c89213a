package io.github.avf4j.lab;

import static io.github.avf4j.lab.TestMachines.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.Payload;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VsockChannel;
import io.github.avf4j.binder.ParcelReader;
import io.github.avf4j.binder.ParcelWriter;
import io.github.avf4j.binder.RpcBinder;
import io.github.avf4j.binder.RpcService;
import io.github.avf4j.binder.RpcServiceException;
import io.github.avf4j.binder.RpcSession;
import io.github.avf4j.binder.RpcStatus;
import io.github.avf4j.binder.RpcStatusException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A payload in C that serves the host by RPC Binder, and a client in Java. */
@Tag("e2e")
@Timeout(value = 400, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class RpcServerTest {
  private static final long PORT = 5003;
  private static final String ADDER = "io.github.avf4j.lab.IAdder";

  /** {@code int next(int value)}. */
  private static final class Next implements RpcService {
    private int calls;

    @Override
    public String descriptor() {
      return "io.github.avf4j.lab.ICallback";
    }

    @Override
    public void onTransact(int code, ParcelReader data, ParcelWriter reply) {
      calls++;
      reply.writeInt(data.readInt() + 1);
    }
  }

  @TempDir Path folder;

  @Test
  void aPayloadServesTheHostByRpcBinder() throws Exception {
    Path apk = folder.resolve("lab.apk");
    TestApk.write(apk, "alice", 1, "");
    try (TestMachines machines = new TestMachines()) {
      VirtualMachine vm =
          machines.create(
              "adder", Vaults.config(apk).payload(Payload.apk(apk).withBinaryName(TestApk.ADDER)));
      Vaults.start(vm);
      try (RpcSession session = RpcSession.connect(() -> vm.connectVsock(PORT))) {
        RpcBinder adder = session.root();
        assertThat(adder.descriptor()).isEqualTo(ADDER);
        assertThat(adder.call(1, call().writeInt(3).writeInt(4)).readInt()).isEqualTo(7);
        assertSecrets(adder);
        Next next = new Next();
        assertThat(adder.call(3, call().writeStrongBinder(next).writeInt(40)).readInt())
            .isEqualTo(42);
        assertThat(next.calls).isEqualTo(2);
        assertFailures(adder);
      }
      assertOneClientDoesNotHarmAnother(vm);
      assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
      assertThat(vm.getPayloadExitCode()).contains(9);
    }
  }

  private static ParcelWriter call() {
    return ParcelWriter.forInterface(ADDER);
  }

  private static void assertSecrets(RpcBinder adder) {
    byte[] secret = adder.call(2, call().writeString("one")).readByteArray();
    assertThat(secret)
        .hasSize(32)
        .isEqualTo(adder.call(2, call().writeString("one")).readByteArray())
        .isNotEqualTo(adder.call(2, call().writeString("two")).readByteArray());
  }

  private static void assertFailures(RpcBinder adder) {
    assertThatThrownBy(() -> adder.call(4, call().writeInt(17).writeString("no")))
        .isInstanceOfSatisfying(
            RpcServiceException.class,
            e -> {
              assertThat(e.error()).isEqualTo(17);
              assertThat(e.text()).contains("no");
            });
    assertThatThrownBy(() -> adder.call(6, call()))
        .isInstanceOfSatisfying(
            RpcStatusException.class,
            e -> assertThat(e.status()).isEqualTo(RpcStatus.UNKNOWN_TRANSACTION));
    assertThatThrownBy(() -> adder.call(3, call().writeStrongBinder(null).writeInt(1)))
        .isInstanceOfSatisfying(
            RpcStatusException.class,
            e -> assertThat(e.status()).isEqualTo(RpcStatus.UNEXPECTED_NULL));
  }

  private static void assertOneClientDoesNotHarmAnother(VirtualMachine vm) throws Exception {
    try (RpcSession session = RpcSession.connect(() -> vm.connectVsock(PORT));
        VsockChannel hostile = vm.connectVsock(PORT)) {
      hostile.write(ByteBuffer.allocate(1 << 10));
      Channels.newInputStream(hostile).readAllBytes();
      assertThat(session.root().call(1, call().writeInt(1).writeInt(-2)).readInt()).isEqualTo(-1);
      session.root().callOneway(5, call().writeInt(9));
    }
  }
}
