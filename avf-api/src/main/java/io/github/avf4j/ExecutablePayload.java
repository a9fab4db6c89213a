package io.github.avf4j;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A payload that is a static Linux executable, made by {@link Payload#executable(Path)}.
 *
 * <p>The payload is started as a process of its own. Its standard output and error become the
 * machine's log output. The environment variable {@code AVF_READY_FD} names a descriptor: writing a
 * byte to it makes the host see {@link VirtualMachineCallback#onPayloadReady}. {@code AVF_CID} is
 * the machine's own vsock address; the host is 2.
 *
 * <p>Thread-safe.
 */
public final class ExecutablePayload implements Payload {
  private final Path executable;
  private final List<String> arguments;
  private final Map<String, String> environment;

  private ExecutablePayload(
      Path executable, List<String> arguments, Map<String, String> environment) {
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

  static ExecutablePayload of(Path file) {
    return new ExecutablePayload(file.toAbsolutePath(), List.of(), Map.of());
  }

  /** Returns this payload with {@code arguments} as its command line after the program's name. */
  public ExecutablePayload withArguments(String... arguments) {
    return new ExecutablePayload(executable, List.of(arguments), environment);
  }

  /** Returns this payload with one more environment variable. */
  public ExecutablePayload withEnvironment(String name, String value) {
    Map<String, String> more = new TreeMap<>(environment);
    more.put(name, value);
    return new ExecutablePayload(executable, arguments, more);
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
    return other instanceof ExecutablePayload that
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
