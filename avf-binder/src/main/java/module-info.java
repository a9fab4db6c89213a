/** RPC Binder, Android's calls over sockets, for clients. Depends on nothing but the JDK. */
module io.github.avf4j.binder {
  requires static org.jspecify;

  exports io.github.avf4j.binder;
}
