package io.github.avf4j.microdroid.payload;

/** The processors that a guest may have, with Android's names; all are of 64 bits. */
public enum GuestAbi {
  /** Intel and AMD. */
  X86_64("x86_64"),
  /** Arm. */
  ARM64("arm64-v8a");

  private final String text;

  GuestAbi(String text) {
    this.text = text;
  }

  /** The folder of an APK that has the libraries for it. */
  String folder() {
    return "lib/" + text + '/';
  }

  /** Android's name. */
  @Override
  public String toString() {
    return text;
  }
}
