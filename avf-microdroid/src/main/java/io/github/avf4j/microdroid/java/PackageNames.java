package io.github.avf4j.microdroid.java;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The packages of APKs, by the names of main classes. */
final class PackageNames {
  private static final int MAX_LENGTH = 200;

  private PackageNames() {}

  /** A name that Android would take, the same for the same class. */
  static String of(String mainClass) {
    String name =
        Arrays.stream(mainClass.replaceAll("[^A-Za-z0-9_.]", "_").split("\\."))
            .map(part -> part.matches("[A-Za-z].*") ? part : "p" + part)
            .collect(Collectors.joining("."));
    String twoParts = name.contains(".") ? name : "payload." + name;
    return twoParts.length() <= MAX_LENGTH
        ? twoParts
        : "payload.p" + Integer.toHexString(twoParts.hashCode());
  }
}
