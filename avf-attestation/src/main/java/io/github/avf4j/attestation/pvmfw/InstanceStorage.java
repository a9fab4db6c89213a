package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** The medium of an instance image: a file, a disk, or memory. */
public interface InstanceStorage extends ImageSource {
  /** Writes bytes inside the medium. */
  void write(long position, byte[] bytes) throws IOException;

  /** Makes what was written durable. */
  void flush() throws IOException;

  /** An array as a medium; writes change it. */
  static InstanceStorage of(byte[] memory) {
    return new SourceStorage(ImageSource.of(memory)) {
      @Override
      void writeInside(long position, byte[] bytes) {
        System.arraycopy(bytes, 0, memory, (int) position, bytes.length);
      }

      @Override
      public void flush() {}
    };
  }

  /** A file of a fixed size as a medium; the channel is only used, never closed. */
  static InstanceStorage of(FileChannel file) throws IOException {
    return new SourceStorage(ImageSource.of(file)) {
      @Override
      void writeInside(long position, byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
          file.write(buffer, position + buffer.position());
        }
      }

      @Override
      public void flush() throws IOException {
        file.force(false);
      }
    };
  }

  /**
   * A part of a medium as a medium of its own.
   *
   * @throws java.io.EOFException if it is not inside
   */
  static InstanceStorage part(InstanceStorage whole, long start, long length) throws IOException {
    whole.requireInside(start, length);
    return new InstanceStorage() {
      @Override
      public long size() {
        return length;
      }

      @Override
      public void read(long position, byte[] target, int offset, int count) throws IOException {
        requireInside(position, count);
        whole.read(start + position, target, offset, count);
      }

      @Override
      public void write(long position, byte[] bytes) throws IOException {
        requireInside(position, bytes.length);
        whole.write(start + position, bytes);
      }

      @Override
      public void flush() throws IOException {
        whole.flush();
      }
    };
  }
}
