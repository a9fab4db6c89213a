package io.github.avf4j.service.keeper;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.seal.SealException;
import io.github.avf4j.attestation.seal.SecretKeeperSession;
import io.github.avf4j.microdroid.report.GuestReports;
import io.github.avf4j.microdroid.report.HostMessages;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one run of a machine has of the keeper of its host. Nothing that the guest sends throws:
 * what is refused is an answer. Thread-safe.
 */
public final class GuestKeeper implements AutoCloseable {
  /** How often a run may exchange keys. */
  public static final int MAX_EXCHANGES = 8;

  private static final Logger log = LoggerFactory.getLogger(GuestKeeper.class);

  // Guarded by this.
  private final SecretKeeperSession session;
  private int exchanges;

  GuestKeeper(SecretKeeperSession session) {
    this.session = session;
  }

  /**
   * Answers the guest. Blocks on the keeper's files.
   *
   * @return a frame for the guest
   */
  public synchronized byte[] answer(GuestReports.KeeperRequest request) {
    ByteSlice content = ByteSlice.copyOf(request.content());
    try {
      return HostMessages.kept(
          switch (request.step()) {
            case HELLO -> begin(content);
            case SIGNATURE -> complete(content);
            case MESSAGE -> session.answer(content);
          });
    } catch (AttestationException e) {
      // A guest's mistake, or a damaged session: either way none of the host's secrets is in it.
      log.debug("the keeper refused a guest at {}: {}", request.step(), e.getMessage());
      return HostMessages.notKept(HostMessages.Status.FAILED, String.valueOf(e.getMessage()));
    }
  }

  private byte[] begin(ByteSlice hello) {
    if (exchanges == MAX_EXCHANGES) {
      throw new SealException("a run of a machine may exchange keys " + exchanges + " times", -1);
    }
    exchanges++;
    return session.begin(hello);
  }

  private byte[] complete(ByteSlice signature) {
    session.complete(signature);
    return new byte[0];
  }

  /** Wipes the keys of the session. Idempotent. */
  @Override
  public synchronized void close() {
    session.close();
  }
}
