package io.github.avf4j.attestation.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SampleDevice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.dice.DiceHandover;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SecretKeeperSessionTest {
  private static final AuthGraphDialect DIALECT = AuthGraphDialect.DEFAULT;
  private static final ByteSlice INSTANCE = SampleDevice.hash("instance");
  private static final SecretId OWN = SecretId.ofInstance(INSTANCE);
  private static final SecretId OTHER = SecretId.ofInstance(SampleDevice.hash("another"));

  private final DiceHandover machine = new SampleDevice("device").clientVm("a", 1, 7);
  private final ClientIdentity client = ClientIdentity.ofLocal(SampleDevice.chain(machine));
  private final SealingPolicy policy =
      SealingPolicy.forChain(client.chain(), PolicyRule.MICRODROID);
  private FileSecretKeeper all;
  private KeeperIdentity identity;
  private SecretKeeperSession session;

  @BeforeEach
  void open(@TempDir Path directory) {
    FileDeviceSecret device = FileDeviceSecret.openOrCreate(directory.resolve("device-secret"));
    all = FileSecretKeeper.open(directory.resolve("kept"), device);
    identity = KeeperIdentity.of(device);
    session = session();
  }

  private SecretKeeperSession session() {
    return new SecretKeeperSession(all.limitedTo(Set.of(OWN)), identity, DIALECT);
  }

  private static ByteSlice slice(byte[] bytes) {
    return ByteSlice.takeOver(bytes);
  }

  private AuthGraphSource source() {
    return new AuthGraphSource(client, SampleDevice.leafKey(machine), DIALECT);
  }

  private SecretKeeper connect() {
    AuthGraphSource source = source();
    AuthGraphSink.Answer answer =
        AuthGraphSink.Answer.decode(slice(session.begin(slice(source.hello().encode()))));
    AuthGraphSource.Result finished = source.finish(answer, identity.publicKey());
    session.complete(finished.signature());
    return SecretKeeperProtocol.client(
        request ->
            finished
                .channel()
                .open(slice(session.answer(slice(finished.channel().seal(request))))));
  }

  private static void assertRefused(ThrowingCallable call) {
    assertThatExceptionOfType(AttestationException.class).isThrownBy(call);
  }

  @Test
  void keepsASecretFromOneSessionToTheNext() {
    try (SecretBytes created = connect().getOrCreate(OWN, policy, client)) {
      // In one life of the machine, too.
      try (SecretBytes again = connect().get(OWN, Optional.of(policy), client)) {
        assertThat(again).isEqualTo(created);
      }
      session.close();
      session = session();
      try (SecretBytes later = connect().get(OWN, Optional.empty(), client)) {
        assertThat(later).isEqualTo(created);
      }
    }
  }

  @Test
  void aClientReachesItsOwnSecretsOnly() {
    all.getOrCreate(OTHER, policy, client).close();
    SecretKeeper remote = connect();
    for (SecretId id : new SecretId[] {OTHER, SecretId.ofPayloadValue(INSTANCE)}) {
      assertMalformed(() -> remote.get(id, Optional.empty(), client));
      assertMalformed(() -> remote.store(id, SecretKeeper.randomSecret(), policy, client));
    }
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> all.limitedTo(Set.of(OWN)).delete(OWN));
  }

  private static void assertMalformed(ThrowingCallable call) {
    assertThatExceptionOfType(SecretKeeperException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.error()).isEqualTo(SecretKeeperError.REQUEST_MALFORMED));
  }

  @Test
  void nothingIsAnsweredOutOfTurn() {
    assertRefused(() -> session.answer(slice(new byte[] {(byte) 0x80})));
    assertRefused(() -> session.complete(slice(new byte[] {(byte) 0x80})));
    session.begin(slice(source().hello().encode()));
    assertRefused(() -> session.answer(slice(new byte[] {(byte) 0x80})));
    // A wrong signature ends the exchange.
    assertRefused(() -> session.complete(slice(new byte[] {(byte) 0x80})));
    assertRefused(() -> session.complete(slice(new byte[] {(byte) 0x80})));
    connect().getOrCreate(OWN, policy, client).close();
    session.close();
    assertRefused(() -> session.begin(slice(source().hello().encode())));
    assertRefused(() -> session.answer(slice(new byte[] {(byte) 0x80})));
    session.close();
  }

  @Test
  void aNewExchangeEndsTheSessionBefore() {
    SecretKeeper first = connect();
    session.begin(slice(source().hello().encode()));
    assertRefused(() -> first.get(OWN, Optional.empty(), client));
  }

  @Test
  void hostileMessagesAreRefusedAndChangeNothing() {
    byte[] hello = source().hello().encode();
    Random random = new Random(5);
    for (int i = 0; i < 300; i++) {
      byte[] changed = hello.clone();
      // Any point may be an exchange key, and any 16 bytes a nonce: chain and key are elsewhere.
      changed[90 + random.nextInt(changed.length - 110)] ^= (byte) (1 << random.nextInt(8));
      assertRefused(() -> session.begin(slice(changed)));
      byte[] noise = new byte[random.nextInt(200)];
      random.nextBytes(noise);
      assertRefused(() -> session.begin(slice(noise)));
    }
    SecretKeeper remote = connect();
    for (int i = 0; i < 300; i++) {
      byte[] noise = new byte[random.nextInt(200)];
      random.nextBytes(noise);
      assertRefused(() -> session.answer(slice(noise)));
    }
    remote.getOrCreate(OWN, policy, client).close();
  }

  @Test
  void theIdentityHangsOnTheDeviceSecretAlone(@TempDir Path other) {
    FileDeviceSecret device = FileDeviceSecret.openOrCreate(other.resolve("device-secret"));
    assertThat(KeeperIdentity.of(device).publicKey())
        .isEqualTo(KeeperIdentity.of(device).publicKey())
        .isNotEqualTo(identity.publicKey());
  }
}
