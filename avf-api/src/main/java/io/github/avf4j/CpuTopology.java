package io.github.avf4j;

/**
 * How many virtual CPUs a virtual machine has.
 *
 * <p>Thread-safe.
 *
 * @param vcpus the number of vCPUs, 1 to {@value #MAX_VCPUS}
 */
public record CpuTopology(int vcpus) {
  /** The most vCPUs that a virtual machine may have. */
  public static final int MAX_VCPUS = 8;

  /** Rejects a number outside the range. */
  public CpuTopology {
    if (vcpus < 1 || vcpus > MAX_VCPUS) {
      throw new IllegalArgumentException("vcpus must be in 1.." + MAX_VCPUS + " but was " + vcpus);
    }
  }

  /** Returns the topology of one vCPU. */
  public static CpuTopology oneCpu() {
    return new CpuTopology(1);
  }

  /** Returns as many vCPUs as this JVM has processors, at most {@value #MAX_VCPUS}. */
  public static CpuTopology matchHost() {
    return new CpuTopology(Math.min(MAX_VCPUS, Runtime.getRuntime().availableProcessors()));
  }

  /** Returns a topology of {@code vcpus} vCPUs, 1 to {@value #MAX_VCPUS}. */
  public static CpuTopology of(int vcpus) {
    return new CpuTopology(vcpus);
  }
}
