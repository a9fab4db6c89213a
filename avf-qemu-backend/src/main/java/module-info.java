import io.github.avf4j.qemu.QemuBackend;
import io.github.avf4j.spi.HypervisorBackend;

/** Runs machines in a QEMU process, with software emulation, where KVM cannot run them. */
module io.github.avf4j.qemu {
  requires com.fasterxml.jackson.databind;
  requires io.github.avf4j.api;
  requires io.github.avf4j.linux;
  requires io.github.avf4j.virtio;
  requires static org.jspecify;
  requires org.slf4j;

  provides HypervisorBackend with
      QemuBackend;
}
