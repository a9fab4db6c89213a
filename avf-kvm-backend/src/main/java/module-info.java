/**
 * The virtual machine monitor over {@code /dev/kvm}: found through {@link
 * io.github.avf4j.spi.HypervisorBackend}, nothing of it is for users.
 */
@SuppressWarnings("module") // the benchmarks are built after this module
module io.github.avf4j.kvm {
  requires io.github.avf4j.api;
  requires io.github.avf4j.devicetree;
  requires io.github.avf4j.linux;
  requires io.github.avf4j.virtio;
  requires static transitive org.jspecify;
  requires org.slf4j;

  exports io.github.avf4j.kvm to
      io.github.avf4j.benchmarks;
  exports io.github.avf4j.kvm.ioctl to
      io.github.avf4j.benchmarks;

  provides io.github.avf4j.spi.HypervisorBackend with
      io.github.avf4j.kvm.KvmBackend;
}
