package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbDescriptor;
import io.github.avf4j.attestation.avb.AvbException;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.ChainPartitionDescriptor;
import io.github.avf4j.attestation.avb.HashDescriptor;
import io.github.avf4j.attestation.avb.HashtreeDescriptor;
import io.github.avf4j.attestation.avb.KernelCommandLineDescriptor;
import io.github.avf4j.attestation.avb.PropertyDescriptor;
import io.github.avf4j.attestation.avb.UnknownDescriptor;
import io.github.avf4j.cli.internal.Text;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Writes descriptors for people, in the columns of avbtool. */
final class DescriptorText {
  private static final int SHORT = 256;

  private final PrintWriter out;

  private DescriptorText(PrintWriter out) {
    this.out = out;
  }

  static void print(AvbDescriptor descriptor, PrintWriter out) {
    DescriptorText text = new DescriptorText(out);
    if (descriptor instanceof HashDescriptor hash) {
      text.hash(hash);
    } else if (descriptor instanceof HashtreeDescriptor tree) {
      text.hashtree(tree);
    } else if (descriptor instanceof ChainPartitionDescriptor chain) {
      text.chain(chain);
    } else if (descriptor instanceof PropertyDescriptor property) {
      text.property(property);
    } else if (descriptor instanceof KernelCommandLineDescriptor kernel) {
      text.title("Kernel Cmdline descriptor");
      text.line("Flags:", kernel.flags());
      text.line("Kernel Cmdline:", "'" + Text.printable(kernel.commandLine()) + "'");
    } else if (descriptor instanceof UnknownDescriptor unknown) {
      text.title("Unknown descriptor");
      text.line("Tag:", Long.toUnsignedString(unknown.tag()));
      text.line("Bytes:", unknown.encode().length);
    }
  }

  private void hash(HashDescriptor hash) {
    title("Hash descriptor");
    line("Image Size:", bytes(hash.imageSize()));
    line("Hash Algorithm:", Text.printable(hash.hashAlgorithm()));
    line("Partition Name:", Text.printable(hash.partitionName()));
    line("Salt:", hash.salt().toHex());
    line("Digest:", hash.digest().toHex());
    line("Flags:", hash.flags());
  }

  private void hashtree(HashtreeDescriptor tree) {
    title("Hashtree descriptor");
    line("Version of dm-verity:", tree.dmVerityVersion());
    line("Image Size:", bytes(tree.imageSize()));
    line("Tree Offset:", Long.toUnsignedString(tree.treeOffset()));
    line("Tree Size:", bytes(tree.treeSize()));
    line("Data Block Size:", bytes(tree.dataBlockSize()));
    line("Hash Block Size:", bytes(tree.hashBlockSize()));
    line("FEC num roots:", tree.fecNumRoots());
    line("FEC offset:", Long.toUnsignedString(tree.fecOffset()));
    line("FEC size:", bytes(tree.fecSize()));
    line("Hash Algorithm:", Text.printable(tree.hashAlgorithm()));
    line("Partition Name:", Text.printable(tree.partitionName()));
    line("Salt:", tree.salt().toHex());
    line("Root Digest:", tree.rootDigest().toHex());
    line("Flags:", tree.flags());
  }

  private void chain(ChainPartitionDescriptor chain) {
    title("Chain Partition descriptor");
    wideLine("Partition Name:", Text.printable(chain.partitionName()));
    wideLine("Rollback Index Location:", chain.rollbackIndexLocation());
    wideLine("Public key (sha1):", key(chain.publicKey()));
    wideLine("Flags:", chain.flags());
  }

  private void property(PropertyDescriptor property) {
    String key = Text.printable(property.key());
    ByteSlice value = property.value();
    out.println(
        value.length() < SHORT
            ? "    Prop: " + key + " -> '" + value(value) + "'"
            : "    Prop: " + key + " -> (" + value.length() + " bytes)");
  }

  /** Text as it is, other bytes escaped. */
  private static String value(ByteSlice value) {
    String text = new String(value.toByteArray(), StandardCharsets.UTF_8);
    if (text.indexOf('\uFFFD') < 0 && text.equals(Text.printable(text))) {
      return text;
    }
    StringBuilder escaped = new StringBuilder();
    for (byte b : value.toByteArray()) {
      if (b >= ' ' && b < 0x7f) {
        escaped.append((char) b);
      } else {
        escaped.append("\\x").append(HexFormat.of().toHexDigits(b));
      }
    }
    return escaped.toString();
  }

  private static String key(ByteSlice blob) {
    try {
      return AvbPublicKey.parse(blob).sha1();
    } catch (AvbException e) {
      return "malformed: " + e.getMessage();
    }
  }

  private static String bytes(long count) {
    return Long.toUnsignedString(count) + " bytes";
  }

  private void title(String title) {
    out.println("    " + title + ":");
  }

  private void wideLine(String label, Object value) {
    out.printf("      %-24s %s%n", label, value);
  }

  private void line(String label, Object value) {
    out.printf("      %-22s %s%n", label, value);
  }
}
