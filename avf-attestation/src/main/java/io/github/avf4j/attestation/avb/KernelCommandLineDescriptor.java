package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Arguments for the kernel.
 *
 * @param flags see {@link #ONLY_WITH_HASHTREE} and {@link #ONLY_WITHOUT_HASHTREE}
 * @param commandLine text without NUL
 */
public record KernelCommandLineDescriptor(int flags, String commandLine) implements AvbDescriptor {
  /** The flag of arguments that only hold while dm-verity is on. */
  public static final int ONLY_WITH_HASHTREE = 1;

  /** The flag of arguments that only hold while dm-verity is off. */
  public static final int ONLY_WITHOUT_HASHTREE = 2;

  static final long TAG = 3;
  private static final int FIXED = 24;
  private static final String SYSTEM = "PARTUUID=$(ANDROID_SYSTEM_PARTUUID)";

  static KernelCommandLineDescriptor read(ByteSlice bytes) {
    DescriptorReader in = new DescriptorReader(bytes, FIXED);
    String text = in.text(in.u32(20));
    in.end();
    if (text.indexOf(0) >= 0) {
      throw new AvbException(
          AvbException.Kind.DESCRIPTOR_CONTENTS,
          "a kernel command line must not contain NUL",
          bytes.offset());
    }
    return new KernelCommandLineDescriptor(in.bits32(16), text);
  }

  /**
   * The two descriptors by which a kernel mounts a partition as its root: through dm-verity as long
   * as that is on, directly otherwise. The boot loader replaces the names in {@code $(…)}.
   *
   * @param tree the hashtree of the partition; an empty salt is written as {@code -}
   * @throws AvbException of kind REQUEST if the root digest is persistent, since no table names it
   */
  public static List<KernelCommandLineDescriptor> forRoot(HashtreeDescriptor tree) {
    if (tree.rootDigest().isEmpty()) {
      throw new AvbException(
          AvbException.Kind.REQUEST, "a persistent root digest cannot stand in a command line");
    }
    return List.of(
        new KernelCommandLineDescriptor(
            ONLY_WITH_HASHTREE, "dm=\"1 vroot none ro 1," + table(tree) + "\" root=/dev/dm-0"),
        new KernelCommandLineDescriptor(ONLY_WITHOUT_HASHTREE, "root=" + SYSTEM));
  }

  private static String table(HashtreeDescriptor tree) {
    boolean once = (tree.flags() & HashtreeDescriptor.CHECK_AT_MOST_ONCE) != 0;
    boolean corrects = tree.fecNumRoots() > 0;
    List<Object> words = new ArrayList<>();
    words.addAll(List.of(0, Long.divideUnsigned(tree.imageSize(), 512), "verity"));
    words.addAll(List.of(tree.dmVerityVersion(), SYSTEM, SYSTEM));
    words.addAll(List.of(tree.dataBlockSize(), tree.hashBlockSize()));
    words.add(blocks(tree.imageSize(), tree.dataBlockSize()));
    words.add(blocks(tree.treeOffset(), tree.hashBlockSize()));
    words.addAll(List.of(tree.hashAlgorithm(), tree.rootDigest().toHex()));
    words.add(tree.salt().isEmpty() ? "-" : tree.salt().toHex());
    words.add((corrects ? 10 : 2) + (once ? 1 : 0));
    if (once) {
      words.add("check_at_most_once");
    }
    words.addAll(List.of("$(ANDROID_VERITY_MODE)", "ignore_zero_blocks"));
    if (corrects) {
      long covered = blocks(tree.fecOffset(), tree.dataBlockSize());
      words.addAll(List.of("use_fec_from_device", SYSTEM, "fec_roots", tree.fecNumRoots()));
      words.addAll(List.of("fec_blocks", covered, "fec_start", covered));
    }
    return words.stream().map(String::valueOf).collect(Collectors.joining(" "));
  }

  private static long blocks(long bytes, long blockSize) {
    if (blockSize == 0) {
      throw new AvbException(AvbException.Kind.REQUEST, "a hashtree has blocks of 0 bytes");
    }
    return Long.divideUnsigned(bytes, blockSize);
  }

  @Override
  public long tag() {
    return TAG;
  }

  @Override
  public byte[] encode() {
    if (commandLine.indexOf(0) >= 0) {
      throw new AvbException(
          AvbException.Kind.REQUEST, "a kernel command line must not contain NUL");
    }
    byte[] text = DescriptorWriter.utf8(commandLine);
    return new DescriptorWriter(TAG, FIXED, text.length)
        .u32(flags)
        .u32(text.length)
        .bytes(text)
        .done();
  }
}
