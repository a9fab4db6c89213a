package io.github.avf4j.qemu.qmp;

import java.io.IOException;

/** Thrown when the other side does not speak QMP, or refuses a command. */
public final class QmpProtocolException extends IOException {
  private static final long serialVersionUID = 1L;

  QmpProtocolException(String message) {
    super(message);
  }
}
