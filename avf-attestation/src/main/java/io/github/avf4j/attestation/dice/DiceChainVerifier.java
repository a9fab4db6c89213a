package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.cose.CosePublicKey;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The rules that concern a chain as a whole; those of one certificate are in {@link
 * DiceCertificateVerifier}.
 */
final class DiceChainVerifier {
  /** One in the vendor's trusted environment and one in pvmfw. */
  private static final int LEAST_MARKERS = 2;

  private final DiceChain chain;
  private final DiceChainRules rules;
  private final List<DiceWarning> warnings = new ArrayList<>();

  DiceChainVerifier(DiceChain chain, DiceChainRules rules) {
    this.chain = chain;
    this.rules = rules;
  }

  VerifiedDiceChain verify() {
    chain.verifySignatures();
    checkRootKey();
    boolean degenerate = chain.isDegenerate();
    if (degenerate) {
      String reason = "the chain is one self-signed certificate";
      if (!rules.allowDegenerate()) {
        throw fault(DiceRule.DEGENERATE, 0, reason);
      }
      warnings.add(new DiceWarning(DiceRule.DEGENERATE, 0, reason + ", which describes nothing"));
    }
    List<DiceCertificateVerifier> layers = new ArrayList<>();
    for (int i = 0; i < chain.certificates().size(); i++) {
      DiceCertificateVerifier layer =
          new DiceCertificateVerifier(chain.certificates().get(i), i, degenerate, rules, warnings);
      layer.verify();
      layers.add(layer);
    }
    if (!degenerate) {
      checkIssuers();
      checkRepeatedKeys();
      checkMarkers(layers);
      warnOfFallingProfiles(layers);
    }
    if (rules.requireDerivedIds()) {
      checkDerivedIds();
    }
    return new VerifiedDiceChain(chain, rules, degenerate, warnings);
  }

  private void checkRootKey() {
    if (chain.hasIntegerRootKeyOps() && !rules.accepts(AndroidProfile.ANDROID_13)) {
      throw new DiceException(
          DiceRule.KEY,
          "key_ops of the root key must be an array",
          chain.items().get(0).position());
    }
    if (chain.rootKey().algorithm().isMlDsa() && !rules.newest().allowsMlDsa()) {
      throw new DiceException(
          DiceRule.KEY,
          "the root key is of ML-DSA, which " + rules.newest().profileName() + " has not",
          chain.items().get(0).position());
    }
  }

  private void checkIssuers() {
    Set<String> subjects = new HashSet<>();
    String previous = null;
    for (int i = 0; i < chain.certificates().size(); i++) {
      DiceCertificate certificate = chain.certificates().get(i);
      String issuer = certificate.issuer().orElse("");
      String subject = certificate.subject().orElse("");
      if (previous != null && !issuer.equals(previous)) {
        throw fault(DiceRule.ISSUER, i, "the issuer must be the subject before it but differs");
      }
      if (!subjects.add(subject)) {
        throw fault(DiceRule.REPEATED_SUBJECT, i, "the subject occurs twice");
      }
      previous = subject;
    }
  }

  private void checkRepeatedKeys() {
    Set<CosePublicKey> keys = new HashSet<>();
    keys.add(chain.rootKey());
    for (int i = 0; i < chain.certificates().size(); i++) {
      if (!keys.add(chain.certificates().get(i).subjectPublicKey())) {
        throw fault(DiceRule.REPEATED_KEY, i, "the subject public key occurs twice");
      }
    }
  }

  private void checkMarkers(List<DiceCertificateVerifier> layers) {
    int markers = 0;
    int gap = -1;
    for (int i = 0; i < layers.size() && gap < 0; i++) {
      if (layers.get(i).hasRkpVmMarker()) {
        markers++;
      } else if (markers > 0) {
        gap = i;
      }
    }
    boolean rkpVm = gap < 0 && markers >= LEAST_MARKERS;
    if (rules.instance() != RkpInstance.AVF) {
      if (rkpVm) {
        throw fault(
            DiceRule.RKP_VM_MARKER,
            layers.size() - 1,
            "a chain of the RKP VM is not one of instance " + rules.instance().instanceName());
      }
    } else if (gap >= 0) {
      throw fault(
          DiceRule.RKP_VM_MARKER, gap, "RKP VM markers must run up to the leaf but end before");
    } else if (!rkpVm) {
      throw fault(
          DiceRule.RKP_VM_MARKER,
          layers.size() - 1,
          "at least "
              + LEAST_MARKERS
              + " certificates must have the RKP VM marker but "
              + markers
              + " have");
    }
  }

  private void warnOfFallingProfiles(List<DiceCertificateVerifier> layers) {
    for (int i = 1; i < layers.size(); i++) {
      AndroidProfile before = layers.get(i - 1).profile();
      AndroidProfile here = layers.get(i).profile();
      if (here.compareTo(before) < 0) {
        warnings.add(
            new DiceWarning(
                DiceRule.PROFILE,
                i,
                "profile falls from " + before.profileName() + " to " + here.profileName()));
      }
    }
  }

  private void checkDerivedIds() {
    CosePublicKey key = chain.rootKey();
    for (int i = 0; i < chain.certificates().size(); i++) {
      DiceCertificate certificate = chain.certificates().get(i);
      CosePublicKey next = certificate.subjectPublicKey();
      if (!certificate.issuer().orElse("").equals(DiceKeys.idText(key))
          || !certificate.subject().orElse("").equals(DiceKeys.idText(next))) {
        throw fault(DiceRule.DERIVED_ID, i, "issuer and subject must be the ids of the keys");
      }
      key = next;
    }
  }

  private DiceException fault(DiceRule rule, int certificate, String reason) {
    return DiceException.of(
        rule, certificate, reason, chain.items().get(certificate + 1).position());
  }
}
