package io.github.avf4j.kvm.testing;

import io.github.avf4j.kvm.KvmBackend;

/** Prints the probe's report by hand. */
public final class ProbeHarness {
  private ProbeHarness() {}

  public static void main(String[] args) {
    System.out.println(new KvmBackend().probe());
  }
}
