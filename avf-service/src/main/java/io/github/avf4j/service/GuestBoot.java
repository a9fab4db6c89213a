package io.github.avf4j.service;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.service.attest.AttestationAuthority;
import io.github.avf4j.service.keeper.GuestKeeper;
import java.util.Optional;

/**
 * What the host has for a guest that verifies its payload.
 *
 * @param message the first message to the guest, with its secrets; wiped when this is closed
 * @param authority who certifies its keys
 * @param keeper where it keeps secrets, if it protects itself against older code; closed with this
 */
record GuestBoot(SecretBytes message, AttestationAuthority authority, Optional<GuestKeeper> keeper)
    implements AutoCloseable {
  @Override
  public void close() {
    message.close();
    keeper.ifPresent(GuestKeeper::close);
  }
}
