package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceChainRules;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The role of the service VM (Rialto, RKP VM): it checks a client machine of the same device and
 * certifies its key with a key that was provisioned remotely.
 *
 * <p>Debuggable clients are certified as such and not refused. Immutable and thread-safe.
 */
public final class ServiceVm {
  private final DiceChain chain;
  private final List<KernelDigests> kernels;
  private final Optional<ByteSlice> vendorRootDigest;
  private final AospRevision revision;
  private final @Nullable DiceChainRules chainRules;

  private ServiceVm(Builder builder) {
    this.chain = builder.chain;
    this.kernels = List.copyOf(builder.kernels);
    this.vendorRootDigest = Optional.ofNullable(builder.vendorRootDigest);
    this.revision = builder.revision;
    this.chainRules = builder.chainRules;
  }

  /** A builder for the service VM that has this chain, which ends with its own kernel. */
  public static Builder builder(DiceChain chain) {
    return new Builder(chain);
  }

  /**
   * Checks a request, in the order of the reference.
   *
   * @throws ServiceVmException for the first check that fails
   */
  public ClientVm check(ByteSlice request) {
    ClientVmCsr csr = ClientVmCsr.decode(request);
    ClientChain client = new ClientChain(chain, decode(csr.chain()), revision);
    client.checkPrefix();
    client.checkSignatures();
    client.checkNames();
    client.checkVendor(vendorRootDigest);
    client.checkKernel(kernels);
    try {
      csr.verifySignatures(client.chain().leaf().subjectPublicKey());
    } catch (AttestationException e) {
      throw new ServiceVmException(
          RequestProcessingError.COSET_ERROR, "signature of the request", e);
    }
    if (chainRules != null) {
      try {
        client.chain().verify(chainRules);
      } catch (AttestationException e) {
        throw invalidChain("chain of the client", e);
      }
    }
    return new ClientVm(
        client.chain(), csr.publicKey(), csr.challenge(), client.isSecure(), client.components());
  }

  private static DiceChain decode(ByteSlice bytes) {
    try {
      return DiceChain.decode(bytes);
    } catch (AttestationException e) {
      throw invalidChain("chain of the client", e);
    }
  }

  static ServiceVmException invalidChain(String what, @Nullable AttestationException cause) {
    return new ServiceVmException(RequestProcessingError.INVALID_DICE_CHAIN, what, cause);
  }

  /**
   * Checks a request and certifies its key.
   *
   * @param provisionedKey the private key that was provisioned remotely
   * @param provisionedCertificate its certificate, in DER
   * @return the new certificate, in DER; before it comes nothing and after it the chain of the
   *     provisioned key
   * @throws ServiceVmException for the first check that fails
   */
  public ByteSlice attest(
      ByteSlice request, CosePrivateKey provisionedKey, ByteSlice provisionedCertificate) {
    return certify(check(request), provisionedKey, provisionedCertificate);
  }

  private static ByteSlice certify(ClientVm client, CosePrivateKey key, ByteSlice certificate) {
    X509Certificate issuer;
    try {
      issuer = X509Certificate.decode(certificate);
    } catch (AttestationException e) {
      throw new ServiceVmException(
          RequestProcessingError.DER_ERROR, "remotely provisioned certificate", e);
    }
    return CertificateIssuer.issue(client, key, issuer);
  }

  /**
   * Checks a request and certifies its key, with a provisioned key in a blob of {@link RkpKeys}.
   *
   * @throws ServiceVmException for the first check that fails, or if the blob is not one of these
   *     keys
   */
  public ByteSlice attest(
      ByteSlice request, RkpKeys keys, ByteSlice keyBlob, ByteSlice provisionedCertificate) {
    ClientVm client = check(request);
    try (CosePrivateKey key = keys.openBlob(keyBlob)) {
      return certify(client, key, provisionedCertificate);
    }
  }

  /** Collects what the service VM knows of its device. Confined to one thread. */
  public static final class Builder {
    private final DiceChain chain;
    private final List<KernelDigests> kernels = new ArrayList<>();
    private @Nullable ByteSlice vendorRootDigest;
    private AospRevision revision = AospRevision.MARCH_2025;
    private @Nullable DiceChainRules chainRules;

    private Builder(DiceChain chain) {
      this.chain = chain;
    }

    /** Adds a kernel that clients may boot. */
    public Builder kernel(KernelDigests kernel) {
      kernels.add(kernel);
      return this;
    }

    /** Sets the property vendor_hashtree_descriptor_root_digest: raw bytes, or 64 hex digits. */
    public Builder vendorRootDigest(ByteSlice property) {
      this.vendorRootDigest = property;
      return this;
    }

    /** Sets whose rules apply; March 2025 at first. */
    public Builder revision(AospRevision revision) {
      this.revision = revision;
      return this;
    }

    /** Asks for the rules of hwtrust on top of the reference's, which are more lenient. */
    public Builder chainRules(DiceChainRules rules) {
      this.chainRules = rules;
      return this;
    }

    /** The service VM. */
    public ServiceVm build() {
      return new ServiceVm(this);
    }
  }
}
