package io.github.avf4j.microdroid.apk;

/** The APK signature schemes. */
public enum SignatureScheme {
  /** JAR signatures: never accepted, and only looked for. */
  V1("v1"),
  /** A block that covers the whole file; accepted on request. */
  V2("v2"),
  /** The same with SDK levels: what a payload needs. */
  V3("v3"),
  /** A second key for newer SDK levels, next to v3. */
  V31("v3.1");

  private final String text;

  SignatureScheme(String text) {
    this.text = text;
  }

  static boolean hasV1(ZipDirectory directory) {
    return directory.contains("META-INF/", ".SF")
        && directory.contains("META-INF/", ".RSA", ".DSA", ".EC");
  }

  /** The customary name, as {@code v3.1}. */
  @Override
  public String toString() {
    return text;
  }
}
