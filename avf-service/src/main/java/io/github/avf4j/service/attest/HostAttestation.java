package io.github.avf4j.service.attest;

import io.github.avf4j.VirtualMachineException;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.remote.HostRoot;
import io.github.avf4j.attestation.remote.ServiceVmException;
import io.github.avf4j.microdroid.base.BaseImage;
import io.github.avf4j.microdroid.base.HostFirmware;
import java.nio.file.Path;
import java.time.Clock;
import java.util.EnumMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Certifies keys of guests of one base image on this host, with the root in a file.
 *
 * <p>Nothing is made before a guest asks: the first request reads the image, and creates the root
 * if there is none. Certificates for testing have a root that lives as long as this object.
 * Thread-safe.
 */
public final class HostAttestation implements AttestationAuthority {
  private static final Logger log = LoggerFactory.getLogger(HostAttestation.class);

  private final HostFirmware firmware;
  private final BaseImage image;
  private final Path rootFile;
  private final Clock clock;

  // Guarded by this.
  private final Map<Purpose, ServiceVmHost> hosts = new EnumMap<>(Purpose.class);
  private boolean closed;

  private enum Purpose {
    PRODUCTION,
    TESTING
  }

  /**
   * Makes the authority for guests that this firmware boots from this image.
   *
   * @param rootFile see {@link HostRoot#openOrCreate}
   */
  public HostAttestation(HostFirmware firmware, BaseImage image, Path rootFile) {
    this(firmware, image, rootFile, Clock.systemUTC());
  }

  HostAttestation(HostFirmware firmware, BaseImage image, Path rootFile, Clock clock) {
    this.firmware = firmware;
    this.image = image;
    this.rootFile = rootFile;
    this.clock = clock;
  }

  @Override
  public synchronized AttestationAnswer answer(byte[] csr, boolean testMode) {
    if (closed) {
      return new AttestationAnswer.Failed("the machine is over");
    }
    ServiceVmHost host;
    try {
      host = host(testMode ? Purpose.TESTING : Purpose.PRODUCTION);
    } catch (AttestationException | VirtualMachineException e) {
      // The message names files of the host, which are none of the guest's business.
      log.warn("keys of guests of {} cannot be certified: {}", image.folder(), e.getMessage(), e);
      return new AttestationAnswer.Failed(
          "this host cannot certify keys at the moment; its log says why");
    }
    try {
      return new AttestationAnswer.Attested(host.attest(ByteSlice.copyOf(csr)));
    } catch (ServiceVmException e) {
      log.info("the request of a guest was refused: {}: {}", e.error(), e.getMessage());
      return new AttestationAnswer.Failed(
          "the service VM refused the request: " + e.error() + ": " + e.getMessage());
    }
  }

  private ServiceVmHost host(Purpose purpose) {
    ServiceVmHost known = hosts.get(purpose);
    if (known != null && known.isFresh(clock.instant())) {
      return known;
    }
    try (HostFirmware.ServiceVmLayer layer = firmware.serviceVm(image);
        HostRoot root =
            purpose == Purpose.TESTING ? HostRoot.forTesting() : HostRoot.openOrCreate(rootFile)) {
      ServiceVmHost made = ServiceVmHost.provision(layer, root, clock.instant());
      hosts.put(purpose, made);
      if (known != null) {
        known.close();
      }
      return made;
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    hosts.values().forEach(ServiceVmHost::close);
    hosts.clear();
  }
}
