package io.github.avf4j.microdroid.kernel;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names of modules: files write them with dashes or underscores, which mean the same. */
final class ModuleNames {
  private static final Pattern FILE = Pattern.compile("(.+)\\.ko(\\.(gz|xz|zst))?");

  private ModuleNames() {}

  static String normalize(String name) {
    return name.replace('-', '_');
  }

  static boolean isModule(Path file) {
    return FILE.matcher(file.getFileName().toString()).matches();
  }

  static String ofFile(Path file) {
    String name = file.getFileName().toString();
    Matcher matcher = FILE.matcher(name);
    return normalize(matcher.matches() ? matcher.group(1) : name);
  }
}
