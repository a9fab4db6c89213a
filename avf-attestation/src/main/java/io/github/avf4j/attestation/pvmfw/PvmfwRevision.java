package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.dice.AndroidProfile;
import org.jspecify.annotations.Nullable;

/** The states of the reference whose rules can be followed. */
public enum PvmfwRevision {
  /** At most one property, the capability; an instance id is mandatory; no DICE profile name. */
  JANUARY_2025(null),
  /** Properties for page size and name; the fixed rollback rule comes first; android.16. */
  MARCH_2025(AndroidProfile.ANDROID_16),
  /**
   * As far as single files up to 2026 show: the fixed rollback rule goes by the name of the VM and
   * its key, a guest without instance disk is new at every boot, the salt of an instance disk never
   * depends on the instance id; android.18. All else as in March 2025.
   */
  HEAD_2026(AndroidProfile.ANDROID_18);

  private final @Nullable AndroidProfile profile;

  PvmfwRevision(@Nullable AndroidProfile profile) {
    this.profile = profile;
  }

  /** The name of the DICE profile that certificates carry, or null for none. */
  @Nullable String profileName() {
    return profile == null ? null : profile.profileName();
  }
}
