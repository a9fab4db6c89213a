package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;

/** A medium that is read through a source; what remains is how it is written. */
abstract class SourceStorage implements InstanceStorage {
  private final ImageSource source;

  SourceStorage(ImageSource source) {
    this.source = source;
  }

  @Override
  public final long size() {
    return source.size();
  }

  @Override
  public final void read(long position, byte[] target, int offset, int length) throws IOException {
    source.read(position, target, offset, length);
  }

  @Override
  public final void write(long position, byte[] bytes) throws IOException {
    requireInside(position, bytes.length);
    writeInside(position, bytes);
  }

  abstract void writeInside(long position, byte[] bytes) throws IOException;
}
