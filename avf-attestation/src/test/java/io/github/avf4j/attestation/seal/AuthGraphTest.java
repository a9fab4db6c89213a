package io.github.avf4j.attestation.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SampleDevice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.InvalidSignatureException;
import io.github.avf4j.attestation.dice.DiceHandover;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AuthGraphTest {
  private static final AuthGraphDialect DIALECT = AuthGraphDialect.DEFAULT;

  private final DiceHandover machine = new SampleDevice("device").clientVm("a", 1, 7);
  private final ClientIdentity client = ClientIdentity.ofLocal(SampleDevice.chain(machine));
  private final CosePrivateKey clientKey = SampleDevice.leafKey(machine);
  private final CosePrivateKey keeperKey = key(1);
  private final ClientIdentity keeper = ClientIdentity.ofRootKey(keeperKey.publicKey());

  private static CosePrivateKey key(int fill) {
    byte[] seed = new byte[32];
    Arrays.fill(seed, (byte) fill);
    return CosePrivateKey.ofSecret(CoseAlgorithm.ED25519, SecretBytes.takeOver(seed));
  }

  private static SecretBytes text(String text) {
    return SecretBytes.takeOver(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  private static ByteSlice slice(byte[] bytes) {
    return ByteSlice.takeOver(bytes);
  }

  /** Both ends of a session. */
  private record Session(SecretChannel source, SecretChannel sink, ClientIdentity client) {}

  private Session connect() {
    AuthGraphSource source = new AuthGraphSource(client, clientKey, DIALECT);
    AuthGraphSink sink = new AuthGraphSink(keeper, keeperKey, DIALECT);
    AuthGraphSink.Answer answer = sink.answer(source.hello());
    AuthGraphSource.Result finished = source.finish(answer, keeperKey.publicKey());
    AuthGraphSink.Result completed = sink.complete(finished.signature());
    return new Session(finished.channel(), completed.channel(), completed.client());
  }

  @Test
  void carriesMessagesBothWays() {
    Session session = connect();
    assertThat(session.client()).isEqualTo(client);
    for (int i = 0; i < 30; i++) {
      SecretBytes message = text("message " + i);
      assertThat(session.sink().open(slice(session.source().seal(message)))).isEqualTo(message);
      assertThat(session.source().open(slice(session.sink().seal(message)))).isEqualTo(message);
    }
  }

  @Test
  void refusesRepeatedReorderedAndChangedMessages() {
    Session session = connect();
    byte[] first = session.source().seal(text("first"));
    byte[] second = session.source().seal(text("second"));
    assertRefused(session.sink(), second);
    byte[] changed = first.clone();
    changed[changed.length - 1] ^= 1;
    assertRefused(session.sink(), changed);
    assertRefused(session.source(), first);
    assertThat(session.sink().open(slice(first))).isEqualTo(text("first"));
    assertRefused(session.sink(), first);
    assertThat(session.sink().open(slice(second))).isEqualTo(text("second"));
    assertRefused(connect().sink(), first);
  }

  private static void assertRefused(SecretChannel channel, byte[] message) {
    assertThatExceptionOfType(SealException.class).isThrownBy(() -> channel.open(slice(message)));
  }

  @Test
  void refusesAKeeperWithAnotherKey() {
    AuthGraphSource source = new AuthGraphSource(client, clientKey, DIALECT);
    AuthGraphSink sink = new AuthGraphSink(keeper, keeperKey, DIALECT);
    AuthGraphSink.Answer answer = sink.answer(source.hello());
    assertThatExceptionOfType(SealException.class)
        .isThrownBy(() -> source.finish(answer, key(2).publicKey()))
        .withMessageContaining("root key");
  }

  @Test
  void refusesAnAnswerThatWasChangedOnTheWay() {
    AuthGraphSource source = new AuthGraphSource(client, clientKey, DIALECT);
    AuthGraphSink.Answer answer =
        new AuthGraphSink(keeper, keeperKey, DIALECT).answer(source.hello());
    AuthGraphSink.Answer changed =
        new AuthGraphSink.Answer(
            ExchangeKey.generate(DIALECT).publicKey(),
            answer.identity(),
            answer.nonce(),
            answer.version(),
            answer.sessionId(),
            answer.signature());
    assertThatExceptionOfType(InvalidSignatureException.class)
        .isThrownBy(() -> source.finish(changed, keeperKey.publicKey()));
  }

  @Test
  void refusesAClientWithoutTheKeyOfItsChain() {
    AuthGraphSource source = new AuthGraphSource(client, clientKey, DIALECT);
    AuthGraphSink sink = new AuthGraphSink(keeper, keeperKey, DIALECT);
    AuthGraphSink.Answer answer = sink.answer(source.hello());
    CosePrivateKey wrong = key(3);
    byte[] signature =
        io.github.avf4j.attestation.cose.CoseSign1.signDetached(
            wrong, answer.sessionId(), ByteSlice.EMPTY);
    assertThatExceptionOfType(InvalidSignatureException.class)
        .isThrownBy(() -> sink.complete(slice(signature)));
  }

  @Test
  void refusesKeysThatAreNotOfP256() {
    AuthGraphSource.Hello hello = new AuthGraphSource(client, clientKey, DIALECT).hello();
    byte[] key = hello.exchangeKey().toByteArray();
    key[key.length - 1] ^= 1;
    AuthGraphSource.Hello changed =
        new AuthGraphSource.Hello(slice(key), hello.identity(), hello.nonce(), hello.version());
    assertThatExceptionOfType(AttestationException.class)
        .isThrownBy(() -> new AuthGraphSink(keeper, keeperKey, DIALECT).answer(changed));
  }

  @Test
  void writesTheSequenceNumberAsAnInteger() {
    assertThat(DIALECT.externalAad(0).toHex()).isEqualTo("00");
    assertThat(DIALECT.externalAad(256).toHex()).isEqualTo("190100");
  }

  @Test
  void servesAKeeperThroughASession(@TempDir Path directory) {
    Session session = connect();
    SecretKeeper served =
        FileSecretKeeper.open(
            directory, FileDeviceSecret.openOrCreate(directory.resolve("device-secret")));
    SecretKeeper remote =
        SecretKeeperProtocol.client(
            request -> {
              try (SecretBytes plain = session.sink().open(slice(session.source().seal(request)));
                  SecretBytes response =
                      SecretKeeperProtocol.process(served, session.client(), plain)) {
                return session.source().open(slice(session.sink().seal(response)));
              }
            });
    SecretId id = SecretId.ofInstance(SampleDevice.hash("instance"));
    SealingPolicy policy = SealingPolicy.forChain(client.chain(), PolicyRule.MICRODROID);
    try (SecretBytes created = remote.getOrCreate(id, policy, client);
        SecretBytes again = remote.getOrCreate(id, policy, client);
        SecretBytes local = served.get(id, Optional.empty(), client)) {
      assertThat(again).isEqualTo(created);
      assertThat(local).isEqualTo(created);
    }
  }

  @Test
  void answersRequestsInTheFormOfTheInterface(@TempDir Path directory) {
    SecretKeeper served =
        FileSecretKeeper.open(
            directory, FileDeviceSecret.openOrCreate(directory.resolve("device-secret")));
    assertThat(process(served, "8101"))
        .isEqualTo(CborReader.decode(slice(new byte[] {(byte) 0x82, 0, 1})));
    assertThat(code(process(served, "8104"))).isEqualTo(2);
    assertThat(code(process(served, "80"))).isEqualTo(2);
    assertThat(code(process(served, "8403"))).isEqualTo(2);
    assertThat(code(process(served, "83035840" + "00".repeat(64) + "f6"))).isEqualTo(3);
  }

  private CborValue process(SecretKeeper served, String request) {
    return CborReader.decode(
        SecretKeeperProtocol.process(
                served, client, SecretBytes.takeOver(ByteSlice.ofHex(request).toByteArray()))
            .toByteArray());
  }

  private static long code(CborValue response) {
    return response.asArray().get(0).asLong();
  }
}
