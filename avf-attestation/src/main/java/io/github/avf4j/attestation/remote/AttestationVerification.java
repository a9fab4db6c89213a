package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.remote.AttestationCheck.Kind;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One run of a verifier, over the chain and the leaf. Confined to one thread. */
final class AttestationVerification {
  private static final int MAX_CERTIFICATES = 16;

  private final AttestationPolicy policy;
  private final Instant time;
  private final ByteSlice challenge;
  private final CheckList checks = new CheckList();
  private @Nullable CosePublicKey key;
  private @Nullable AttestationExtension extension;

  AttestationVerification(AttestationPolicy policy, Instant time, ByteSlice challenge) {
    this.policy = policy;
    this.time = time;
    this.challenge = challenge;
  }

  AttestationResult run(List<ByteSlice> encoded) {
    List<X509Certificate> certificates = parse(encoded);
    if (certificates.isEmpty()) {
      checks.skipRest(Kind.CHAIN_NAMES, "there are no certificates to look at");
    } else {
      checkChain(certificates);
      checkLeaf(certificates);
      new ComponentChecks(policy, checks).run(extension);
    }
    return new AttestationResult(time, checks.all(), key, extension);
  }

  private List<X509Certificate> parse(List<ByteSlice> encoded) {
    List<X509Certificate> certificates = new ArrayList<>();
    if (encoded.isEmpty() || encoded.size() > MAX_CERTIFICATES) {
      checks.fail(
          Kind.CERTIFICATES, "there must be 1 to 16 certificates but there are " + encoded.size());
      return certificates;
    }
    for (int i = 0; i < encoded.size(); i++) {
      try {
        certificates.add(X509Certificate.decode(encoded.get(i)));
      } catch (AttestationException e) {
        checks.fail(Kind.CERTIFICATES, "certificate " + i + " is malformed: " + e.getMessage());
        return List.of();
      }
    }
    checks.pass(Kind.CERTIFICATES, certificates.size() + " certificates");
    return certificates;
  }

  private void checkChain(List<X509Certificate> certificates) {
    X509Certificate last = certificates.get(certificates.size() - 1);
    List<X509Certificate> whole = new ArrayList<>(certificates);
    Optional<X509Certificate> root = findRoot(last, certificates.size() == 1);
    // What the policy knows of a root counts, not what a copy of its name and key says.
    if (root.filter(found -> isSame(found, last)).isPresent()) {
      whole.remove(whole.size() - 1);
    }
    root.ifPresent(whole::add);
    X509Path path = new X509Path(whole);
    List<String> names = new ArrayList<>(path.names());
    names.addAll(path.repeats());
    checks.faults(Kind.CHAIN_NAMES, names, "every issuer is the subject of the next");
    checks.faults(Kind.CHAIN_SIGNATURES, path.signatures(), "every signature verifies");
    checks.faults(Kind.CHAIN_AUTHORITIES, path.authorities(), "every issuer may issue");
    checks.faults(Kind.CRITICAL_EXTENSIONS, path.criticalExtensions(), "all are known");
    checks.faults(Kind.VALIDITY, path.validity(time), "all are valid at " + time);
    List<String> revoked =
        whole.stream()
            .filter(one -> policy.revokedSerialNumbers().contains(one.serialNumber()))
            .map(one -> "certificate " + one.serialNumber().toString(16) + " was revoked")
            .toList();
    if (policy.revokedSerialNumbers().isEmpty()) {
      checks.skip(Kind.REVOCATION, "the policy revokes nothing");
    } else {
      checks.faults(Kind.REVOCATION, revoked, "none was revoked");
    }
    if (root.isPresent()) {
      checks.pass(Kind.TRUSTED_ROOT, "ends in the accepted root " + root.get());
    } else {
      checks.fail(
          Kind.TRUSTED_ROOT,
          "ends in " + last + ", which is no accepted root and is not signed by one");
    }
  }

  /** The accepted root that is the last certificate, if that is not the leaf, or that signed it. */
  private Optional<X509Certificate> findRoot(X509Certificate last, boolean leaf) {
    for (X509Certificate root : policy.roots()) {
      boolean signed =
          last.issuer().equals(root.subject())
              && X509Signatures.fault(last, root.publicKey()).isEmpty();
      if (signed || !leaf && isSame(root, last)) {
        return Optional.of(root);
      }
    }
    return Optional.empty();
  }

  private static boolean isSame(X509Certificate root, X509Certificate last) {
    return root.subject().equals(last.subject()) && root.publicKey().equals(last.publicKey());
  }

  private void checkLeaf(List<X509Certificate> certificates) {
    X509Certificate leaf = certificates.get(0);
    String name = leaf.commonName().orElse("none");
    checks.check(
        Kind.LEAF_SUBJECT,
        name.equals(CertificateIssuer.COMMON_NAME),
        "common name is \"" + name + "\"",
        "common name must be \"" + CertificateIssuer.COMMON_NAME + "\" but is \"" + name + "\"");
    checks.check(
        Kind.LEAF_ALGORITHM,
        leaf.signatureAlgorithm().equals(X509Signatures.ECDSA_SHA256),
        "ecdsa-with-SHA256",
        "the leaf must be signed with ecdsa-with-SHA256");
    checkKey(leaf);
    checkExtension(certificates);
    checkChallengeAndMode();
  }

  private void checkKey(X509Certificate leaf) {
    try {
      CosePublicKey parsed = CosePublicKey.ofSubjectPublicKeyInfo(leaf.publicKey());
      if (parsed.algorithm() == CoseAlgorithm.ES256) {
        key = parsed;
        checks.pass(Kind.LEAF_KEY, "P-256 " + parsed.raw());
        return;
      }
      checks.fail(Kind.LEAF_KEY, "the key must be of P-256 but is of " + parsed.algorithm());
    } catch (AttestationException e) {
      checks.fail(Kind.LEAF_KEY, "the key must be of P-256: " + e.reason());
    }
  }

  private void checkExtension(List<X509Certificate> certificates) {
    Optional<X509Certificate.Extension> found =
        certificates.get(0).extension(AttestationExtension.OID);
    boolean issuerHasOne =
        certificates.stream()
            .skip(1)
            .anyMatch(issuer -> issuer.extension(AttestationExtension.OID).isPresent());
    if (found.isEmpty() || issuerHasOne) {
      checks.fail(
          Kind.EXTENSION,
          found.isEmpty()
              ? "the leaf has no attestation extension"
              : "an issuer has an attestation extension, which only the leaf may have");
      return;
    }
    try {
      extension = AttestationExtension.decode(found.get().value());
      checks.pass(Kind.EXTENSION, "in the leaf alone");
    } catch (AttestationException e) {
      checks.fail(Kind.EXTENSION, "the attestation extension is malformed: " + e.getMessage());
    }
  }

  private void checkChallengeAndMode() {
    AttestationExtension found = extension;
    if (found == null) {
      checks.skip(Kind.CHALLENGE, "there is no extension to look at");
      checks.skip(Kind.SECURE_MODE, "there is no extension to look at");
      return;
    }
    checks.check(
        Kind.CHALLENGE,
        found.challenge().equals(challenge),
        "is the one that was issued",
        "must be " + challenge + " but is " + found.challenge());
    if (found.vmSecure()) {
      checks.pass(Kind.SECURE_MODE, "every layer was in normal mode");
    } else {
      checks.check(
          Kind.SECURE_MODE,
          policy.debugAllowed(),
          "a layer was not in normal mode, which the policy accepts",
          "a layer of the machine was not in normal mode: it can be debugged");
    }
  }
}
