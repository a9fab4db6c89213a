package io.github.avf4j.service;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.service.attest.AttestationAuthority;

/**
 * What the host has for a guest that verifies its payload.
 *
 * @param message the first message to the guest, with its secrets; wiped when this is closed
 * @param authority who certifies its keys
 */
record GuestBoot(SecretBytes message, AttestationAuthority authority) implements AutoCloseable {
  @Override
  public void close() {
    message.close();
  }
}
