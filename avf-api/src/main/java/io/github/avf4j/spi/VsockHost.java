package io.github.avf4j.spi;

import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockListener;
import java.time.Duration;

/** The host's end of a vsock device. Thread-safe. */
public interface VsockHost {
  /**
   * Connects to a port of the guest.
   *
   * @param port the guest's port, 0 to 4294967295
   * @param timeout how long the guest may take to answer
   * @throws io.github.avf4j.VsockConnectException if there is no connection
   */
  VsockChannel connect(long port, Duration timeout);

  /**
   * Takes connections of the guest to a port of the host.
   *
   * @throws IllegalArgumentException if the port is taken
   */
  VsockListener listen(long port);
}
