package io.github.avf4j.service.attest;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceChainRules;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceKeys;
import io.github.avf4j.attestation.dice.RkpInstance;
import io.github.avf4j.attestation.remote.AospRevision;
import io.github.avf4j.attestation.remote.HostRoot;
import io.github.avf4j.attestation.remote.ProvisioningRequest;
import io.github.avf4j.attestation.remote.RequestRules;
import io.github.avf4j.attestation.remote.RkpKeys;
import io.github.avf4j.attestation.remote.RkpVmCsr;
import io.github.avf4j.attestation.remote.ServiceVm;
import io.github.avf4j.microdroid.base.HostFirmware.ServiceVmLayer;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A service VM that was provisioned by this host's root: its key, kept as a real one keeps it, and
 * the certificates above those of guests.
 *
 * <p>Closing wipes the secret that opens the key. Confined to one thread at a time.
 */
final class ServiceVmHost implements AutoCloseable {
  private static final String NAME = "avf4j service VM, played by its host";
  private static final Duration VALIDITY = Duration.ofDays(30);

  /** Guests get certificates that are valid for half of that at least. */
  private static final Duration FRESH = Duration.ofDays(15);

  /** For relying parties whose clocks are late. */
  private static final Duration EARLIER = Duration.ofHours(1);

  private static final int CHALLENGE_SIZE = 32;

  // The host plays the firmware, whose layer is therefore in debug mode; certificates say so.
  private static final DiceChainRules RULES =
      DiceChainRules.DEFAULT.withAnyMode(true).withDerivedIds(true);

  private final ServiceVm serviceVm;
  private final RkpKeys keys;
  private final ByteSlice keyBlob;
  private final List<ByteSlice> issuers;
  private final Instant made;

  private ServiceVmHost(
      ServiceVm serviceVm, RkpKeys keys, ByteSlice keyBlob, List<ByteSlice> issuers, Instant made) {
    this.serviceVm = serviceVm;
    this.keys = keys;
    this.keyBlob = keyBlob;
    this.issuers = issuers;
    this.made = made;
  }

  /** Makes a key and has it certified; layer and root stay the caller's. */
  static ServiceVmHost provision(ServiceVmLayer layer, HostRoot root, Instant now) {
    DiceHandover handover = layer.handover();
    DiceChain chain = handover.chain().orElseThrow();
    RkpKeys keys = new RkpKeys(handover.cdis().seal());
    try {
      RkpKeys.KeyPair pair = keys.generate();
      requireProvisionable(handover, keys, pair, now);
      ByteSlice certificate =
          root.authority()
              .certify(keys.openMaced(pair.macedPublicKey()), NAME, now.minus(EARLIER), VALIDITY);
      ServiceVm serviceVm =
          ServiceVm.builder(chain)
              .kernel(layer.kernel())
              .revision(AospRevision.MARCH_2025)
              .chainRules(RULES)
              .build();
      return new ServiceVmHost(
          serviceVm, keys, pair.blob(), List.of(certificate, root.certificate()), now);
    } catch (RuntimeException e) {
      keys.close();
      throw e;
    }
  }

  /** The provisioning server's part: what it would refuse is not certified here either. */
  private static void requireProvisionable(
      DiceHandover handover, RkpKeys keys, RkpKeys.KeyPair pair, Instant now) {
    DiceChain chain = handover.chain().orElseThrow();
    byte[] random = new byte[CHALLENGE_SIZE];
    new SecureRandom().nextBytes(random);
    ByteSlice challenge = ByteSlice.takeOver(random);
    try (CosePrivateKey leafKey =
        DiceKeys.keyPair(chain.leaf().subjectPublicKey().algorithm(), handover.cdis().attest())) {
      ByteSlice request =
          RkpVmCsr.make(
              chain,
              leafKey,
              keys,
              List.of(pair.macedPublicKey()),
              challenge,
              AospRevision.MARCH_2025);
      ProvisioningRequest.verify(
          request,
          RequestRules.of(RULES.withInstance(RkpInstance.AVF), now).withChallenge(challenge));
    }
  }

  /** Whether its certificates are valid for long enough. */
  boolean isFresh(Instant now) {
    return !now.isBefore(made) && now.isBefore(made.plus(FRESH));
  }

  /**
   * Checks a request and certifies its key.
   *
   * @return the certificates, the leaf first and the root last
   * @throws io.github.avf4j.attestation.remote.ServiceVmException for the first check that fails
   */
  List<ByteSlice> attest(ByteSlice request) {
    ByteSlice leaf = serviceVm.attest(request, keys, keyBlob, issuers.get(0));
    return List.of(leaf, issuers.get(0), issuers.get(1));
  }

  @Override
  public void close() {
    keys.close();
  }
}
