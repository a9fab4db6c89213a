package io.github.avf4j.binder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The client against bytes: those that libbinder sends, and those of hostile servers. */
class RpcSessionTest {
  private static final String ID =
      "cc2c6dba45b3bc4ca791174f3079aead9dda8f1a440512ca514b6385aaf130cb";
  private static final String HELLO =
      """
      < 02000000 0000 0000000000000000 0000 63636900 00000000
      > 02000000 00000000
      """;
  private static final String SPECIAL = "00000000 28000000 0000000000000000 0000000000000000 ";
  private static final String NO_PARCEL = "0000000000000000 00000000 000000000000000000000000";
  private static final String THREADS =
      "< "
          + SPECIAL
          + "01000000 00000000 "
          + NO_PARCEL
          + "\n"
          + "> 01000000 18000000 0000000000000000 00000000 04000000 000000000000000000000000 01000000\n";
  private static final String SESSION =
      "< "
          + SPECIAL
          + "02000000 00000000 "
          + NO_PARCEL
          + "\n"
          + "> 01000000 38000000 0000000000000000 00000000 24000000 000000000000000000000000 20000000"
          + ID
          + "\n";
  private static final String GET_ROOT = "< " + SPECIAL + "00000000 00000000 " + NO_PARCEL + "\n";
  private static final String ROOT =
      GET_ROOT
          + "> 01000000 28000000 0000000000000000 00000000 10000000 000000000000000000000000"
          + " 01000000 03000000 00000000 0c000000 00000000\n";
  private static final String SET_UP = HELLO + THREADS + SESSION + ROOT;
  private static final String TOKEN = "09000000 640065006d006f002e00490041006400 64000000";
  private static final String ADD =
      "< 00000000 48000000 0000000000000000 0300000000000000 01000000 00000000 0000000000000000"
          + " 20000000 000000000000000000000000 "
          + TOKEN
          + " 03000000 04000000\n";
  private static final String DEC_ROOT =
      "> 02000000 10000000 0000000000000000 03000000 00000000 01000000 00000000\n";
  private static final String SEVEN =
      "> 01000000 1c000000 0000000000000000 00000000 08000000 000000000000000000000000"
          + " 00000000 07000000\n";
  private static final String GIVE_ROOT_BACK =
      "< 02000000 10000000 0000000000000000 03000000 00000000 01000000 00000000\n";

  private static ParcelWriter call() {
    return ParcelWriter.forInterface("demo.IAdd");
  }

  private static int add(RpcSession session) {
    return session.root().call(1, call().writeInt(3).writeInt(4)).readInt();
  }

  @Test
  void sendsWhatLibbinderSends() throws Exception {
    String askInterface =
        "< 00000000 28000000 0000000000000000 0300000000000000 46544e5f 00000000 "
            + NO_PARCEL
            + "\n";
    String answer =
        "> 01000000 2c000000 0000000000000000 00000000 18000000 000000000000000000000000"
            + TOKEN
            + "\n";
    try (ScriptedServer server =
        new ScriptedServer(
            SET_UP + askInterface + DEC_ROOT + answer + ADD + DEC_ROOT + SEVEN + GIVE_ROOT_BACK)) {
      try (RpcSession session = RpcSession.connect(server::connect)) {
        assertThat(session.version()).isEqualTo(2);
        assertThat(session.root().descriptor()).isEqualTo("demo.IAdd");
        assertThat(add(session)).isEqualTo(7);
        session.root().close();
        assertThat(session.isOpen()).isFalse();
      }
      server.await();
    }
  }

  @Test
  void shakesHandsByTheVector() throws Exception {
    StringBuilder main = new StringBuilder();
    StringBuilder second = new StringBuilder();
    JsonNode steps;
    try (InputStream in = getClass().getResourceAsStream("/vectors/rpc-binder-handshake.json")) {
      steps = new ObjectMapper().readTree(in);
    }
    for (JsonNode step : steps) {
      boolean isSecond = step.get("what").asText().startsWith("second socket");
      (isSecond ? second : main)
          .append(step.get("direction").asText().equals("C>S") ? "< " : "> ")
          .append(step.get("hex").asText())
          .append('\n');
    }
    second.append("> 63636900 00000000\n");
    try (ScriptedServer server = new ScriptedServer(main.toString(), second.toString())) {
      RpcSessionOptions options =
          RpcSessionOptions.defaults().withMaxVersion(1).withCallbackConnections(1);
      // In the vector, the second socket comes before the root is asked for, as here.
      try (RpcSession session = RpcSession.connect(server::connect, options)) {
        assertThat(session.version()).isEqualTo(1);
        session
            .root()
            .call(
                1,
                ParcelWriter.forInterface(
                    "android.system.virtualmachineservice.IVirtualMachineService"));
      }
      server.await();
    }
  }

  @Test
  void speaksVersion0() throws Exception {
    String script =
        HELLO.replace("> 02", "> 00")
            + THREADS.replaceAll("> .*", "> 01000000 08000000 0000000000000000 00000000 01000000")
            + SESSION.replaceAll(
                "> .*", "> 01000000 28000000 0000000000000000 00000000 20000000" + ID)
            + GET_ROOT
            + "> 01000000 14000000 0000000000000000 00000000 01000000 0300000000000000 0c000000\n"
            + ADD
            + DEC_ROOT
            + "> 01000000 0c000000 0000000000000000 00000000 00000000 07000000\n";
    try (ScriptedServer server = new ScriptedServer(script)) {
      try (RpcSession session = RpcSession.connect(server::connect)) {
        assertThat(session.version()).isZero();
        assertThat(add(session)).isEqualTo(7);
      }
      server.await();
    }
  }

  @Test
  void servesACallBackWhereItWaits() throws Exception {
    String script =
        SET_UP
            + "< 00000000 54000000 0000000000000000 0300000000000000 03000000 00000000 0000000000000000"
            + " 28000000 000000000000000000000000 "
            + TOKEN
            + " 01000000 0100000000000000 0c000000 18000000\n"
            + "> 00000000 44000000 0000000000000000 0100000000000000 01000000 00000000 0000000000000000"
            + " 1c000000 000000000000000000000000"
            + " 08000000 640065006d006f002e00490043006200 00000000 05000000\n"
            + "< 02000000 10000000 0000000000000000 0100000000000000 01000000 00000000\n"
            + "< 01000000 18000000 0000000000000000 00000000 04000000 000000000000000000000000 00000000\n"
            + "> 02000000 10000000 0000000000000000 0100000000000000 01000000 00000000\n"
            + DEC_ROOT
            + "> 01000000 18000000 0000000000000000 00000000 04000000 000000000000000000000000 00000000\n";
    int[] got = new int[1];
    RpcService callback =
        new RpcService() {
          @Override
          public String descriptor() {
            return "demo.ICb";
          }

          @Override
          public void onTransact(int code, ParcelReader data, ParcelWriter reply) {
            got[0] = data.readInt();
          }
        };
    try (ScriptedServer server = new ScriptedServer(script)) {
      try (RpcSession session = RpcSession.connect(server::connect)) {
        session.root().call(3, call().writeStrongBinder(callback));
        assertThat(got[0]).isEqualTo(5);
        assertThat(session.isOpen()).isTrue();
      }
      server.await();
    }
  }

  @Test
  void numbersOnewayCalls() throws Exception {
    String oneway =
        "< 00000000 44000000 0000000000000000 0300000000000000 02000000 01000000 NUMBER00000000000000"
            + " 1c000000 000000000000000000000000 "
            + TOKEN
            + " 05000000\n";
    try (ScriptedServer server =
        new ScriptedServer(
            SET_UP
                + oneway.replace("NUMBER", "00")
                + DEC_ROOT
                + oneway.replace("NUMBER", "01")
                + DEC_ROOT
                + ADD
                + DEC_ROOT
                + SEVEN)) {
      try (RpcSession session = RpcSession.connect(server::connect)) {
        session.root().callOneway(2, call().writeInt(5));
        session.root().callOneway(2, call().writeInt(5));
        assertThat(add(session)).isEqualTo(7);
      }
      server.await();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "b6ffffff, UNKNOWN_TRANSACTION",
    "01000080, BAD_TYPE",
    "02000080, FAILED_TRANSACTION",
    "9cffffff, UNKNOWN_ERROR",
    "01000000, UNKNOWN_ERROR"
  })
  void reportsTheStatusOfAReplyAndGoesOn(String status, RpcStatus expected) throws Exception {
    String failed =
        "> 01000000 18000000 0000000000000000 "
            + status
            + " 00000000 000000000000000000000000 00000000\n";
    try (ScriptedServer server =
        new ScriptedServer(SET_UP + ADD + DEC_ROOT + failed + ADD + DEC_ROOT + SEVEN)) {
      try (RpcSession session = RpcSession.connect(server::connect)) {
        assertThatThrownBy(() -> add(session))
            .isInstanceOfSatisfying(
                RpcStatusException.class, e -> assertThat(e.status()).isEqualTo(expected));
        assertThat(add(session)).isEqualTo(7);
      }
      server.await();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // An unknown command; bodies that are too long, too short, and of negative size.
        "03000000 00000000 0000000000000000",
        "01000000 15600900 0000000000000000",
        "01000000 10000000 0000000000000000",
        "00000000 ffffffff 0000000000000000",
        "02000000 14000000 0000000000000000 03000000 00000000 01000000 00000000 00000000",
        // References: none, too many, of nobody.
        "02000000 10000000 0000000000000000 03000000 00000000 00000000 00000000",
        "02000000 10000000 0000000000000000 03000000 00000000 02000000 00000000",
        "02000000 10000000 0000000000000000 03000000 01000000 01000000 00000000",
        "02000000 10000000 0000000000000000 03000000 00000000 ffffffff 00000000",
        // Calls of an object of the server's own, and of one that is not there.
        "00000000 28000000 0000000000000000 0300000000000000 01000000 00000000 0000000000000000"
            + " 00000000 000000000000000000000000",
        "00000000 28000000 0000000000000000 0100000000000000 01000000 00000000 0000000000000000"
            + " 00000000 000000000000000000000000",
        // A parcel longer than its message; a table of an odd size.
        "01000000 18000000 0000000000000000 00000000 05000000 000000000000000000000000 00000000",
        "01000000 18000000 0000000000000000 00000000 02000000 000000000000000000000000 00000000",
        // Objects: beyond the parcel, none, a descriptor, without stability, of this side,
        // overlapping.
        "01000000 1c000000 0000000000000000 00000000 04000000 000000000000000000000000 01000000 00000000",
        "01000000 1c000000 0000000000000000 00000000 04000000 000000000000000000000000 01000000 fcffffff",
        "01000000 28000000 0000000000000000 00000000 10000000 000000000000000000000000"
            + " 00000000 00000000 00000000 0c000000 00000000",
        "01000000 28000000 0000000000000000 00000000 10000000 000000000000000000000000"
            + " 02000000 00000000 00000000 0c000000 00000000",
        "01000000 28000000 0000000000000000 00000000 10000000 000000000000000000000000"
            + " 01000000 03000000 01000000 00000000 00000000",
        "01000000 28000000 0000000000000000 00000000 10000000 000000000000000000000000"
            + " 01000000 01000000 01000000 0c000000 00000000",
        "01000000 3c000000 0000000000000000 00000000 20000000 000000000000000000000000"
            + " 01000000 03000000 01000000 0c000000 01000000 03000000 01000000 0c000000 00000000 04000000"
      })
  void endsTheSessionOfAServerThatBreaksTheProtocol(String answer) throws Exception {
    try (ScriptedServer server = new ScriptedServer(SET_UP + ADD + "> " + answer + "\n");
        RpcSession session = RpcSession.connect(server::connect)) {
      assertThatThrownBy(() -> add(session)).isInstanceOf(RpcProtocolException.class);
      assertThat(session.isOpen()).isFalse();
      assertThatThrownBy(() -> add(session))
          .isInstanceOf(RpcSessionEndedException.class)
          .hasMessageContaining("broke the protocol");
      server.await();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "> 03000000 00000000\n",
        "> 000000f0 00000000\n",
        "> ffffffff 00000000\n",
      })
  void refusesAVersionThatWasNotOffered(String answer) throws Exception {
    try (ScriptedServer server = new ScriptedServer(answer)) {
      assertThatThrownBy(() -> RpcSession.connect(server::connect))
          .isInstanceOf(RpcProtocolException.class)
          .hasMessageContaining("version");
    }
  }

  @Test
  void refusesAServerWithoutRootThreadsOrId() throws Exception {
    String reply =
        "> 01000000 %s000000 0000000000000000 00000000 %s000000 000000000000000000000000 ";
    String[] scripts = {
      HELLO + THREADS.replaceAll("01000000\n$", "00000000\n"),
      HELLO + THREADS.replaceAll("> .*", String.format(reply, "14", "00")),
      HELLO
          + THREADS
          + SESSION.replaceAll("> .*", String.format(reply, "1c", "08") + "0400000000000000"),
      HELLO
          + THREADS
          + SESSION
          + GET_ROOT
          + String.format(reply, "1c", "08")
          + "0000000000000000\n",
    };
    for (String script : scripts) {
      try (ScriptedServer server = new ScriptedServer(script)) {
        assertThatThrownBy(() -> RpcSession.connect(server::connect))
            .isInstanceOf(RpcProtocolException.class);
        server.await();
      }
    }
  }

  @Test
  void aServerThatDoesNotAnswerLosesTheSession() throws Exception {
    RpcSessionOptions options = RpcSessionOptions.defaults().withTimeout(Duration.ofMillis(300));
    try (ScriptedServer mute = new ScriptedServer("")) {
      assertThatThrownBy(() -> RpcSession.connect(mute::connect, options))
          .isInstanceOf(RpcSessionEndedException.class)
          .hasMessageContaining("not answered within PT0.3S");
    }
    try (ScriptedServer server = new ScriptedServer(SET_UP + ADD);
        RpcSession session = RpcSession.connect(server::connect, options)) {
      assertThatThrownBy(() -> add(session))
          .isInstanceOf(RpcSessionEndedException.class)
          .hasMessageContaining("not answered within PT0.3S");
      assertThat(session.isOpen()).isFalse();
    }
  }

  @Test
  void aClosedSessionAndAServerThatIsNotThereAreSaidToBeSo() throws Exception {
    try (ScriptedServer server = new ScriptedServer(SET_UP)) {
      RpcSession session = RpcSession.connect(server::connect);
      session.close();
      assertThatThrownBy(() -> add(session))
          .isInstanceOf(RpcSessionEndedException.class)
          .hasMessage("the session was closed");
    }
    assertThatThrownBy(
            () ->
                RpcSession.connect(
                    () -> {
                      throw new IOException("nobody there");
                    }))
        .isInstanceOf(RpcSessionEndedException.class)
        .hasMessageContaining("nobody there");
  }

  @Test
  void refusesWhatCannotBeSent() throws Exception {
    try (ScriptedServer server = new ScriptedServer(SET_UP + ADD + DEC_ROOT + SEVEN);
        ScriptedServer other = new ScriptedServer(SET_UP);
        RpcSession session = RpcSession.connect(server::connect);
        RpcSession foreign = RpcSession.connect(other::connect)) {
      assertThatThrownBy(() -> session.root().call(1, call().writeByteArray(new byte[614_400])))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("must be shorter than");
      assertThatThrownBy(() -> session.root().call(0, call()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("code must be in 1..16777215 but was 0");
      assertThatThrownBy(() -> session.root().call(1, call().writeStrongBinder(foreign.root())))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("not of this session");
      assertThat(add(session)).isEqualTo(7);
    }
  }

  @Test
  void optionsHaveBounds() {
    RpcSessionOptions options = RpcSessionOptions.defaults();
    assertThatThrownBy(() -> options.withMaxVersion(3))
        .hasMessage("maxVersion must be in 0..2 but was 3");
    assertThatThrownBy(() -> options.withConnections(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> options.withCallbackConnections(9))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> options.withTimeout(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
