package io.github.avf4j.service;

import java.util.regex.Pattern;

/** The rule for names of machines, which are names of folders as well. */
final class VmName {
  private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  private VmName() {}

  static boolean isAllowed(String name) {
    return ALLOWED.matcher(name).matches() && !name.equals(".") && !name.equals("..");
  }

  static String check(String name) {
    if (!isAllowed(name)) {
      throw new IllegalArgumentException(
          "a VM name must have 1 to 64 letters, digits, '.', '_' or '-', and not be '.' or '..', but"
              + " was \""
              + name
              + '"');
    }
    return name;
  }
}
