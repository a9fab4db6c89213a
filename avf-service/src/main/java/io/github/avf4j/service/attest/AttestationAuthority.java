package io.github.avf4j.service.attest;

/** Certifies keys of guests. Implementations are thread-safe. */
public interface AttestationAuthority extends AutoCloseable {
  /**
   * Decides on a request. What is wrong with it, or with this host, is an answer and no exception.
   * May block on files the first time.
   *
   * @param csr the request as the guest made it, of any content; not changed and not kept
   * @param testMode whether the guest asked for certificates that nobody trusts
   */
  AttestationAnswer answer(byte[] csr, boolean testMode);

  /** Wipes secrets; each later request fails. Does nothing if it is closed already. */
  @Override
  void close();

  /** The authority of machines whose keys nobody certifies. */
  static AttestationAuthority unsupported(String reason) {
    return new AttestationAuthority() {
      @Override
      public AttestationAnswer answer(byte[] csr, boolean testMode) {
        return new AttestationAnswer.Unsupported(reason);
      }

      @Override
      public void close() {}
    };
  }
}
