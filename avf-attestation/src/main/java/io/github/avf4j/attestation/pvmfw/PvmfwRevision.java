package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.dice.AndroidProfile;
import org.jspecify.annotations.Nullable;

/** The states of the reference whose rules can be followed. */
public enum PvmfwRevision {
  /** At most one property, the capability; an instance id is mandatory; no DICE profile name. */
  JANUARY_2025(null),
  /** Properties for page size and name; the fixed rollback rule comes first; android.16. */
  MARCH_2025(AndroidProfile.ANDROID_16);

  private final @Nullable AndroidProfile profile;

  PvmfwRevision(@Nullable AndroidProfile profile) {
    this.profile = profile;
  }

  /** The name of the DICE profile that certificates carry, or null for none. */
  @Nullable String profileName() {
    return profile == null ? null : profile.profileName();
  }
}
