package io.github.avf4j.attestation.dice;

import java.util.Optional;

/**
 * A version of the Android Profile for DICE, with what it relaxes as hwtrust applies it.
 *
 * <p>There is no android.17. {@code android.18} has the rules of {@code android.16} and adds
 * ML-DSA; hwtrust at the revision this follows does not know it, so default ranges end before it.
 */
public enum AndroidProfile {
  /** Android 13; never written as a name. */
  ANDROID_13("android.13"),
  /** Android 14; what a missing name means where the range begins there. */
  ANDROID_14("android.14"),
  /** Android 15. */
  ANDROID_15("android.15"),
  /** Android 16. */
  ANDROID_16("android.16"),
  /** The profile after Android 16. */
  ANDROID_18("android.18");

  private final String profileName;

  AndroidProfile(String profileName) {
    this.profileName = profileName;
  }

  /** The profile of a name in a certificate; {@code android.13} is not one. */
  public static Optional<AndroidProfile> ofName(String name) {
    for (AndroidProfile profile : values()) {
      if (profile != ANDROID_13 && profile.profileName.equals(name)) {
        return Optional.of(profile);
      }
    }
    return Optional.empty();
  }

  /** The name, as certificates hold it. */
  public String profileName() {
    return profileName;
  }

  /** Whether {@code key_ops} may be one integer. */
  public boolean allowsIntegerKeyOps() {
    return this == ANDROID_13;
  }

  /** Whether the component version must not be text. */
  public boolean requiresIntegerVersion() {
    return this == ANDROID_13;
  }

  /** Whether the mode may be an integer in place of a byte string. */
  public boolean allowsIntegerMode() {
    return this == ANDROID_14;
  }

  /** Whether the bytes of the key usage may stand in reverse order. */
  public boolean allowsBigEndianKeyUsage() {
    return this == ANDROID_14;
  }

  /** Whether the first certificate may be in debug mode. */
  public boolean allowsDebugRoot() {
    return this == ANDROID_14;
  }

  /** Whether the authority hash of the first certificate may have a size of its own. */
  public boolean allowsOtherRootAuthorityHashSize() {
    return this == ANDROID_14;
  }

  /** Whether the configuration hash must be there and be right. */
  public boolean requiresConfigHash() {
    return compareTo(ANDROID_16) >= 0;
  }

  /** Whether the configuration descriptor must hold a security version. */
  public boolean requiresSecurityVersion() {
    return compareTo(ANDROID_16) >= 0;
  }

  /** Whether keys may be of ML-DSA. */
  public boolean allowsMlDsa() {
    return compareTo(ANDROID_18) >= 0;
  }
}
