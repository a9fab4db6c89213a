package io.github.avf4j.service;

import io.github.avf4j.DebugLevel;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.spi.ByteSink;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a machine's output goes: captured for the user, or as lines to the log with debug level
 * FULL, or nowhere.
 *
 * <p>Thread-safe.
 */
final class Output {
  private static final Logger log = LoggerFactory.getLogger("io.github.avf4j.guest");

  private final OutputBuffer console = new OutputBuffer(OutputBuffer.DEFAULT_CAPACITY);
  private final OutputBuffer payload = new OutputBuffer(OutputBuffer.DEFAULT_CAPACITY);

  OutputBuffer console() {
    return console;
  }

  OutputBuffer payload() {
    return payload;
  }

  /** Another run begins. */
  void open() {
    console.open();
    payload.open();
  }

  /** The run is over. */
  void end() {
    console.end();
    payload.end();
  }

  long dropped() {
    return console.dropped() + payload.dropped();
  }

  /** Returns who takes the serial output; {@code panics} sees it in any case. */
  ByteSink serialSink(VirtualMachineConfig config, String name, PanicWatch panics) {
    List<ByteSink> sinks = new ArrayList<>();
    sinks.add(new LineSink(panics));
    keep(config, "Console(" + name + ')', console, sinks);
    return all(sinks);
  }

  /** Returns who takes what the payload prints. */
  ByteSink payloadSink(VirtualMachineConfig config, String name) {
    List<ByteSink> sinks = new ArrayList<>();
    keep(config, "Log(" + name + ')', payload, sinks);
    return all(sinks);
  }

  private static void keep(
      VirtualMachineConfig config, String prefix, OutputBuffer buffer, List<ByteSink> sinks) {
    if (config.outputCaptured()) {
      sinks.add(buffer);
    } else if (config.debugLevel() == DebugLevel.FULL && log.isDebugEnabled()) {
      sinks.add(new LineSink(line -> log.debug("{} {}", prefix, line)));
    }
  }

  private static ByteSink all(List<ByteSink> sinks) {
    return switch (sinks.size()) {
      case 0 -> ByteSink.DISCARD;
      case 1 -> sinks.get(0);
      default ->
          (bytes, offset, length) -> sinks.forEach(sink -> sink.write(bytes, offset, length));
    };
  }
}
