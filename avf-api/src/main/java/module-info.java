/**
 * The user API of avf4j and the interfaces that hypervisor backends implement.
 *
 * <p>Nothing in this module is native, and no type of another library shows in a signature.
 */
@SuppressWarnings("module") // avf-virtio is built after this module
module io.github.avf4j.api {
  requires static org.immutables.value;
  requires static transitive org.jspecify;

  exports io.github.avf4j;
  exports io.github.avf4j.internal to
      io.github.avf4j.virtio;
  exports io.github.avf4j.spi;

  uses io.github.avf4j.spi.VirtualizationProvider;
}
