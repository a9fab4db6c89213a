package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.cbor.CborInteger;
import io.github.avf4j.attestation.cbor.CborValue;
import java.util.List;

/**
 * One condition on one item of a chain.
 *
 * @param kind how the value found is compared
 * @param path keys of maps and indexes of arrays that lead to it; a byte string on the way is
 *     decoded. Empty for the item itself
 * @param value what it is compared with
 */
public record Constraint(Kind kind, List<Long> path, CborValue value) {
  /** How values are compared. */
  public enum Kind {
    /** Equal. */
    EXACT_MATCH(1),
    /** An integer that is at least the one of the policy. */
    GREATER_OR_EQUAL(2);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    int code() {
      return code;
    }

    static Kind ofCode(CborValue value) {
      CborInteger code = value.asInteger();
      for (Kind kind : values()) {
        if (code.is(kind.code)) {
          return kind;
        }
      }
      throw new SealException(
          "constraint must be of kind 1 or 2 but is of " + code.bigValue(), value.position());
    }
  }

  /** Copies the path and checks the value. */
  public Constraint {
    path = List.copyOf(path);
    if (kind == Kind.GREATER_OR_EQUAL && !(value instanceof CborInteger)) {
      throw new SealException(
          "constraint of kind 2 needs an integer but has " + value.kind(), value.position());
    }
  }

  /** Whether a value satisfies this. */
  boolean accepts(CborValue found) {
    return switch (kind) {
      case EXACT_MATCH -> found.equals(value);
      case GREATER_OR_EQUAL ->
          found instanceof CborInteger integer
              && integer.bigValue().compareTo(value.asInteger().bigValue()) >= 0;
    };
  }

  @Override
  public String toString() {
    return path + (kind == Kind.EXACT_MATCH ? " = " : " >= ") + value;
  }
}
