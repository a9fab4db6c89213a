package io.github.avf4j;

import java.nio.file.Path;
import java.util.List;

/**
 * What a virtual machine runs.
 *
 * <p>Thread-safe.
 */
public sealed interface Payload permits ExecutablePayload, ApkPayload, JavaPayload {
  /**
   * Returns a payload that is the static Linux executable {@code file}. The file is read when the
   * machine is run; a file that is no executable for the guest's processor is refused then.
   */
  static ExecutablePayload executable(Path file) {
    return ExecutablePayload.of(file);
  }

  /**
   * Returns a payload that is in the signed APK {@code file}: still without what of it runs, which
   * {@link ApkPayload#withBinaryName} or {@link ApkPayload#withConfigPath} says.
   */
  static ApkPayload apk(Path file) {
    return ApkPayload.of(file);
  }

  /**
   * Returns a payload that is a Java class of this program, with its jar or folder as the class
   * path. Class and class path are read when the machine is run, and go into it with a Java runtime
   * made of this process's.
   *
   * @param main with {@code public static void main(String[])}; in the guest it uses {@code
   *     io.github.avf4j.payload}
   * @throws IllegalArgumentException if it has no such method, or comes from no jar and no folder
   */
  static JavaPayload javaClass(Class<?> main) {
    return JavaPayload.of(main);
  }

  /**
   * Returns a payload that is a Java class which this program need not have.
   *
   * @param mainClass the name of the class, as {@link Class#getName} has it
   * @param classPath jars and folders of classes, in the order in which they are searched
   * @throws IllegalArgumentException if it is no name of a class
   */
  static JavaPayload javaClass(String mainClass, Path... classPath) {
    return JavaPayload.of(mainClass, List.of(classPath));
  }
}
