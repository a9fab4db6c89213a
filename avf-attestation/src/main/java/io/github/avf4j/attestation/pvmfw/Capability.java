package io.github.avf4j.attestation.pvmfw;

import java.util.Optional;

/** What a signed kernel says it can do, by property {@code com.android.virt.cap}. */
public enum Capability {
  /** It is a service VM that attests others. */
  REMOTE_ATTEST("remote_attest"),
  /** It protects itself against rollback with a Secretkeeper. */
  SECRETKEEPER_PROTECTION("secretkeeper_protection"),
  /** It is Trusty as a security VM. Since March 2025. */
  TRUSTY_SECURITY_VM("trusty_security_vm"),
  /** It boots through UEFI. Since March 2025. */
  SUPPORTS_UEFI_BOOT("supports_uefi_boot");

  private final String text;

  Capability(String text) {
    this.text = text;
  }

  /** The text in the property. */
  public String text() {
    return text;
  }

  static Optional<Capability> named(String text, PvmfwRevision revision) {
    for (Capability capability : values()) {
      boolean known =
          revision != PvmfwRevision.JANUARY_2025
              || capability == REMOTE_ATTEST
              || capability == SECRETKEEPER_PROTECTION;
      if (known && capability.text.equals(text)) {
        return Optional.of(capability);
      }
    }
    return Optional.empty();
  }
}
