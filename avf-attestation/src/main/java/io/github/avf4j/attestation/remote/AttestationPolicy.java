package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import java.math.BigInteger;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a relying party accepts. Immutable and thread-safe.
 *
 * <p>By default debuggable machines are refused, and so are components that the policy does not
 * name: extra APKs and APEXes run in the machine too. Where those are accepted ({@link
 * Builder#unlistedComponentsAllowed}), the result names them, so that the caller can judge them. An
 * empty list of components is refused in any case.
 */
public final class AttestationPolicy {
  private final Set<X509Certificate> roots;
  private final Map<String, ComponentRequirement> components;
  private final Set<BigInteger> revokedSerialNumbers;
  private final boolean debugAllowed;
  private final boolean unlistedComponentsAllowed;

  private AttestationPolicy(Builder builder) {
    this.roots = Set.copyOf(builder.roots);
    this.components = Map.copyOf(builder.components);
    this.revokedSerialNumbers = Set.copyOf(builder.revokedSerialNumbers);
    this.debugAllowed = builder.debugAllowed;
    this.unlistedComponentsAllowed = builder.unlistedComponentsAllowed;
    if (roots.isEmpty()) {
      throw new IllegalArgumentException("policy needs at least one root certificate");
    }
  }

  /** A builder. */
  public static Builder builder() {
    return new Builder();
  }

  /** The root certificates that are accepted. */
  public Set<X509Certificate> roots() {
    return roots;
  }

  /** The components that must be there, sorted by name. */
  public List<ComponentRequirement> components() {
    return components.values().stream()
        .sorted(Comparator.comparing(ComponentRequirement::name))
        .toList();
  }

  /** The serial numbers of certificates that were revoked. */
  public Set<BigInteger> revokedSerialNumbers() {
    return revokedSerialNumbers;
  }

  /** Whether debuggable machines are accepted. */
  public boolean debugAllowed() {
    return debugAllowed;
  }

  /** Whether components that the policy does not name are accepted. */
  public boolean unlistedComponentsAllowed() {
    return unlistedComponentsAllowed;
  }

  boolean names(String component) {
    return components.containsKey(component);
  }

  /** Collects what is accepted. Confined to one thread. */
  public static final class Builder {
    private final Set<X509Certificate> roots = new LinkedHashSet<>();
    private final Map<String, ComponentRequirement> components = new LinkedHashMap<>();
    private final Set<BigInteger> revokedSerialNumbers = new HashSet<>();
    private boolean debugAllowed;
    private boolean unlistedComponentsAllowed;

    private Builder() {}

    /**
     * Adds a root certificate, in DER.
     *
     * @throws RemoteAttestationException if it is malformed
     */
    public Builder root(ByteSlice certificate) {
      roots.add(X509Certificate.decode(certificate));
      return this;
    }

    /** Asks for a component; throws {@link IllegalArgumentException} if it was asked for before. */
    public Builder component(ComponentRequirement requirement) {
      if (components.put(requirement.name(), requirement) != null) {
        throw new IllegalArgumentException(
            "component \"" + requirement.name() + "\" has a requirement already");
      }
      return this;
    }

    /** Refuses certificates with a serial number. */
    public Builder revoke(BigInteger serialNumber) {
      revokedSerialNumbers.add(serialNumber);
      return this;
    }

    /** Accepts debuggable machines or not; not at first. */
    public Builder debugAllowed(boolean allowed) {
      this.debugAllowed = allowed;
      return this;
    }

    /** Accepts components that have no requirement or not; not at first. */
    public Builder unlistedComponentsAllowed(boolean allowed) {
      this.unlistedComponentsAllowed = allowed;
      return this;
    }

    /** The policy; throws {@link IllegalArgumentException} if it has no root. */
    public AttestationPolicy build() {
      return new AttestationPolicy(this);
    }
  }
}
