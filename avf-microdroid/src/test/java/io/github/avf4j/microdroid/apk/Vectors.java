package io.github.avf4j.microdroid.apk;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** The files under {@code vectors/apk} in the test resources. */
public final class Vectors {
  private Vectors() {}

  public static byte[] bytes(String name) {
    try (InputStream in = Vectors.class.getResourceAsStream("/vectors/apk/" + name)) {
      if (in == null) {
        throw new IllegalArgumentException("no test vector " + name);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static ImageSource source(String name) {
    return ImageSource.of(bytes(name));
  }

  public static JsonNode json(String name) {
    try {
      return new ObjectMapper().readTree(bytes(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static ByteSlice hex(JsonNode node, String field) {
    return ByteSlice.ofHex(node.required(field).textValue());
  }
}
