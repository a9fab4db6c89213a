package io.github.avf4j;

/** How much of a virtual machine the host may look at. */
public enum DebugLevel {
  /** Nothing that the guest prints leaves it. */
  NONE,
  /** Console and log output can be captured, and the console can be written to. */
  FULL
}
