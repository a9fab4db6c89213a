package io.github.avf4j.attestation.pvmfw;

import java.util.ArrayList;
import java.util.List;

/** Which of the host's kernel arguments a guest gets. Thread-safe. */
public final class BootArguments {
  private BootArguments() {}

  /**
   * What is left for a guest that cannot be debugged: {@code panic=-1}, and what the policy allows.
   *
   * @throws PvmfwException of error INVALID_FDT if the text is not ASCII
   */
  public static String filter(String arguments, DebugPolicy policy) {
    List<String> kept = new ArrayList<>();
    for (String argument : split(arguments)) {
      int equals = argument.indexOf('=');
      String name = equals < 0 ? argument : argument.substring(0, equals);
      boolean allowed =
          switch (name) {
            case "panic" -> argument.equals("panic=-1");
            case "crashkernel" -> policy.ramdump();
            case "console" -> policy.log();
            default -> false;
          };
      if (allowed) {
        kept.add(argument);
      }
    }
    return String.join(" ", kept);
  }

  /** The arguments: divided at white space that is not between double quotes. */
  static List<String> split(String arguments) {
    List<String> all = new ArrayList<>();
    StringBuilder current = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i < arguments.length(); i++) {
      char c = arguments.charAt(i);
      HostRules.require(c < 0x80, "the boot arguments are not ASCII");
      quoted ^= c == '"';
      if (!quoted && (c == ' ' || c >= '\t' && c <= '\r')) {
        if (current.length() > 0) {
          all.add(current.toString());
          current.setLength(0);
        }
      } else {
        current.append(c);
      }
    }
    if (current.length() > 0) {
      all.add(current.toString());
    }
    return all;
  }
}
