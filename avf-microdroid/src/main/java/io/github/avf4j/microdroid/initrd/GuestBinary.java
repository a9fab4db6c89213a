package io.github.avf4j.microdroid.initrd;

import io.github.avf4j.InvalidImageException;
import java.io.IOException;
import java.io.InputStream;

/** The guest's init, which is built into this library. Thread-safe. */
public final class GuestBinary {
  private static final String RESOURCE = "/io/github/avf4j/microdroid/guest/x86_64/avf-guest";

  private GuestBinary() {}

  /**
   * Returns the static executable.
   *
   * @throws InvalidImageException if this library was built without it
   */
  public static byte[] read() {
    try (InputStream in = GuestBinary.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new InvalidImageException(
            "the guest's init is missing from avf-microdroid: build it with Maven, which runs cargo");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new InvalidImageException(
          "the guest's init cannot be read from avf-microdroid (" + e + "): check the jar", e);
    }
  }
}
