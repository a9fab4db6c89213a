/**
 * Every native call of avf4j: libc through JNA, and small classes above it. The only module that
 * knows JNA.
 */
@SuppressWarnings("module") // the modules that this one is exported to are built after it
module io.github.avf4j.linux {
  requires transitive io.github.avf4j.api;
  requires static transitive org.jspecify;
  requires com.sun.jna;
  requires org.slf4j;

  exports io.github.avf4j.linux to
      io.github.avf4j.kvm,
      io.github.avf4j.qemu,
      io.github.avf4j.benchmarks;

  opens io.github.avf4j.linux to
      com.sun.jna;
}
