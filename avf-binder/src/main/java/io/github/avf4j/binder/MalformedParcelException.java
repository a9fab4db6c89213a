package io.github.avf4j.binder;

/** Thrown when a parcel does not contain what is read from it. */
public final class MalformedParcelException extends RpcException {
  private static final long serialVersionUID = 1L;

  private final int position;

  MalformedParcelException(int position, String reason) {
    super("at byte " + position + " of a parcel: " + reason, null);
    this.position = position;
  }

  /** Returns where, in bytes from the begin of the parcel. */
  public int position() {
    return position;
  }
}
