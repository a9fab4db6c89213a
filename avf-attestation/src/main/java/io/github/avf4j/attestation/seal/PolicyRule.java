package io.github.avf4j.attestation.seal;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a policy for a chain is made: which values of it become constraints.
 *
 * @param kind how they will be compared
 * @param path the path in each certificate; {@link #EACH} stands for every index of an array
 * @param component the name of the component it is for, of which the last certificate counts; empty
 *     for all certificates
 * @param required whether a chain without the value is refused, in place of left unconstrained
 */
public record PolicyRule(
    Constraint.Kind kind, List<Long> path, Optional<String> component, boolean required) {
  /** A step of a path that stands for every index of an array. */
  public static final long EACH = Long.MIN_VALUE;

  private static final long AUTHORITY_HASH = -4670549;
  private static final long MODE = -4670551;
  private static final long SECURITY_VERSION = -70005;
  private static final long SUBCOMPONENTS = -71002;
  private static final long INSTANCE_HASH = -71003;

  /** The rules by which Microdroid seals the secret of its machine. */
  public static final List<PolicyRule> MICRODROID =
      List.of(
          all(Constraint.Kind.EXACT_MATCH, true, AUTHORITY_HASH),
          all(Constraint.Kind.EXACT_MATCH, true, MODE),
          all(
              Constraint.Kind.GREATER_OR_EQUAL,
              false,
              ChainNode.CONFIG_DESCRIPTOR,
              SECURITY_VERSION),
          of("Microdroid payload", Constraint.Kind.GREATER_OR_EQUAL, SUBCOMPONENTS, EACH, 2L),
          of("Microdroid payload", Constraint.Kind.EXACT_MATCH, SUBCOMPONENTS, EACH, 4L),
          of("vm_entry", Constraint.Kind.EXACT_MATCH, INSTANCE_HASH));

  /** Copies the path. */
  public PolicyRule {
    path = List.copyOf(path);
  }

  private static PolicyRule all(Constraint.Kind kind, boolean required, Long... path) {
    return new PolicyRule(kind, List.of(path), Optional.empty(), required);
  }

  private static PolicyRule of(String component, Constraint.Kind kind, Long... path) {
    List<Long> full = new ArrayList<>(List.of(path));
    full.add(0, ChainNode.CONFIG_DESCRIPTOR);
    return new PolicyRule(kind, full, Optional.of(component), true);
  }

  /** The constraints that this rule makes of a node. */
  List<Constraint> constraints(ChainNode node, int index) {
    int each = path.indexOf(EACH);
    if (each < 0) {
      return node.at(path)
          .map(value -> List.of(new Constraint(kind, path, value)))
          .orElseGet(() -> missing(index, path));
    }
    List<Constraint> found = new ArrayList<>();
    int size = node.sizeAt(path.subList(0, each));
    for (long i = 0; i < size; i++) {
      List<Long> concrete = new ArrayList<>(path);
      concrete.set(each, i);
      found.addAll(
          node.at(concrete)
              .map(value -> List.of(new Constraint(kind, concrete, value)))
              .orElseGet(() -> missing(index, concrete)));
    }
    return size == 0 ? missing(index, path) : found;
  }

  private List<Constraint> missing(int index, List<Long> where) {
    if (required) {
      throw new SealException(
          "item " + index + " of the chain has no value at " + where + " to seal by", -1);
    }
    return List.of();
  }
}
