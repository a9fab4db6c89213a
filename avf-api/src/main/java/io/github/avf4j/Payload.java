package io.github.avf4j;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a virtual machine runs: today a static Linux executable.
 *
 * <p>The payload is started as a process of its own. Its standard output and error become the
 * machine's log output. The environment variable {@code AVF_READY_FD} names a descriptor: writing a
 * byte to it makes the host see {@link VirtualMachineCallback#onPayloadReady}. {@code AVF_CID} is
 * the machine's own vsock address; the host is 2.
 *
 * <p>Thread-safe.
 */
public final class Payload {
  private final Path executable;
  private final List<String> arguments;
  private final Map<String, String> environment;

  private Payload(Path executable, List<String> arguments, Map<String, String> environment) {
    this.executable = executable;
    this.arguments = List.copyOf(arguments);
    this.environment = Map.copyOf(environment);
    arguments.forEach(argument -> requireNoNul("argument", argument));
    environment.forEach(
        (name, value) -> {
          requireNoNul("environment variable", name);
          requireNoNul("environment variable", value);
          if (name.isEmpty() || name.indexOf('=') >= 0) {
            throw new IllegalArgumentException(
                "an environment variable name must not be empty or have '=' but was \""
                    + name
                    + '"');
          }
        });
  }

  private static void requireNoNul(String what, String text) {
    if (text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("an " + what + " must not have a NUL character");
    }
  }

  /**
   * Returns a payload that is the static Linux executable {@code file}. The file is read when the
   * machine is run; a file that is no executable for the guest's processor is refused then.
   */
  public static Payload executable(Path file) {
    return new Payload(file.toAbsolutePath(), List.of(), Map.of());
  }

  /** Returns this payload with {@code arguments} as its command line after the program's name. */
  public Payload withArguments(String... arguments) {
    return new Payload(executable, List.of(arguments), environment);
  }

  /** Returns this payload with one more environment variable. */
  public Payload withEnvironment(String name, String value) {
    Map<String, String> more = new TreeMap<>(environment);
    more.put(name, value);
    return new Payload(executable, arguments, more);
  }

  /** Returns the executable's absolute path on the host. */
  public Path executable() {
    return executable;
  }

  /** Returns the arguments after the program's name. */
  public List<String> arguments() {
    return arguments;
  }

  /** Returns the environment variables that are set besides the framework's own. */
  public Map<String, String> environment() {
    return environment;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Payload that
        && executable.equals(that.executable)
        && arguments.equals(that.arguments)
        && environment.equals(that.environment);
  }

  @Override
  public int hashCode() {
    return executable.hashCode() * 31 + arguments.hashCode();
  }

  @Override
  public String toString() {
    return executable + (arguments.isEmpty() ? "" : " " + String.join(" ", arguments));
  }
}
