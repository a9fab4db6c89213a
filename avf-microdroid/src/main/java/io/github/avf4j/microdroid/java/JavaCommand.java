package io.github.avf4j.microdroid.java;

import io.github.avf4j.JavaPayload;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.initrd.GuestBinary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What the guest executes: variables of the environment, and the program with its arguments.
 *
 * <p>As a file, texts that end with NUL each: the variables, an empty one, the arguments. Immutable
 * and thread-safe.
 *
 * @param environment {@code NAME=VALUE}, which replace those of the same name
 * @param arguments the program first
 */
record JavaCommand(List<String> environment, List<String> arguments) {
  /** Where the APK has the file. */
  static final String APK_PATH = "java/command";

  /** Where the APK has the library that reads it. */
  static final String LIBRARY =
      GuestArchitecture.host().libraryFolder() + GuestBinary.JAVA_LIBRARY.fileName();

  /** Where the guest mounts the APK. */
  static final String APK_ROOT = "/mnt/apk/";

  /** Where the guest mounts the runtime. */
  static final String RUNTIME = "/apex/" + JavaRuntime.NAME;

  /** From this version on, Java warns of native code that nobody has allowed. */
  private static final int NATIVE_ACCESS = 22;

  JavaCommand {
    environment = List.copyOf(environment);
    arguments = List.copyOf(arguments);
  }

  static JavaCommand of(JavaPayload payload, ClassPath classPath) {
    List<String> words = new ArrayList<>();
    words.add(RUNTIME + "/bin/java");
    // A guest has few processors, little memory and often no hardware that helps: start fast.
    words.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            "-XX:MaxRAMPercentage=50",
            "-XX:-UsePerfData",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.io.tmpdir=/tmp",
            "-Duser.home=/tmp",
            "-Dfile.encoding=UTF-8",
            "-Dstdout.encoding=UTF-8",
            "-Dstderr.encoding=UTF-8",
            "-Dio.github.avf4j.payload.library=" + APK_ROOT + LIBRARY));
    if (Runtime.version().feature() >= NATIVE_ACCESS) {
      words.add("--enable-native-access=ALL-UNNAMED");
    }
    words.add("-cp");
    words.add(
        String.join(":", classPath.apkPaths().stream().map(path -> APK_ROOT + path).toList()));
    words.add(payload.mainClass());
    words.addAll(payload.arguments());
    return new JavaCommand(
        // libjvm.so finds libraries that the base image lacks by this alone.
        List.of(
            "LD_LIBRARY_PATH=" + RUNTIME + "/lib",
            "LOCPATH=" + RUNTIME + "/lib/locale",
            "LC_ALL=C.UTF-8",
            "HOME=/tmp"),
        words);
  }

  byte[] encode() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    environment.forEach(text -> put(out, text));
    put(out, "");
    arguments.forEach(text -> put(out, text));
    return out.toByteArray();
  }

  private static void put(ByteArrayOutputStream out, String text) {
    out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    out.write(0);
  }
}
