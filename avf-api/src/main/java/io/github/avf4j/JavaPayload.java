package io.github.avf4j;

import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A payload that is a Java class with a {@code main} method, made by {@link Payload#javaClass}.
 *
 * <p>When the machine is run, the class path becomes an APK, and the Java runtime of this process a
 * second image; the guest verifies both. A class that uses {@code io.github.avf4j.payload} finds it
 * in the guest. Class path and arguments are part of what is verified, and so of what the machine's
 * secrets belong to.
 *
 * <p>Immutable and thread-safe.
 */
public final class JavaPayload implements Payload {
  /**
   * The class by which the library for code in a guest is found, which this module must not know.
   */
  private static final String GUEST_LIBRARY = "io.github.avf4j.payload.VmPayload";

  private final String mainClass;
  private final List<Path> classPath;
  private final List<String> arguments;
  private final List<String> modules;
  private final @Nullable Signer signer;

  /**
   * Who signs the APK.
   *
   * @param key a private key in PEM, RSA or EC, not encrypted
   * @param certificate the key's certificate in PEM
   */
  public record Signer(Path key, Path certificate) {}

  private JavaPayload(
      String mainClass,
      List<Path> classPath,
      List<String> arguments,
      List<String> modules,
      @Nullable Signer signer) {
    this.mainClass = mainClass;
    this.classPath = List.copyOf(classPath);
    this.arguments = List.copyOf(arguments);
    this.modules = List.copyOf(modules);
    this.signer = signer;
  }

  static JavaPayload of(Class<?> main) {
    requireMain(main);
    Set<Path> classPath = new LinkedHashSet<>();
    classPath.add(
        codeSource(main)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        main.getName()
                            + " comes from no jar and no folder: name it with"
                            + " Payload.javaClass(String, Path...)")));
    guestLibrary(main).ifPresent(classPath::add);
    return of(main.getName(), List.copyOf(classPath));
  }

  static JavaPayload of(String mainClass, List<Path> classPath) {
    if (mainClass.isEmpty() || mainClass.indexOf('/') >= 0 || mainClass.indexOf('\0') >= 0) {
      throw new IllegalArgumentException(
          "the main class must be a class's name, such as com.example.Main, but was \""
              + mainClass
              + '"');
    }
    return new JavaPayload(mainClass, absolute(classPath), List.of(), List.of(), null);
  }

  private static void requireMain(Class<?> main) {
    try {
      int modifiers = main.getMethod("main", String[].class).getModifiers();
      if (Modifier.isStatic(modifiers)) {
        return;
      }
    } catch (NoSuchMethodException e) {
      // Said below.
    }
    throw new IllegalArgumentException(
        main.getName() + " must have a method: public static void main(String[] arguments)");
  }

  private static Optional<Path> guestLibrary(Class<?> main) {
    try {
      return codeSource(Class.forName(GUEST_LIBRARY, false, main.getClassLoader()));
    } catch (ClassNotFoundException e) {
      return Optional.empty();
    }
  }

  private static Optional<Path> codeSource(Class<?> type) {
    CodeSource source = type.getProtectionDomain().getCodeSource();
    URL location = source == null ? null : source.getLocation();
    if (location == null) {
      return Optional.empty();
    }
    try {
      URI uri = location.toURI();
      return uri.getScheme().equals("file") ? Optional.of(Path.of(uri)) : Optional.empty();
    } catch (URISyntaxException | IllegalArgumentException | FileSystemNotFoundException e) {
      return Optional.empty();
    }
  }

  private static List<Path> absolute(List<Path> paths) {
    return paths.stream().map(path -> path.toAbsolutePath().normalize()).toList();
  }

  /**
   * Returns this payload with these arguments of its {@code main} method.
   *
   * @throws IllegalArgumentException if one has a NUL character
   */
  public JavaPayload withArguments(String... arguments) {
    for (String argument : arguments) {
      if (argument.indexOf('\0') >= 0) {
        throw new IllegalArgumentException("an argument must not have a NUL character");
      }
    }
    return new JavaPayload(mainClass, classPath, List.of(arguments), modules, signer);
  }

  /** Returns this payload with more jars and folders of classes, after those that it has. */
  public JavaPayload withClassPath(Path... more) {
    Set<Path> all = new LinkedHashSet<>(classPath);
    all.addAll(absolute(List.of(more)));
    return new JavaPayload(mainClass, List.copyOf(all), arguments, modules, signer);
  }

  /**
   * Returns this payload with more modules of the Java runtime. Those that the class path names are
   * found without; needed are those that are found by services or by reflection.
   */
  public JavaPayload withModules(String... more) {
    Set<String> all = new TreeSet<>(modules);
    all.addAll(List.of(more));
    for (String module : all) {
      if (!module.matches("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*")) {
        throw new IllegalArgumentException(
            "a module must be a module's name, such as java.logging, but was \"" + module + '"');
      }
    }
    return new JavaPayload(mainClass, classPath, arguments, List.copyOf(all), signer);
  }

  /**
   * Returns this payload signed by a key of the caller's instead of the user's own for development,
   * which is made when it is first needed. Only whoever has the key can make another version of the
   * payload that gets the same secrets.
   */
  public JavaPayload withSigningKey(Path key, Path certificate) {
    Signer other = new Signer(key.toAbsolutePath(), certificate.toAbsolutePath());
    return new JavaPayload(mainClass, classPath, arguments, modules, other);
  }

  /** Returns the name of the class. */
  public String mainClass() {
    return mainClass;
  }

  /** Returns the absolute paths of jars and folders, in the order in which they are searched. */
  public List<Path> classPath() {
    return classPath;
  }

  /** Returns what the method is called with. */
  public List<String> arguments() {
    return arguments;
  }

  /** Returns the modules that are added to those that the class path needs, sorted. */
  public List<String> modules() {
    return modules;
  }

  /** Returns who signs; empty for the user's own key for development. */
  public Optional<Signer> signer() {
    return Optional.ofNullable(signer);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof JavaPayload that
        && mainClass.equals(that.mainClass)
        && classPath.equals(that.classPath)
        && arguments.equals(that.arguments)
        && modules.equals(that.modules)
        && Objects.equals(signer, that.signer);
  }

  @Override
  public int hashCode() {
    return Objects.hash(mainClass, classPath, arguments, modules, signer);
  }

  @Override
  public String toString() {
    List<String> words = new ArrayList<>(List.of("java", mainClass));
    words.addAll(arguments);
    return String.join(" ", words);
  }
}
