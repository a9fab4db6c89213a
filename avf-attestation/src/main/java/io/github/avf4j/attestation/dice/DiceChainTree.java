package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CosePublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Draws a chain as a tree for a person to read, the root key first.
 *
 * <p>Names come from whoever made the chain: control characters and whatever else a terminal might
 * act on are escaped, and long names are cut. Thread-safe.
 */
public final class DiceChainTree {
  private static final int HASH_BYTES = 8;
  private static final int NAME_CHARS = 64;

  private DiceChainTree() {}

  /** Draws a chain, verified or not; lines end with a line feed. */
  public static String draw(DiceChain chain) {
    StringBuilder out = new StringBuilder();
    out.append("root key ").append(key(chain.rootKey())).append('\n');
    String indent = "";
    for (DiceCertificate layer : chain.certificates()) {
      out.append(indent).append("└─ ").append(title(layer)).append('\n');
      indent += "   ";
      for (String detail : details(layer)) {
        out.append(indent).append(detail).append('\n');
      }
    }
    return out.toString();
  }

  private static String title(DiceCertificate layer) {
    StringBuilder title =
        new StringBuilder(layer.componentName().map(DiceChainTree::printable).orElse("(no name)"));
    layer
        .config()
        .ifPresent(
            config -> {
              config
                  .componentInstanceName()
                  .ifPresent(name -> title.append(" \"").append(printable(name)).append('"'));
              config
                  .componentVersion()
                  .ifPresent(
                      version -> title.append(" version ").append(printable(version.toString())));
              config
                  .securityVersion()
                  .ifPresent(version -> title.append(", security version ").append(version));
            });
    return title.append(" [").append(mode(layer)).append(']').toString();
  }

  private static String mode(DiceCertificate layer) {
    return switch (layer.mode()) {
      case NOT_CONFIGURED -> layer.hasMode() ? "not configured" : "no mode";
      case NORMAL -> "normal";
      case DEBUG -> "debug";
      case RECOVERY -> "recovery";
    };
  }

  private static List<String> details(DiceCertificate layer) {
    List<String> details = new ArrayList<>();
    details.add("subject    " + printable(layer.subject().orElse("(none)")));
    details.add("key        " + key(layer.subjectPublicKey()));
    details.add("code       " + hash(layer.codeHash()));
    details.add("config     " + hash(layer.configHash()));
    details.add("authority  " + hash(layer.authorityHash()));
    layer.profileName().ifPresent(name -> details.add("profile    " + printable(name)));
    layer
        .config()
        .ifPresent(
            config -> {
              if (config.isResettable()) {
                details.add("resettable");
              }
              if (config.hasRkpVmMarker()) {
                details.add("RKP VM marker");
              }
            });
    layer.configFault().ifPresent(fault -> details.add("! " + fault.reason()));
    return details;
  }

  private static String key(CosePublicKey key) {
    return key.algorithm().coseName() + " " + shorten(key.raw());
  }

  private static String hash(Optional<ByteSlice> hash) {
    return hash.map(DiceChainTree::shorten).orElse("(none)");
  }

  private static String shorten(ByteSlice bytes) {
    return bytes.length() <= HASH_BYTES
        ? bytes.toHex()
        : bytes.slice(0, HASH_BYTES).toHex() + "… (" + bytes.length() + " bytes)";
  }

  private static String printable(String text) {
    StringBuilder out = new StringBuilder();
    int shown = 0;
    for (int i = 0; i < text.length() && shown < NAME_CHARS; shown++) {
      int point = text.codePointAt(i);
      i += Character.charCount(point);
      switch (Character.getType(point)) {
        case Character.CONTROL,
            Character.FORMAT,
            Character.LINE_SEPARATOR,
            Character.PARAGRAPH_SEPARATOR,
            Character.PRIVATE_USE,
            Character.SURROGATE,
            Character.UNASSIGNED ->
            out.append(String.format("\\u{%x}", point));
        default -> out.appendCodePoint(point);
      }
    }
    return text.codePointCount(0, text.length()) > NAME_CHARS ? out + "…" : out.toString();
  }
}
