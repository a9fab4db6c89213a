package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;

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

  @Override
  public long tag() {
    return TAG;
  }

  @Override
  public byte[] encode() {
    byte[] text = DescriptorWriter.utf8(commandLine);
    return new DescriptorWriter(TAG, FIXED, text.length)
        .u32(flags)
        .u32(text.length)
        .bytes(text)
        .done();
  }
}
