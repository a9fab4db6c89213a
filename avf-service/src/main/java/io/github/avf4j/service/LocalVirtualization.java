package io.github.avf4j.service;

import io.github.avf4j.HostReport;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.GuestImages;
import io.github.avf4j.spi.VirtualizationProvider;
import java.nio.file.Path;

/** The API on this host's hypervisors, in this JVM. Thread-safe. */
public final class LocalVirtualization implements VirtualizationProvider {
  private final Backends backends;
  private final GuestImages images;

  /** What is costly to find out is kept for the life of the JVM. */
  private static final class Shared {
    static final Backends BACKENDS = Backends.installed();
    static final GuestImages IMAGES = new GuestImages(CacheFolder.ofUser());
  }

  /** Uses the installed backends and the user's cache folder. */
  public LocalVirtualization() {
    this(Shared.BACKENDS, Shared.IMAGES);
  }

  LocalVirtualization(Backends backends, GuestImages images) {
    this.backends = backends;
    this.images = images;
  }

  @Override
  public VirtualMachineManager openManager(Path folder) {
    return new LocalVirtualMachineManager(Store.open(folder), backends, images);
  }

  @Override
  public HostReport probe() {
    return backends.report();
  }
}
