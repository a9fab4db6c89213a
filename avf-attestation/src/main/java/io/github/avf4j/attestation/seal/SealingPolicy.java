package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.ExplicitKeyChain;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A DICE policy: a list of constraints for each item of an explicit-key chain.
 *
 * <p>A chain matches if it has as many items and each satisfies its constraints. By the rules of
 * Microdroid, a newer version of a component still matches; another key, another mode, one layer or
 * one APK more does not. Immutable and thread-safe.
 */
public final class SealingPolicy {
  /** The only version of the encoding. */
  public static final int VERSION = 1;

  private final List<List<Constraint>> nodes;
  private final ByteSlice encoded;

  private SealingPolicy(List<List<Constraint>> nodes, ByteSlice encoded) {
    this.nodes = nodes;
    this.encoded = encoded;
  }

  /**
   * A policy of these constraints, one list for each item of a chain.
   *
   * @param nodes for version, root key and each certificate, in this order
   */
  public static SealingPolicy of(List<List<Constraint>> nodes) {
    List<List<Constraint>> copy = nodes.stream().map(List::copyOf).toList();
    return new SealingPolicy(copy, encode(copy));
  }

  /**
   * The policy by which Microdroid seals for a chain.
   *
   * @throws SealException if the chain lacks a value that must be constrained
   */
  public static SealingPolicy forMicrodroid(DiceChain chain) {
    return forChain(ExplicitKeyChain.of(chain), PolicyRule.MICRODROID);
  }

  /**
   * The policy that rules make for a chain.
   *
   * @throws SealException if the chain lacks a value that must be constrained, or is malformed
   */
  public static SealingPolicy forChain(ExplicitKeyChain chain, List<PolicyRule> rules) {
    List<ChainNode> items = open(chain);
    List<List<Constraint>> nodes = new ArrayList<>();
    Set<PolicyRule> used = new HashSet<>();
    for (int i = items.size() - 1; i >= 0; i--) {
      nodes.add(
          0,
          List.copyOf(i < 2 ? exactly(items.get(i)) : constraints(items.get(i), i, rules, used)));
    }
    return of(nodes);
  }

  private static Set<Constraint> exactly(ChainNode node) {
    return Set.of(new Constraint(Constraint.Kind.EXACT_MATCH, List.of(), node.value()));
  }

  /** A rule for a named component is used once, and the chain is walked from its end. */
  private static Set<Constraint> constraints(
      ChainNode node, int index, List<PolicyRule> rules, Set<PolicyRule> used) {
    Optional<String> name = node.componentName();
    Set<Constraint> constraints = new LinkedHashSet<>();
    for (PolicyRule rule : rules) {
      boolean named = rule.component().isPresent();
      if (!named || rule.component().equals(name) && used.add(rule)) {
        constraints.addAll(rule.constraints(node, index));
      }
    }
    return constraints;
  }

  private static List<ChainNode> open(ExplicitKeyChain chain) {
    try {
      return ChainNode.of(chain);
    } catch (AttestationException e) {
      throw new SealException("chain to seal for", e);
    }
  }

  /**
   * Decodes a policy.
   *
   * @throws SealException if it is malformed, of another version, or has an unknown constraint
   */
  public static SealingPolicy decode(ByteSlice bytes) {
    try {
      List<CborValue> items = CborReader.decode(bytes).asArray().items();
      if (items.isEmpty() || !items.get(0).asInteger().is(VERSION)) {
        throw new SealException("sealing policy must begin with version 1", bytes.offset());
      }
      List<List<Constraint>> nodes = new ArrayList<>();
      for (CborValue node : items.subList(1, items.size())) {
        nodes.add(node.asArray().items().stream().map(SealingPolicy::constraint).toList());
      }
      return new SealingPolicy(List.copyOf(nodes), bytes);
    } catch (SealException e) {
      throw e;
    } catch (AttestationException e) {
      throw new SealException("sealing policy", e);
    }
  }

  private static Constraint constraint(CborValue value) {
    List<CborValue> parts = value.asArray(3);
    List<Long> path = parts.get(1).asArray().items().stream().map(CborValue::asLong).toList();
    return new Constraint(Constraint.Kind.ofCode(parts.get(0)), path, parts.get(2));
  }

  private static ByteSlice encode(List<List<Constraint>> nodes) {
    CborWriter out = new CborWriter(1024);
    out.array(nodes.size() + 1).integer(VERSION);
    for (List<Constraint> node : nodes) {
      out.array(node.size());
      for (Constraint constraint : node) {
        out.array(3).integer(constraint.kind().code()).array(constraint.path().size());
        constraint.path().forEach(out::integer);
        out.value(constraint.value());
      }
    }
    return ByteSlice.takeOver(out.toByteArray());
  }

  /** The constraints on each item: version, root key, certificates. */
  public List<List<Constraint>> nodes() {
    return nodes;
  }

  /** The encoding. */
  public ByteSlice encoded() {
    return encoded;
  }

  /** Whether a chain matches. A chain that is malformed does not. */
  public boolean matches(ExplicitKeyChain chain) {
    return mismatch(chain).isEmpty();
  }

  /** Why a chain does not match; empty if it does. Tells nothing of the values themselves. */
  public Optional<String> mismatch(ExplicitKeyChain chain) {
    List<ChainNode> items;
    try {
      items = ChainNode.of(chain);
    } catch (AttestationException e) {
      return Optional.of("the chain is malformed: " + e.reason());
    }
    if (items.size() != nodes.size()) {
      return Optional.of(
          "the chain has " + items.size() + " items but the policy is for " + nodes.size());
    }
    for (int i = 0; i < nodes.size(); i++) {
      for (Constraint constraint : nodes.get(i)) {
        if (items.get(i).at(constraint.path()).filter(constraint::accepts).isEmpty()) {
          return Optional.of(
              "item " + i + " does not satisfy the constraint at " + constraint.path());
        }
      }
    }
    return Optional.empty();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SealingPolicy that && encoded.equals(that.encoded);
  }

  @Override
  public int hashCode() {
    return encoded.hashCode();
  }

  @Override
  public String toString() {
    return "SealingPolicy[" + nodes.size() + " items]";
  }
}
