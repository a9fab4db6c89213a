package io.github.avf4j.microdroid.apk;

/**
 * What an APK must be signed for.
 *
 * @param sdk the SDK level whose signer counts, at least 1
 * @param acceptV2 whether a v2 signature does where there is none by v3; AVF never accepts it
 */
public record ApkPolicy(int sdk, boolean acceptV2) {
  /** SDK level 36, and no signatures but v3. */
  public static final ApkPolicy DEFAULT = new ApkPolicy(36, false);

  /** Checks the level. */
  public ApkPolicy {
    if (sdk < 1) {
      throw new IllegalArgumentException("sdk must be at least 1 but was " + sdk);
    }
  }
}
