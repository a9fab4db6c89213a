package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.internal.Digests;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The rules that concern one certificate, as hwtrust applies them.
 *
 * <p>The first certificate of a chain may hold a configuration descriptor that is none of the
 * Android profile, where android.14 is in range; it is then ignored as a whole, with a warning.
 */
final class DiceCertificateVerifier {
  private static final int KEY_CERT_SIGN = 0x20;

  private final DiceCertificate certificate;
  private final int index;
  private final boolean degenerate;
  private final DiceChainRules rules;
  private final List<DiceWarning> warnings;
  private @Nullable AndroidProfile profile;
  private boolean configIgnored;

  DiceCertificateVerifier(
      DiceCertificate certificate,
      int index,
      boolean degenerate,
      DiceChainRules rules,
      List<DiceWarning> warnings) {
    this.certificate = certificate;
    this.index = index;
    this.degenerate = degenerate;
    this.rules = rules;
    this.warnings = warnings;
  }

  void verify() {
    AndroidProfile applied = findProfile();
    profile = applied;
    checkRequired();
    checkKeyUsage(applied);
    checkKey(applied);
    checkConfig(applied);
    checkHashSizes(applied);
    checkMode(applied);
  }

  /** The profile that applies, once verified. */
  AndroidProfile profile() {
    AndroidProfile applied = profile;
    if (applied == null) {
      throw new IllegalStateException("profile() needs verify() first");
    }
    return applied;
  }

  /** Whether a marker counts: one in a descriptor that was ignored does not. */
  boolean hasRkpVmMarker() {
    return !configIgnored
        && certificate.config().map(ConfigDescriptor::hasRkpVmMarker).orElse(false);
  }

  private AndroidProfile findProfile() {
    Optional<String> name = certificate.profileName();
    if (name.isEmpty()) {
      if (rules.oldest().compareTo(AndroidProfile.ANDROID_14) > 0) {
        throw fault(DiceRule.PROFILE, "the profile name is missing");
      }
      return rules.oldest();
    }
    AndroidProfile named =
        AndroidProfile.ofName(name.get())
            .orElseThrow(() -> fault(DiceRule.PROFILE, "the profile name is not known"));
    if (!rules.accepts(named)) {
      throw fault(
          DiceRule.PROFILE,
          "profile "
              + named.profileName()
              + " is not in "
              + rules.oldest().profileName()
              + ".."
              + rules.newest().profileName());
    }
    return named;
  }

  private void checkRequired() {
    require(certificate.issuer().filter(issuer -> !issuer.isEmpty()).isPresent(), "issuer");
    require(certificate.subject().filter(subject -> !subject.isEmpty()).isPresent(), "subject");
    require(certificate.keyUsage().isPresent(), "key usage");
    if (!degenerate) {
      require(certificate.hasMode(), "mode");
      require(certificate.codeHash().isPresent(), "code hash");
      require(certificate.configBytes().isPresent(), "configuration descriptor");
      require(
          certificate.authorityHash().filter(hash -> !hash.isEmpty()).isPresent(),
          "authority hash");
    }
  }

  private void require(boolean present, String what) {
    if (!present) {
      throw fault(DiceRule.REQUIRED_FIELD, what + " is missing or empty");
    }
  }

  private void checkKeyUsage(AndroidProfile applied) {
    ByteSlice usage = certificate.keyUsage().orElse(ByteSlice.EMPTY);
    int last = usage.length() - 1;
    boolean littleEndian =
        !usage.isEmpty() && usage.at(0) == KEY_CERT_SIGN && usage.slice(1).isAllZero();
    boolean bigEndian =
        applied.allowsBigEndianKeyUsage()
            && last > 0
            && usage.at(last) == KEY_CERT_SIGN
            && usage.slice(0, last).isAllZero();
    if (!littleEndian && !bigEndian) {
      throw fault(DiceRule.KEY_USAGE, "the key usage must be keyCertSign and nothing else");
    }
  }

  private void checkKey(AndroidProfile applied) {
    if (certificate.hasIntegerKeyOps() && !applied.allowsIntegerKeyOps()) {
      throw fault(DiceRule.KEY, "key_ops of the subject public key must be an array");
    }
    if (certificate.subjectPublicKey().algorithm().isMlDsa() && !applied.allowsMlDsa()) {
      throw fault(
          DiceRule.KEY,
          "the subject public key is of ML-DSA, which " + applied.profileName() + " has not");
    }
  }

  private void checkConfig(AndroidProfile applied) {
    Optional<ByteSlice> bytes = certificate.configBytes();
    if (bytes.isEmpty()) {
      return;
    }
    Optional<DiceException> broken = configFault(applied);
    if (broken.isPresent()) {
      boolean excused = index == 0 && (degenerate || rules.accepts(AndroidProfile.ANDROID_14));
      if (!excused) {
        throw broken.get();
      }
      configIgnored = true;
      warnings.add(
          new DiceWarning(
              DiceRule.CONFIG_DESCRIPTOR,
              index,
              broken.get().reason() + "; ignored in the first certificate"));
      return;
    }
    if (applied.requiresConfigHash()) {
      checkConfigHash(bytes.get());
    }
  }

  private Optional<DiceException> configFault(AndroidProfile applied) {
    Optional<DiceException> malformed = certificate.configFault();
    if (malformed.isPresent()) {
      return Optional.of(DiceException.of(DiceRule.CONFIG_DESCRIPTOR, index, malformed.get()));
    }
    ConfigDescriptor config = certificate.config().orElseThrow();
    if (applied.requiresIntegerVersion()
        && config.componentVersion().orElse(null) instanceof ComponentVersion.Text) {
      return Optional.of(
          fault(DiceRule.CONFIG_DESCRIPTOR, "the component version must be an integer"));
    }
    if (applied.requiresSecurityVersion() && config.securityVersion().isEmpty()) {
      return Optional.of(fault(DiceRule.CONFIG_DESCRIPTOR, "the security version is missing"));
    }
    return Optional.empty();
  }

  private void checkConfigHash(ByteSlice config) {
    ByteSlice hash =
        certificate
            .configHash()
            .orElseThrow(() -> fault(DiceRule.CONFIG_HASH, "the configuration hash is missing"));
    if (!isHashSize(hash.length()) || !hash.contentEquals(Digests.sha2(hash.length(), config))) {
      throw fault(DiceRule.CONFIG_HASH, "the configuration hash is not that of the descriptor");
    }
  }

  private void checkHashSizes(AndroidProfile applied) {
    if (certificate.codeHash().isEmpty()) {
      return;
    }
    int size = certificate.codeHash().get().length();
    if (!isHashSize(size)) {
      throw fault(DiceRule.HASH_SIZE, "the code hash must have 32, 48 or 64 bytes but has " + size);
    }
    certificate.configHash().ifPresent(hash -> checkSize("configuration hash", hash, size));
    if (index > 0 || !applied.allowsOtherRootAuthorityHashSize()) {
      certificate.authorityHash().ifPresent(hash -> checkSize("authority hash", hash, size));
    }
  }

  private void checkSize(String what, ByteSlice hash, int size) {
    if (hash.length() != size) {
      throw fault(
          DiceRule.HASH_SIZE,
          "the "
              + what
              + " must have "
              + size
              + " bytes as the code hash but has "
              + hash.length());
    }
  }

  private static boolean isHashSize(int size) {
    return size == 32 || size == 48 || size == 64;
  }

  private void checkMode(AndroidProfile applied) {
    if (certificate.hasIntegerMode() && !applied.allowsIntegerMode()) {
      throw fault(DiceRule.MODE, "the mode must be a byte string of one byte");
    }
    DiceMode mode = certificate.mode();
    if (!certificate.hasMode() || mode == DiceMode.NORMAL || rules.allowAnyMode() || degenerate) {
      return;
    }
    if (!(index == 0 && applied.allowsDebugRoot() && mode == DiceMode.DEBUG)) {
      throw fault(DiceRule.MODE, "the mode must be normal but is " + mode);
    }
  }

  private DiceException fault(DiceRule rule, String reason) {
    return DiceException.of(rule, index, reason, certificate.encoded().offset());
  }
}
