package io.github.avf4j.microdroid.kernel;

import com.github.luben.zstd.ZstdInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.tukaani.xz.SingleXZInputStream;

/** The ways in which kernels and modules are compressed, told by their first bytes. */
public enum Compression {
  /** RFC 1952. */
  GZIP(0x1f, 0x8b, 0x08) {
    @Override
    public InputStream open(InputStream in) throws IOException {
      return new GZIPInputStream(in, BUFFER);
    }
  },
  /** The .xz format, one stream. */
  XZ(0xfd, '7', 'z', 'X', 'Z', 0) {
    @Override
    public InputStream open(InputStream in) throws IOException {
      return new SingleXZInputStream(in, MAX_DICTIONARY_KIB);
    }
  },
  /** RFC 8878. */
  ZSTD(0x28, 0xb5, 0x2f, 0xfd) {
    @Override
    public InputStream open(InputStream in) throws IOException {
      return new ZstdInputStream(in);
    }
  },
  /** The format of {@code lz4 -l}, which kernels use. */
  LZ4(0x02, 0x21, 0x4c, 0x18) {
    @Override
    public InputStream open(InputStream in) throws IOException {
      return new LegacyLz4InputStream(in);
    }
  };

  private static final int BUFFER = 1 << 16;

  // The kernel's xz uses 32 MiB; a hostile header asks for gigabytes.
  private static final int MAX_DICTIONARY_KIB = 160 << 10;

  private final byte[] magic;

  Compression(int... magic) {
    this.magic = new byte[magic.length];
    for (int i = 0; i < magic.length; i++) {
      this.magic[i] = (byte) magic[i];
    }
  }

  /** Returns the compression of content that starts at {@code offset}, empty if none is known. */
  public static Optional<Compression> at(byte[] content, int offset) {
    for (Compression compression : values()) {
      if (compression.matches(content, offset)) {
        return Optional.of(compression);
      }
    }
    return Optional.empty();
  }

  private boolean matches(byte[] content, int offset) {
    return content.length - offset >= magic.length
        && Arrays.equals(content, offset, offset + magic.length, magic, 0, magic.length);
  }

  /** Returns the uncompressed content; whoever reads it bounds it. */
  public abstract InputStream open(InputStream in) throws IOException;
}
