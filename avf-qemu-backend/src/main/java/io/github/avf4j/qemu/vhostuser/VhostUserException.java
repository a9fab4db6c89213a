package io.github.avf4j.qemu.vhostuser;

/** Thrown when the front-end breaks a rule of vhost-user; the connection ends. */
final class VhostUserException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  VhostUserException(String message) {
    super(message);
  }

  VhostUserException(String message, Throwable cause) {
    super(message, cause);
  }
}
