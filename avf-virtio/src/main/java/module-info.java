/**
 * Guest memory, virtqueues and virtio devices. A device sees guest memory, an interrupt line and
 * its host side; it knows no hypervisor.
 */
module io.github.avf4j.virtio {
  requires transitive io.github.avf4j.api;
  requires static org.immutables.value;
  requires static transitive org.jspecify;
  requires org.slf4j;

  exports io.github.avf4j.virtio;
  exports io.github.avf4j.virtio.blk;
  exports io.github.avf4j.virtio.console;
  exports io.github.avf4j.virtio.memory;
  exports io.github.avf4j.virtio.mmio;
  exports io.github.avf4j.virtio.queue;
  exports io.github.avf4j.virtio.rng;
  exports io.github.avf4j.virtio.vsock;
}
