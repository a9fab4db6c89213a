package io.github.avf4j.attestation.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SampleDevice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.dice.DiceChainRules;
import io.github.avf4j.attestation.dice.DiceHandover;
import org.junit.jupiter.api.Test;

class ClientVmCsrTest {
  private static final JsonNode VECTOR = Vectors.json("avf/client_vm_csr_computed.json");
  private static final ByteSlice CSR = Vectors.slice("avf/client_vm_csr_computed.cbor");

  private static CosePrivateKey attestationKey() {
    return CosePrivateKey.ofSecret(
        CoseAlgorithm.ES256,
        SecretBytes.takeOver(Vectors.hex(VECTOR, "attestation_private_scalar").toByteArray()));
  }

  @Test
  void readsTheVector() {
    assertThat(Vectors.hex(VECTOR, "csr")).isEqualTo(CSR);
    ClientVmCsr csr = ClientVmCsr.decode(CSR);
    assertThat(csr.challenge()).isEqualTo(Vectors.hex(VECTOR, "challenge"));
    assertThat(csr.publicKey().encodeWithoutKeyOps())
        .isEqualTo(Vectors.hex(VECTOR, "attestation_cose_key").toByteArray());
    assertThat(csr.verify(DiceChainRules.DEFAULT).certificates()).hasSize(3);
  }

  /**
   * The guest's own code, in Rust, made it; its machine was booted by a host that plays firmware.
   */
  @Test
  void readsTheRequestOfTheGuest() {
    ClientVmCsr csr = ClientVmCsr.decode(Vectors.slice("avf/guest_csr.cbor"));
    assertThat(csr.challenge()).isEqualTo(ByteSlice.ofHex("c0ffee"));
    var chain = csr.verify(DiceChainRules.DEFAULT.withAnyMode(true).withDerivedIds(true));
    assertThat(chain.warnings()).isEmpty();
    assertThat(chain.chain().leaf().componentName()).hasValue(MicrodroidPayload.COMPONENT_NAME);
    assertThat(chain.certificates()).hasSize(4);
  }

  @Test
  void writesThePrivateKeyAsTheVectorHasIt() {
    try (CosePrivateKey key = attestationKey();
        SecretBytes der = ClientVmCsr.toEcPrivateKey(key)) {
      byte[] expected = Vectors.hex(VECTOR, "attestation_private_key_rfc5915_der").toByteArray();
      assertThat(der.toByteArray()).isEqualTo(expected);
      assertThat(EcDer.parseEcPrivateKey(expected).publicKey()).isEqualTo(key.publicKey());
    }
  }

  @Test
  void makesARequestThatItVerifies() {
    DiceHandover machine = new SampleDevice("device").clientVm("a", 1, 7);
    try (CosePrivateKey leafKey = SampleDevice.leafKey(machine);
        CosePrivateKey key = attestationKey()) {
      ByteSlice made =
          ClientVmCsr.make(
              SampleDevice.chain(machine), leafKey, key, Vectors.hex(VECTOR, "challenge"));
      ClientVmCsr csr = ClientVmCsr.decode(made);
      assertThat(csr.verify(DiceChainRules.DEFAULT).leafKey()).isEqualTo(leafKey.publicKey());
      // All but the chain and the signatures is that of the vector: the layout is the same.
      assertThat(made.toHex()).contains(VECTOR.required("csr_payload").textValue());
    }
  }

  @Test
  void refusesEveryFlippedBit() {
    byte[] bytes = CSR.toByteArray();
    for (int i = 0; i < bytes.length; i++) {
      byte[] changed = bytes.clone();
      changed[i] ^= (byte) (1 << i % 8);
      assertThat(
              catchThrowableOfType(
                  AttestationException.class,
                  () ->
                      ClientVmCsr.decode(ByteSlice.takeOver(changed))
                          .verify(DiceChainRules.DEFAULT)))
          .as("byte %d", i)
          .isNotNull();
    }
  }

  @Test
  void namesTheErrorsOfTheReference() {
    assertThat(error(ByteSlice.ofHex("80"))).isEqualTo(RequestProcessingError.CBOR_VALUE_ERROR);
    byte[] withoutPayload =
        new CborWriter().array(4).bytes(new byte[0]).map(0).nul().array(0).toByteArray();
    byte[] request =
        new CborWriter().array(2).bytes(new byte[0]).bytes(withoutPayload).toByteArray();
    assertThat(error(ByteSlice.takeOver(request))).isEqualTo(RequestProcessingError.INTERNAL_ERROR);
  }

  private static RequestProcessingError error(ByteSlice request) {
    return catchThrowableOfType(ServiceVmException.class, () -> ClientVmCsr.decode(request))
        .error();
  }
}
