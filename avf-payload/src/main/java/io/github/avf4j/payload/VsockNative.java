package io.github.avf4j.payload;

import java.nio.ByteBuffer;

/**
 * The library in Rust that makes the system calls, as Java has no sockets of this family. Results
 * below 0 are errors of the system, negated.
 *
 * <p>Calls that may block end with {@link #CANCELED} when their event is signalled. Buffers are
 * direct, and the callers have checked what is used of them. Thread-safe.
 */
final class VsockNative {
  /** What the signal to a blocked call makes it return. */
  static final int CANCELED = -125;

  private static final String LIBRARY = "io.github.avf4j.payload.library";

  static {
    String abi = System.getProperty("os.arch").equals("aarch64") ? "arm64-v8a" : "x86_64";
    System.load(System.getProperty(LIBRARY, "/mnt/apk/lib/" + abi + "/libavf_java.so"));
  }

  private VsockNative() {}

  /** A listening socket; -1 as the port takes one that is free. */
  static native int listen(int port);

  /** An unsigned number, or an error. */
  static native long localPort(int socket);

  static native int accept(int socket, int event);

  static native int connect(int cid, int port);

  /** An unsigned number, or an error. */
  static native long peerCid(int socket);

  static native int read(int socket, int event, ByteBuffer target, int offset, int length);

  static native int write(int socket, int event, ByteBuffer source, int offset, int length);

  static native int shutdownOutput(int socket);

  /** An event that was not signalled yet. */
  static native int event();

  static native int signal(int event);

  static native int close(int descriptor);
}
