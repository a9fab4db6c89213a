package io.github.avf4j.microdroid.initrd;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.microdroid.GuestArchitecture;
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

  private static final String FOLDER = "/io/github/avf4j/microdroid/guest/";

  private final String fileName;

  GuestBinary(String fileName) {
    this.fileName = fileName;
  }

  /** The name of the file, in this library and in a guest. */
  public String fileName() {
    return fileName;
  }

  /**
   * Returns the file for guests of this host.
   *
   * @throws InvalidImageException if this library was built without it
   */
  public byte[] read() {
    return read(GuestArchitecture.host());
  }

  /**
   * Returns the file for guests with that processor.
   *
   * @throws InvalidImageException if this library was built without it
   */
  public byte[] read(GuestArchitecture architecture) {
    String path = FOLDER + architecture.linuxName() + '/' + fileName;
    try (InputStream in = GuestBinary.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new InvalidImageException(
            "the guest's %s for %s is missing from avf-microdroid: build it with Maven, which runs cargo"
                .formatted(fileName, architecture));
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
