package io.github.avf4j.service;

import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockListener;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.report.GuestReports;
import io.github.avf4j.microdroid.report.HostMessages;
import io.github.avf4j.microdroid.report.HostMessages.Status;
import io.github.avf4j.service.attest.AttestationAnswer;
import io.github.avf4j.service.attest.AttestationAuthority;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host's end of the channel on which a guest reports: one connection to the host's port that is
 * equal to the guest's CID.
 *
 * <p>Runs on a thread of its own, which ends with the last report or with the machine.
 */
final class GuestLink implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(GuestLink.class);
  private static final Duration ROUND = Duration.ofSeconds(60);

  private final String name;
  private final VsockListener port;
  private final Listener listener;
  private final Optional<GuestBoot> boot;

  /** Hears what the guest reports. */
  interface Listener {
    /** The guest reported something. */
    void reported(GuestReports.Report report);

    /** The guest does not keep to the protocol; nothing more is heard from it. */
    void broken(String why);

    /** Returns whether the machine is over, so that there is nothing to wait for. */
    boolean isOver();
  }

  /** Gives {@code boot}, if there is one, to a guest that has greeted; closes it in any case. */
  GuestLink(String name, VsockListener port, Listener listener, Optional<GuestBoot> boot) {
    this.name = name;
    this.port = port;
    this.listener = listener;
    this.boot = boot;
  }

  @Override
  public void run() {
    try {
      serve();
    } finally {
      boot.ifPresent(GuestBoot::close);
    }
  }

  private void serve() {
    try {
      Optional<VsockChannel> channel = accept();
      if (channel.isPresent()) {
        try (VsockChannel open = channel.get()) {
          read(open);
        }
      }
    } catch (InterruptedException e) {
      // Nobody has reason to interrupt this thread; if somebody does, it ends.
      Thread.currentThread().interrupt();
    }
  }

  private Optional<VsockChannel> accept() throws InterruptedException {
    // Only the guest's init may report, and it comes first: nobody is let in after it.
    try (port) {
      Optional<VsockChannel> channel = Optional.empty();
      while (channel.isEmpty() && !listener.isOver()) {
        channel = port.accept(ROUND);
      }
      return channel;
    }
  }

  private void read(VsockChannel channel) {
    GuestReports reports = new GuestReports(channel);
    try {
      Optional<GuestReports.Report> report;
      while ((report = reports.next()).isPresent()) {
        log.debug("{}: {}", name, report.get());
        listener.reported(report.get());
        answer(channel, report.get());
      }
    } catch (ProtocolException e) {
      listener.broken(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      // The machine ends, or goes on without telling: its end says which.
      log.debug("{}: the report channel ended: {}", name, e.toString());
    }
  }

  private void answer(VsockChannel channel, GuestReports.Report report) throws IOException {
    if (report instanceof GuestReports.Hello && boot.isPresent()) {
      byte[] frame = boot.get().message().toByteArray();
      try {
        write(channel, frame);
      } finally {
        Arrays.fill(frame, (byte) 0);
        boot.get().message().close();
      }
    } else if (report instanceof GuestReports.AttestationRequest request) {
      write(channel, attest(request));
    } else if (report instanceof GuestReports.KeeperRequest request) {
      write(channel, ask(request));
    }
  }

  private byte[] attest(GuestReports.AttestationRequest request) {
    AttestationAnswer answer =
        boot.map(GuestBoot::authority)
            .orElseGet(() -> AttestationAuthority.unsupported("the payload was not verified"))
            .answer(request.csr(), request.testMode());
    if (answer instanceof AttestationAnswer.Attested attested) {
      return HostMessages.attested(
          attested.certificates().stream().map(ByteSlice::toByteArray).toList());
    }
    return answer instanceof AttestationAnswer.Failed failed
        ? HostMessages.notAttested(Status.FAILED, failed.reason())
        : HostMessages.notAttested(
            Status.UNSUPPORTED, ((AttestationAnswer.Unsupported) answer).reason());
  }

  private byte[] ask(GuestReports.KeeperRequest request) {
    return boot.flatMap(GuestBoot::keeper)
        .map(keeper -> keeper.answer(request))
        .orElseGet(
            () ->
                HostMessages.notKept(
                    Status.UNSUPPORTED, "no keeper of secrets is connected to this machine"));
  }

  private static void write(VsockChannel channel, byte[] frame) throws IOException {
    ByteBuffer left = ByteBuffer.wrap(frame);
    while (left.hasRemaining()) {
      channel.write(left);
    }
  }
}
