package io.github.avf4j.attestation.dice;

/**
 * What a verifier accepts of a chain, besides what always holds.
 *
 * @param oldest the oldest profile that is accepted; also the one that a missing profile name means
 *     if it is android.14 or older
 * @param newest the newest profile that is accepted
 * @param instance whose rules for the RKP VM marker apply
 * @param allowAnyMode whether modes other than normal are accepted; the caller then judges them
 * @param allowDegenerate whether one self-signed certificate is accepted as a chain
 * @param requireDerivedIds whether issuers and subjects must be the ids of the keys, which hwtrust
 *     does not ask for
 */
public record DiceChainRules(
    AndroidProfile oldest,
    AndroidProfile newest,
    RkpInstance instance,
    boolean allowAnyMode,
    boolean allowDegenerate,
    boolean requireDerivedIds) {
  /** android.14 to android.16, the default instance, normal mode, no degenerate chain. */
  public static final DiceChainRules DEFAULT =
      new DiceChainRules(
          AndroidProfile.ANDROID_14,
          AndroidProfile.ANDROID_16,
          RkpInstance.DEFAULT,
          false,
          false,
          false);

  /** Checks the range. */
  public DiceChainRules {
    if (oldest.compareTo(newest) > 0) {
      throw new IllegalArgumentException(
          "oldest profile must not be newer than the newest but was "
              + oldest.profileName()
              + ".."
              + newest.profileName());
    }
  }

  /** The rules of a vendor software release: 13, 14, 15 or 16. */
  public static DiceChainRules vsr(int release) {
    return switch (release) {
      case 13 -> DEFAULT.withProfiles(AndroidProfile.ANDROID_13, AndroidProfile.ANDROID_15);
      case 14, 15 -> DEFAULT.withProfiles(AndroidProfile.ANDROID_14, AndroidProfile.ANDROID_15);
      case 16 -> DEFAULT;
      default -> throw new IllegalArgumentException("release must be in 13..16 but was " + release);
    };
  }

  /** Whether a profile is in the range. */
  public boolean accepts(AndroidProfile profile) {
    return oldest.compareTo(profile) <= 0 && profile.compareTo(newest) <= 0;
  }

  /** The same rules for another range of profiles. */
  public DiceChainRules withProfiles(AndroidProfile oldest, AndroidProfile newest) {
    return new DiceChainRules(
        oldest, newest, instance, allowAnyMode, allowDegenerate, requireDerivedIds);
  }

  /** The same rules for another instance. */
  public DiceChainRules withInstance(RkpInstance instance) {
    return new DiceChainRules(
        oldest, newest, instance, allowAnyMode, allowDegenerate, requireDerivedIds);
  }

  /** The same rules, with any mode accepted or not. */
  public DiceChainRules withAnyMode(boolean allow) {
    return new DiceChainRules(oldest, newest, instance, allow, allowDegenerate, requireDerivedIds);
  }

  /** The same rules, with a degenerate chain accepted or not. */
  public DiceChainRules withDegenerate(boolean allow) {
    return new DiceChainRules(oldest, newest, instance, allowAnyMode, allow, requireDerivedIds);
  }

  /** The same rules, with ids that must be derived from the keys or not. */
  public DiceChainRules withDerivedIds(boolean require) {
    return new DiceChainRules(oldest, newest, instance, allowAnyMode, allowDegenerate, require);
  }
}
