package io.github.avf4j.kvm.device;

import io.github.avf4j.spi.ByteSink;

/**
 * A 16550 UART whose output goes to a {@link ByteSink} and which receives only what it sends to
 * itself in loopback. It is always ready to send. The interrupt line is high as long as an enabled
 * interrupt is pending. Thread-safe.
 */
public final class Serial16550 implements PortDevice {
  /** The first port of the first serial port of a PC. */
  public static final int COM1 = 0x3F8;

  /** The number of its ports. */
  public static final int PORTS = 8;

  /** Sets the level of the interrupt line. Must not block. */
  @FunctionalInterface
  public interface Line {
    void set(boolean high);
  }

  private static final int FIFO_SIZE = 16;

  private static final int IER_RECEIVED = 1;
  private static final int IER_TRANSMIT_EMPTY = 2;
  private static final int IIR_NONE = 1;
  private static final int IIR_TRANSMIT_EMPTY = 2;
  private static final int IIR_RECEIVED = 4;
  private static final int IIR_FIFOS = 0xC0;
  private static final int FCR_ENABLE = 1;
  private static final int FCR_CLEAR_RECEIVED = 2;
  private static final int LCR_DIVISOR = 0x80;
  private static final int MCR_LOOPBACK = 0x10;
  private static final int LSR_RECEIVED = 1;
  private static final int LSR_OVERRUN = 2;
  private static final int LSR_TRANSMITTER_EMPTY = 0x60;
  private static final int MSR_CONNECTED = 0xB0; // carrier, data set ready, clear to send

  private final ByteSink output;
  private final Line line;
  private final byte[] one = new byte[1];
  private final byte[] received = new byte[FIFO_SIZE];
  private int receivedStart;
  private int receivedCount;
  private boolean overrun;
  private int interruptEnable;
  private int lineControl = 3;
  private int modemControl = 8;
  private int divisor = 12;
  private int scratch;
  private boolean fifos;
  private boolean transmitEmptyPending;
  private boolean high;

  /** Makes the device. */
  public Serial16550(ByteSink output, Line line) {
    this.output = output;
    this.line = line;
  }

  @Override
  public synchronized int readPort(int offset) {
    return switch (offset) {
      case 0 -> divisorLatch() ? divisor & 0xFF : receive();
      case 1 -> divisorLatch() ? divisor >> 8 : interruptEnable;
      case 2 -> identifyInterrupt();
      case 3 -> lineControl;
      case 4 -> modemControl;
      case 5 -> lineStatus();
      case 6 -> modemStatus();
      default -> scratch;
    };
  }

  @Override
  public synchronized void writePort(int offset, int value) {
    switch (offset) {
      case 0 -> {
        if (divisorLatch()) {
          divisor = divisor & 0xFF00 | value;
        } else {
          transmit(value);
        }
      }
      case 1 -> {
        if (divisorLatch()) {
          divisor = divisor & 0xFF | value << 8;
        } else {
          enableInterrupts(value & 0xF);
        }
      }
      case 2 -> {
        fifos = (value & FCR_ENABLE) != 0;
        if ((value & FCR_CLEAR_RECEIVED) != 0) {
          receivedCount = 0;
          updateLine();
        }
      }
      case 3 -> lineControl = value;
      case 4 -> modemControl = value & 0x1F;
      case 7 -> scratch = value;
      default -> {
        // the status registers cannot be written
      }
    }
  }

  private boolean divisorLatch() {
    return (lineControl & LCR_DIVISOR) != 0;
  }

  private void transmit(int value) {
    if ((modemControl & MCR_LOOPBACK) != 0) {
      if (receivedCount < FIFO_SIZE) {
        received[(receivedStart + receivedCount++) % FIFO_SIZE] = (byte) value;
      } else {
        overrun = true;
      }
    } else {
      one[0] = (byte) value;
      output.write(one, 0, 1);
    }
    transmitEmptyPending = true;
    updateLine();
  }

  private int receive() {
    if (receivedCount == 0) {
      return 0;
    }
    int value = Byte.toUnsignedInt(received[receivedStart]);
    receivedStart = (receivedStart + 1) % FIFO_SIZE;
    receivedCount--;
    updateLine();
    return value;
  }

  private void enableInterrupts(int value) {
    boolean transmitNewlyEnabled = (value & ~interruptEnable & IER_TRANSMIT_EMPTY) != 0;
    interruptEnable = value;
    if (transmitNewlyEnabled) {
      transmitEmptyPending = true; // the transmitter is empty already
    }
    updateLine();
  }

  /** Reading the identification acknowledges "transmitter empty" if it is what is told. */
  private int identifyInterrupt() {
    int fifoBits = fifos ? IIR_FIFOS : 0;
    if (receivedPending()) {
      return IIR_RECEIVED | fifoBits;
    }
    if (transmitPending()) {
      transmitEmptyPending = false;
      updateLine();
      return IIR_TRANSMIT_EMPTY | fifoBits;
    }
    return IIR_NONE | fifoBits;
  }

  private int lineStatus() {
    int status =
        LSR_TRANSMITTER_EMPTY
            | (receivedCount > 0 ? LSR_RECEIVED : 0)
            | (overrun ? LSR_OVERRUN : 0);
    overrun = false;
    return status;
  }

  /** In loopback the four modem outputs come back as inputs: RTS, DTR, OUT1, OUT2. */
  private int modemStatus() {
    if ((modemControl & MCR_LOOPBACK) == 0) {
      return MSR_CONNECTED;
    }
    return (modemControl & 2) << 3
        | (modemControl & 1) << 5
        | (modemControl & 4) << 4
        | (modemControl & 8) << 4;
  }

  private boolean receivedPending() {
    return receivedCount > 0 && (interruptEnable & IER_RECEIVED) != 0;
  }

  private boolean transmitPending() {
    return transmitEmptyPending && (interruptEnable & IER_TRANSMIT_EMPTY) != 0;
  }

  private void updateLine() {
    boolean now = receivedPending() || transmitPending();
    if (now != high) {
      high = now;
      line.set(now);
    }
  }
}
