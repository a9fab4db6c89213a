package io.github.avf4j.microdroid;

import io.github.avf4j.attestation.ByteSlice;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The files under {@code vectors/api} in the test resources. */
public final class Vectors {
  private Vectors() {}

  public static byte[] bytes(String name) {
    try (InputStream in = Vectors.class.getResourceAsStream("/vectors/api/" + name)) {
      if (in == null) {
        throw new IllegalArgumentException("no test vector " + name);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static ByteSlice slice(String name) {
    return ByteSlice.takeOver(bytes(name));
  }

  /** Copies vectors into a folder. */
  public static void copyTo(Path folder, String... names) throws IOException {
    for (String name : names) {
      Files.write(folder.resolve(name), bytes(name));
    }
  }
}
