package io.github.avf4j.linux;

/** Memory was out of this process's reach; see {@link ToleratedCopy}. */
public final class UnreachableMemoryException extends Exception {
  private static final long serialVersionUID = 1L;

  UnreachableMemoryException(long address) {
    super("the page at 0x" + Long.toHexString(address) + " cannot be reached");
  }
}
