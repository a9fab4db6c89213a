package io.github.avf4j.attestation.pvmfw;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a hypervisor says about the physical devices behind a guest's addresses, which a host cannot
 * forge. A machine whose hypervisor cannot say it has no assigned devices.
 *
 * <p>Called on the thread of whoever parses the assignment.
 */
public interface AssigningHypervisor {
  /**
   * One stream of one physical IOMMU.
   *
   * @param token the hypervisor's name of the IOMMU
   * @param sid the stream id
   */
  record IommuStream(long token, long sid) {}

  /**
   * The physical address behind guest-physical memory, which is mapped from now on.
   *
   * @return empty if the whole range is not one device's
   */
  OptionalLong mmioToken(long address, long size);

  /** The stream behind a stream of a pvIOMMU; empty if there is none. */
  Optional<IommuStream> iommuToken(long pvIommuId, long vsid);
}
