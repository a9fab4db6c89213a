package io.github.avf4j.binder;

import java.io.IOException;
import java.nio.channels.ByteChannel;

/**
 * Connects to a server, each time anew. A session needs one connection for each call that it makes
 * at once.
 */
@FunctionalInterface
public interface RpcConnector {
  /**
   * Returns a new connection. Its reads and writes must block, and closing it must end those of
   * other threads. The session closes it.
   */
  ByteChannel connect() throws IOException;
}
