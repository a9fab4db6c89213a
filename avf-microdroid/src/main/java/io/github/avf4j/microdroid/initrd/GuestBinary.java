package io.github.avf4j.microdroid.initrd;

import io.github.avf4j.InvalidImageException;
import java.io.IOException;
import java.io.InputStream;

/** The guest's own programs, which are built into this library. Thread-safe. */
public enum GuestBinary {
  /** The static executable that is a guest's init. */
  INIT("avf-guest"),
  /** The executable that loads the library of a payload; it needs a C runtime. */
  LAUNCHER("microdroid_launcher"),
  /** The library by which a payload asks its machine; it needs a C runtime. */
  PAYLOAD_LIBRARY("libvm_payload.so"),
  /** The library with RPC Binder, which the one before needs; it needs a C runtime. */
  BINDER_LIBRARY("libbinder_ndk.so"),
  /** The library of an APK whose payload is a Java class; it needs a C runtime. */
  JAVA_LIBRARY("libavf_java.so");

  private static final String FOLDER = "/io/github/avf4j/microdroid/guest/x86_64/";

  private final String fileName;

  GuestBinary(String fileName) {
    this.fileName = fileName;
  }

  /** The name of the file, in this library and in a guest. */
  public String fileName() {
    return fileName;
  }

  /**
   * Returns the file.
   *
   * @throws InvalidImageException if this library was built without it
   */
  public byte[] read() {
    try (InputStream in = GuestBinary.class.getResourceAsStream(FOLDER + fileName)) {
      if (in == null) {
        throw new InvalidImageException(
            "the guest's "
                + fileName
                + " is missing from avf-microdroid: build it with Maven, which runs cargo");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new InvalidImageException(
          "the guest's "
              + fileName
              + " cannot be read from avf-microdroid ("
              + e
              + "): check the jar",
          e);
    }
  }
}
