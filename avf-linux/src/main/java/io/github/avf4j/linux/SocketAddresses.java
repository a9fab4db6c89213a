package io.github.avf4j.linux;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** {@code struct sockaddr_un}: family 0 (2 bytes), path 2 (108 bytes). Thread-safe. */
final class SocketAddresses {
  static final int SIZE = 110;
  static final int PATH_OFFSET = 2;
  static final int MAX_PATH = SIZE - PATH_OFFSET - 1;

  private SocketAddresses() {}

  static NativeBuffer of(Path path) {
    byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
    if (bytes.length > MAX_PATH) {
      throw new IllegalArgumentException(
          "the path of a Unix socket must be at most "
              + MAX_PATH
              + " bytes but was "
              + bytes.length
              + ": "
              + path);
    }
    NativeBuffer address = NativeBuffer.allocate(SIZE);
    address.bytes().putShort(0, (short) LibC.AF_UNIX);
    for (int i = 0; i < bytes.length; i++) {
      address.bytes().put(PATH_OFFSET + i, bytes[i]);
    }
    return address;
  }
}
