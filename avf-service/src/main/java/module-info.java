/**
 * Makes a virtual machine of its parts: implements the API on any hypervisor backend that {@link
 * java.util.ServiceLoader} finds.
 */
module io.github.avf4j.service {
  requires com.fasterxml.jackson.databind;
  requires io.github.avf4j.api;
  requires io.github.avf4j.attestation;
  requires io.github.avf4j.microdroid;
  requires org.slf4j;
  requires static transitive org.jspecify;

  uses io.github.avf4j.spi.HypervisorBackend;

  provides io.github.avf4j.spi.VirtualizationProvider with
      io.github.avf4j.service.LocalVirtualization;
}
