package io.github.avf4j.microdroid.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.binder.ParcelReader;
import io.github.avf4j.binder.ParcelWriter;
import io.github.avf4j.binder.RpcBinder;
import io.github.avf4j.binder.RpcObject;
import io.github.avf4j.binder.RpcService;
import io.github.avf4j.binder.RpcServiceException;
import io.github.avf4j.binder.RpcSession;
import io.github.avf4j.binder.RpcSessionEndedException;
import io.github.avf4j.binder.RpcSessionOptions;
import io.github.avf4j.binder.RpcStatus;
import io.github.avf4j.binder.RpcStatusException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The client in Java against the guest's server in Rust, as a process of the host. */
@Timeout(60)
class RpcInteropTest {
  private static final Path PROGRAM =
      Path.of("target/cargo/x86_64-unknown-linux-gnu/release/binder-server");
  private static final int THREADS = 3;

  private Path folder;
  private Path socket;
  private Process server;

  /** {@code int twice(int)} and {@code oneway void notify(int)}. */
  private record Callback(IntUnaryOperator twice, BlockingQueue<Integer> notified)
      implements RpcService {
    @Override
    public String descriptor() {
      return "demo.ICallback";
    }

    @Override
    public void onTransact(int code, ParcelReader data, ParcelWriter reply) {
      switch (code) {
        case 1 -> reply.writeInt(twice.applyAsInt(data.readInt()));
        case 2 -> notified.add(data.readInt());
        default -> throw new RpcStatusException(RpcStatus.UNKNOWN_TRANSACTION);
      }
    }
  }

  @BeforeEach
  void start() throws IOException {
    // The path of a socket has at most 107 bytes.
    folder = Files.createTempDirectory(Path.of("/tmp"), "rpc");
    socket = folder.resolve("socket");
    server =
        new ProcessBuilder(PROGRAM.toString(), socket.toString(), Integer.toString(THREADS))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertThat(server.inputReader().readLine()).isEqualTo("ready");
  }

  @AfterEach
  void stop() throws Exception {
    server.getOutputStream().close();
    assertThat(server.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(server.exitValue()).isZero();
    Files.deleteIfExists(socket);
    Files.delete(folder);
  }

  private RpcSession connect(RpcSessionOptions options) {
    return RpcSession.connect(
        () -> SocketChannel.open(UnixDomainSocketAddress.of(socket)), options);
  }

  private static RpcSessionOptions version(int version) {
    return RpcSessionOptions.defaults().withMaxVersion(version);
  }

  private static ParcelWriter call() {
    return ParcelWriter.forInterface("demo.IAdd");
  }

  private static int add(RpcBinder adder, int a, int b) {
    return adder.call(1, call().writeInt(a).writeInt(b)).readInt();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void callsInEveryVersion(int version) {
    try (RpcSession session = connect(version(version))) {
      RpcBinder adder = session.root();
      assertThat(session.version()).isEqualTo(version);
      assertThat(adder.descriptor()).isEqualTo("demo.IAdd");
      adder.ping();
      assertThat(add(adder, 3, 4)).isEqualTo(7);
      assertThat(add(adder, Integer.MAX_VALUE, 1)).isEqualTo(Integer.MIN_VALUE);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void bringsEverythingThereAndBack(int version) {
    String text = "a\u00e4\ud83d\ude00\0z";
    byte[] bytes = new byte[50_001];
    bytes[50_000] = -1;
    try (RpcSession session = connect(version(version))) {
      ParcelWriter all = call();
      all.writeBoolean(true).writeByte((byte) -3).writeChar('\u20ac').writeInt(-4).writeLong(-5);
      all.writeFloat(0.5f).writeDouble(-0.25).writeString(text).writeString(null);
      all.writeByteArray(bytes).writeByteArray(null);
      all.writeIntArray(new int[] {1, -2}).writeLongArray(new long[] {3, -4});
      ParcelReader got = session.root().call(9, all);
      assertThat(got.readBoolean()).isTrue();
      assertThat(got.readByte()).isEqualTo((byte) -3);
      assertThat(got.readChar()).isEqualTo('\u20ac');
      assertThat(got.readInt()).isEqualTo(-4);
      assertThat(got.readLong()).isEqualTo(-5);
      assertThat(got.readFloat()).isEqualTo(0.5f);
      assertThat(got.readDouble()).isEqualTo(-0.25);
      assertThat(got.readString()).isEqualTo(text);
      assertThat(got.readString()).isNull();
      assertThat(got.readByteArray()).isEqualTo(bytes);
      assertThat(got.readByteArray()).isNull();
      assertThat(got.readIntArray()).containsExactly(1, -2);
      assertThat(got.readLongArray()).containsExactly(3, -4);
      assertThat(got.remaining()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void isCalledBackWhereItWaits(int version) {
    try (RpcSession session = connect(version(version).withConnections(1))) {
      RpcBinder adder = session.root();
      // The call back calls the server again, which waits for it on the only connection.
      Callback twice = new Callback(value -> add(adder, value, value), new LinkedBlockingQueue<>());
      for (int i = 0; i < 3; i++) {
        assertThat(adder.call(3, call().writeStrongBinder(twice).writeInt(21)).readInt())
            .isEqualTo(42);
      }
      Callback failing =
          new Callback(
              value -> {
                throw RpcServiceException.serviceSpecific(value, "no");
              },
              new LinkedBlockingQueue<>());
      assertThatThrownBy(() -> adder.call(3, call().writeStrongBinder(failing).writeInt(5)))
          .isInstanceOfSatisfying(
              RpcServiceException.class,
              e -> {
                assertThat(e.error()).isEqualTo(5);
                assertThat(e.text()).contains("no");
              });
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void objectsComeBackAsThemselves(int version) {
    try (RpcSession session = connect(version(version))) {
      RpcBinder adder = session.root();
      Callback own = new Callback(value -> value, new LinkedBlockingQueue<>());
      for (RpcObject object : new RpcObject[] {own, adder, null, own}) {
        assertThat(adder.call(4, call().writeStrongBinder(object)).readStrongBinder())
            .isSameAs(object);
      }
      RpcBinder fresh = adder.call(10, call()).readRemoteBinder();
      assertThat(fresh).isNotSameAs(adder);
      assertThat(add(fresh, 1, 2)).isEqualTo(3);
      assertThat(adder.call(4, call().writeStrongBinder(fresh)).readStrongBinder()).isSameAs(fresh);
      fresh.close();
      fresh.close();
      assertThatThrownBy(() -> add(fresh, 1, 2))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("was closed");
      assertThat(add(adder, 1, 2)).isEqualTo(3);
    }
  }

  @Test
  void manyObjectsAreNoMoreThanThoseThatAreOpen() {
    try (RpcSession session = connect(RpcSessionOptions.defaults())) {
      // More than a session may have at once; some are closed while the server is called.
      for (int i = 0; i < 5000; i++) {
        try (RpcBinder fresh = session.root().call(10, call()).readRemoteBinder()) {
          if (i % 8 == 0) {
            fresh.callOneway(2, call().writeInt(i));
          }
        }
      }
      assertThat(add(session.root(), 1, 2)).isEqualTo(3);
    }
  }

  @Test
  void onewayCallsRunInTheirOrder() {
    try (RpcSession session = connect(RpcSessionOptions.defaults())) {
      for (int i = 0; i < 200; i++) {
        session.root().callOneway(2, call().writeInt(i));
      }
      // They were sent on several connections in turn, or on one.
      String expected = IntStream.range(0, 200).boxed().toList().toString();
      String remembered = session.root().call(5, call()).readString();
      assertThat(remembered).isEqualTo(expected);
    }
  }

  @Test
  void isCalledOnConnectionsOfItsOwnForThat() throws Exception {
    LinkedBlockingQueue<Integer> notified = new LinkedBlockingQueue<>();
    Callback callback = new Callback(value -> value, notified);
    try (RpcSession session = connect(RpcSessionOptions.defaults())) {
      assertThatThrownBy(
              () -> session.root().call(8, call().writeStrongBinder(callback).writeInt(1)))
          .isInstanceOfSatisfying(
              RpcStatusException.class,
              e -> assertThat(e.status()).isEqualTo(RpcStatus.WOULD_BLOCK));
    }
    try (RpcSession session = connect(RpcSessionOptions.defaults().withCallbackConnections(2))) {
      List<Integer> got = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        session.root().call(8, call().writeStrongBinder(callback).writeInt(i));
        got.add(notified.poll(20, TimeUnit.SECONDS));
      }
      assertThat(got).isEqualTo(IntStream.range(0, 50).boxed().toList());
    }
  }

  @Test
  void severalThreadsCallAtOnce() throws Exception {
    try (RpcSession session = connect(RpcSessionOptions.defaults())) {
      List<CompletableFuture<Integer>> sums =
          IntStream.range(0, 8)
              .mapToObj(
                  thread ->
                      CompletableFuture.supplyAsync(
                          () -> {
                            int sum = 0;
                            for (int i = 0; i < 100; i++) {
                              sum = add(session.root(), sum, thread);
                            }
                            return sum;
                          }))
              .toList();
      for (int thread = 0; thread < sums.size(); thread++) {
        assertThat(sums.get(thread).get(30, TimeUnit.SECONDS)).isEqualTo(100 * thread);
      }
    }
  }

  @Test
  void failuresOfMethodsLeaveTheSession() {
    try (RpcSession session = connect(RpcSessionOptions.defaults())) {
      RpcBinder adder = session.root();
      assertThatThrownBy(() -> adder.call(6, fail(-5, 0, "not now")))
          .isInstanceOfSatisfying(
              RpcServiceException.class,
              e -> assertThat(e.code()).isEqualTo(RpcServiceException.Code.ILLEGAL_STATE))
          .hasMessage("the service threw ILLEGAL_STATE: not now");
      assertThatThrownBy(() -> adder.call(6, fail(-8, 12, null)))
          .isInstanceOfSatisfying(
              RpcServiceException.class, e -> assertThat(e.error()).isEqualTo(12));
      assertStatus(RpcStatus.NAME_NOT_FOUND, () -> adder.call(6, fail(-129, -2, null)));
      assertStatus(RpcStatus.UNKNOWN_TRANSACTION, () -> adder.call(99, call()));
      assertStatus(RpcStatus.NOT_ENOUGH_DATA, () -> adder.call(1, call().writeInt(1)));
      assertStatus(
          RpcStatus.BAD_TYPE, () -> adder.call(1, ParcelWriter.forInterface("demo.IOther")));
      assertStatus(RpcStatus.FAILED_TRANSACTION, () -> adder.call(7, call().writeInt(1 << 20)));
      assertThat(adder.call(7, call().writeInt(600_000)).readByteArray()).hasSize(600_000);
      assertThat(add(adder, 1, 2)).isEqualTo(3);
    }
  }

  private static ParcelWriter fail(int code, int error, String message) {
    return call().writeInt(code).writeInt(error).writeString(message);
  }

  private static void assertStatus(RpcStatus status, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            RpcStatusException.class, e -> assertThat(e.status()).isEqualTo(status));
  }

  @Test
  void aCallBackThatDiesOfAnErrorEndsTheSession() {
    Callback dying =
        new Callback(
            value -> {
              throw new LinkageError("for a test");
            },
            new LinkedBlockingQueue<>());
    try (RpcSession session = connect(RpcSessionOptions.defaults())) {
      assertThatThrownBy(() -> session.root().call(3, call().writeStrongBinder(dying).writeInt(5)))
          .isInstanceOf(LinkageError.class);
      assertThatThrownBy(() -> add(session.root(), 1, 2))
          .isInstanceOf(RpcSessionEndedException.class)
          .hasMessageContaining("broken off");
    }
  }

  @Test
  void aMethodThatHangsTakesItsSessionOnly() {
    RpcSessionOptions hasty = RpcSessionOptions.defaults().withTimeout(Duration.ofMillis(500));
    try (RpcSession session = connect(hasty);
        RpcSession other = connect(RpcSessionOptions.defaults())) {
      assertThatThrownBy(() -> session.root().call(11, call()))
          .isInstanceOf(RpcSessionEndedException.class);
      assertThat(add(other.root(), 1, 2)).isEqualTo(3);
    }
  }
}
