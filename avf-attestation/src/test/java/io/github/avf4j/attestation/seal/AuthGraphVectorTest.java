package io.github.avf4j.attestation.seal;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceKeys;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** An exchange that was computed apart from this code; the guest is tested with the same. */
class AuthGraphVectorTest {
  private static final AuthGraphDialect DIALECT = AuthGraphDialect.DEFAULT;

  private final JsonNode vector = Vectors.json("avf/authgraph_session_computed.json");
  private final ExchangeKey sourceKey = ExchangeKey.ofScalar(hex("source_scalar"), DIALECT);
  private final ExchangeKey sinkKey = ExchangeKey.ofScalar(hex("sink_scalar"), DIALECT);
  private final CosePrivateKey clientKey =
      DiceKeys.keyPair(CoseAlgorithm.ED25519, secret("source_cdi_attest"));
  private final CosePrivateKey keeperKey =
      CosePrivateKey.ofSecret(CoseAlgorithm.ED25519, secret("sink_seed"));
  private final ClientIdentity client =
      ClientIdentity.ofLocal(DiceChain.decode(hex("source_chain")));
  private final ClientIdentity keeper = ClientIdentity.ofRootKey(keeperKey.publicKey());

  private ByteSlice hex(String name) {
    return Vectors.hex(vector, name);
  }

  private SecretBytes secret(String name) {
    return SecretBytes.takeOver(hex(name).toByteArray());
  }

  private AuthGraphKeys keys(SecretBytes shared) {
    return AuthGraphKeys.derive(
        shared,
        new AuthGraphTranscript(
            1,
            sinkKey.publicKey(),
            sourceKey.publicKey(),
            hex("sink_nonce"),
            hex("source_nonce"),
            keeper,
            client),
        DIALECT);
  }

  @Test
  void writesAndReadsTheMessagesOfTheExchange() {
    AuthGraphSource.Hello hello =
        new AuthGraphSource.Hello(
            sourceKey.publicKey(), client.encode(), hex("source_nonce"), DIALECT.version());
    assertThat(ByteSlice.takeOver(hello.encode())).isEqualTo(hex("hello"));
    assertThat(AuthGraphSource.Hello.decode(hex("hello"))).isEqualTo(hello);

    AuthGraphSink.Answer answer = AuthGraphSink.Answer.decode(hex("answer"));
    assertThat(ByteSlice.takeOver(answer.encode())).isEqualTo(hex("answer"));
    assertThat(answer.exchangeKey()).isEqualTo(sinkKey.publicKey());
    assertThat(answer.identity()).isEqualTo(keeper.encode());
    assertThat(answer.sessionId()).isEqualTo(hex("session_id"));
  }

  @Test
  void bothSidesAgreeOnTheSessionAndItsSignatures() {
    SecretBytes shared = sourceKey.agree(sinkKey.publicKey(), DIALECT);
    assertThat(shared).isEqualTo(sinkKey.agree(sourceKey.publicKey(), DIALECT));
    assertThat(shared).isEqualTo(secret("shared"));
    AuthGraphKeys keys = keys(shared);
    assertThat(keys.sessionId()).isEqualTo(hex("session_id"));
    assertThat(keys.sign(clientKey)).isEqualTo(hex("signature"));
    assertThat(keys.sign(keeperKey))
        .isEqualTo(AuthGraphSink.Answer.decode(hex("answer")).signature());
    keys.verify(client, hex("signature"));
  }

  @Test
  void opensTheMessagesOfTheSessionInTheirOrder() {
    AuthGraphKeys keys = keys(secret("shared"));
    SecretChannel source = keys.channel(true, DIALECT);
    SecretChannel sink = keys.channel(false, DIALECT);
    for (JsonNode message : vector.required("messages")) {
      assertThat(sink.open(Vectors.hex(message, "sealed_request")).toByteArray())
          .isEqualTo(Vectors.hex(message, "request").toByteArray());
      assertThat(source.open(Vectors.hex(message, "sealed_response")).toByteArray())
          .isEqualTo(Vectors.hex(message, "response").toByteArray());
    }
  }

  @Test
  void writesTheRequestsOfTheInterface() {
    SealingPolicy policy = SealingPolicy.forChain(client.chain(), PolicyRule.MICRODROID);
    ByteSlice instance = hex("instance_id");
    JsonNode messages = vector.required("messages");
    try (SecretBytes store =
            SecretKeeperProtocol.storeRequest(
                SecretId.ofInstance(instance), secret("secret"), policy);
        SecretBytes get =
            SecretKeeperProtocol.getRequest(
                SecretId.ofPayloadValue(instance), Optional.of(policy))) {
      assertThat(ByteSlice.copyOf(store.toByteArray()))
          .isEqualTo(Vectors.hex(messages.get(0), "request"));
      assertThat(ByteSlice.copyOf(get.toByteArray()))
          .isEqualTo(Vectors.hex(messages.get(1), "request"));
    }
  }
}
