package io.github.avf4j.microdroid.kernel;

import io.github.avf4j.InvalidImageException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;

/** A compressed kernel, found in a file. Immutable and thread-safe. */
sealed interface PackedKernel permits BzImage, PackedArm64Image {
  /**
   * Writes the kernel.
   *
   * @param content the whole file
   * @throws InvalidImageException if it is damaged
   */
  void inflate(byte[] content, OutputStream out) throws IOException;

  /**
   * Unpacks the kernel to nowhere, without having the file in memory.
   *
   * @param file stands anywhere, and elsewhere afterwards
   * @throws InvalidImageException if it is damaged
   */
  void check(FileChannel file) throws IOException;
}
