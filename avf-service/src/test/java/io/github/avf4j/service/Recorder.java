package io.github.avf4j.service;

import io.github.avf4j.ErrorCode;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineCallback;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Writes down what a callback hears, one line for each event. Thread-safe. */
public final class Recorder implements VirtualMachineCallback {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final List<String> events = new CopyOnWriteArrayList<>();
  private final CountDownLatch stopped = new CountDownLatch(1);

  @Override
  public void onPayloadStarted(VirtualMachine vm) {
    events.add("started");
  }

  @Override
  public void onPayloadReady(VirtualMachine vm) {
    events.add("ready");
  }

  @Override
  public void onPayloadFinished(VirtualMachine vm, int exitCode) {
    events.add("finished " + exitCode);
  }

  @Override
  public void onError(VirtualMachine vm, ErrorCode errorCode, String message) {
    events.add("error " + errorCode + ' ' + message);
  }

  @Override
  public void onStopped(VirtualMachine vm, StopReason reason) {
    events.add("stopped " + reason + " when " + vm.getStatus());
    stopped.countDown();
  }

  /** Returns what was heard so far. */
  public List<String> events() {
    return events;
  }

  /** Returns all events once the machine has told that it stopped. */
  public List<String> awaitStopped() throws InterruptedException {
    if (!stopped.await(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError("no onStopped after " + events);
    }
    return events;
  }
}
