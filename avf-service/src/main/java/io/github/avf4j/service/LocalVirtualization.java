package io.github.avf4j.service;

import io.github.avf4j.HostReport;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.attestation.remote.HostRoot;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.GuestImages;
import io.github.avf4j.spi.VirtualizationProvider;
import java.nio.file.Path;

/** The API on this host's hypervisors, in this JVM. Thread-safe. */
public final class LocalVirtualization implements VirtualizationProvider {
  private final Backends backends;
  private final GuestImages images;
  private final MicrodroidHost host;

  /** What is costly to find out is kept for the life of the JVM. */
  private static final class Shared {
    static final Backends BACKENDS = Backends.installed();
    static final GuestImages IMAGES = new GuestImages(CacheFolder.ofUser());
    static final MicrodroidHost HOST =
        new MicrodroidHost(CacheFolder.ofUser(), HostRoot.fileOfUser().getParent());
  }

  /** Uses the installed backends and the user's cache folder. */
  public LocalVirtualization() {
    this(Shared.BACKENDS, Shared.IMAGES, Shared.HOST);
  }

  LocalVirtualization(Backends backends, GuestImages images, MicrodroidHost host) {
    this.backends = backends;
    this.images = images;
    this.host = host;
  }

  @Override
  public VirtualMachineManager openManager(Path folder) {
    return new LocalVirtualMachineManager(Store.open(folder), backends, images, host);
  }

  @Override
  public HostReport probe() {
    return backends.report();
  }
}
