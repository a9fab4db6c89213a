package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.dice.DiceChain;
import java.util.List;

/**
 * A client machine that passed the checks of {@link ServiceVm}.
 *
 * @param chain its chain
 * @param publicKey the key it wants certified
 * @param challenge of the relying party
 * @param secure whether every layer of the chain is in normal mode
 * @param components the parts of its payload
 */
public record ClientVm(
    DiceChain chain,
    CosePublicKey publicKey,
    ByteSlice challenge,
    boolean secure,
    List<VmComponent> components) {
  /** Copies the list. */
  public ClientVm {
    components = List.copyOf(components);
  }
}
