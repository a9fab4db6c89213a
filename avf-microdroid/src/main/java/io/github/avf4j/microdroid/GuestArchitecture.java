package io.github.avf4j.microdroid;

import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The processors that guests may have, all of 64 bits, and what files for them are called. A guest
 * has that of its host.
 *
 * <p>Immutable and thread-safe.
 */
public enum GuestArchitecture {
  /** Intel and AMD. */
  X86_64("x86-64", 62, "amd64", "x86_64", "x86_64", "lib64", "ld-linux-x86-64.so.2"),
  /** Arm. */
  AARCH64("arm64", 183, "aarch64", "aarch64", "arm64-v8a", "lib", "ld-linux-aarch64.so.1");

  private static final Map<Integer, String> OTHERS =
      Map.of(3, "32-bit x86", 40, "32-bit ARM", 243, "RISC-V");

  private final String text;
  private final int elfMachine;
  private final String jvmName;
  private final String linuxName;
  private final String androidName;
  private final String loaderFolder;
  private final String loader;

  GuestArchitecture(
      String text,
      int elfMachine,
      String jvmName,
      String linuxName,
      String androidName,
      String loaderFolder,
      String loader) {
    this.text = text;
    this.elfMachine = elfMachine;
    this.jvmName = jvmName;
    this.linuxName = linuxName;
    this.androidName = androidName;
    this.loaderFolder = loaderFolder;
    this.loader = loader;
  }

  /**
   * That of this process, and so of the guests of this host. On any other processor, where nothing
   * runs guests, it is {@link #X86_64}, so that files can be made there all the same.
   */
  public static GuestArchitecture host() {
    return ofJvm(System.getProperty("os.arch")).orElse(X86_64);
  }

  /** The one that a JVM's property {@code os.arch} names. */
  public static Optional<GuestArchitecture> ofJvm(String name) {
    return Stream.of(values()).filter(each -> each.jvmName.equals(name)).findFirst();
  }

  /** The name of an ELF file's machine, for people. */
  public static String nameOfElfMachine(int machine) {
    return Stream.of(values())
        .filter(each -> each.elfMachine == machine)
        .findFirst()
        .map(GuestArchitecture::toString)
        .orElseGet(
            () -> OTHERS.getOrDefault(machine, "another processor (ELF machine " + machine + ')'));
  }

  /** The number that ELF files have for it, {@code e_machine}. */
  public int elfMachine() {
    return elfMachine;
  }

  /** Linux's name, such as {@code aarch64}. */
  public String linuxName() {
    return linuxName;
  }

  /** The name that Debian's folders of libraries have, such as {@code aarch64-linux-gnu}. */
  public String multiarchName() {
    return linuxName + "-linux-gnu";
  }

  /** Android's name of the binary interface, such as {@code arm64-v8a}. */
  public String androidName() {
    return androidName;
  }

  /** The folder of an APK that has the libraries for it, with a slash at the end. */
  public String libraryFolder() {
    return "lib/" + androidName + '/';
  }

  /** The file name of the C library's loader. */
  public String loader() {
    return loader;
  }

  /** Where executables expect the loader: a folder of the root, without slashes. */
  public String loaderFolder() {
    return loaderFolder;
  }

  /** The name for people. */
  @Override
  public String toString() {
    return text;
  }
}
