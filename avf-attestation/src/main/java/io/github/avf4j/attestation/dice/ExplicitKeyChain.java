package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborArray;
import io.github.avf4j.attestation.cbor.CborException;
import io.github.avf4j.attestation.cbor.CborLimits;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cbor.KeyOrder;
import java.util.List;

/**
 * A chain in the form that sealing policies are matched against: {@code [1, bstr(canonical root
 * key), certificate...]}.
 *
 * <p>The root key is a byte string whose content is in canonical order, so that two encodings of
 * one key compare equal; certificates stay byte for byte. Immutable and thread-safe.
 */
public final class ExplicitKeyChain {
  /** The only version of the form. */
  public static final int VERSION = 1;

  private static final CborLimits CANONICAL = CborLimits.DEFAULT.withKeyOrder(KeyOrder.BYTEWISE);

  private final CborArray items;

  private ExplicitKeyChain(CborArray items) {
    this.items = items;
  }

  /**
   * Converts a chain. Nothing is verified, and a chain of a root key alone is converted as well.
   *
   * @throws DiceException if it is not an array that begins with a map
   */
  public static ExplicitKeyChain of(ByteSlice chain) {
    try {
      List<CborValue> items = decodeArray(chain).items();
      if (items.isEmpty() || items.size() > DiceChain.MAX_CERTIFICATES + 1) {
        throw new DiceException(
            DiceRule.STRUCTURE, "DICE chain must have 1 to 257 items", chain.offset());
      }
      CborWriter out = new CborWriter(chain.length() + 16);
      out.array(items.size() + 1).integer(VERSION).bytes(canonicalKey(items.get(0)));
      items.subList(1, items.size()).forEach(out::value);
      return new ExplicitKeyChain(decodeArray(ByteSlice.takeOver(out.toByteArray())));
    } catch (DiceException e) {
      throw e;
    } catch (AttestationException e) {
      throw new DiceException(DiceRule.STRUCTURE, "DICE chain", e);
    }
  }

  /** Converts a chain. */
  public static ExplicitKeyChain of(DiceChain chain) {
    return of(chain.encoded());
  }

  /**
   * Decodes a chain that has this form already.
   *
   * @throws DiceException if it has not, or its root key is not in canonical order
   */
  public static ExplicitKeyChain decode(ByteSlice bytes) {
    try {
      CborArray items = decodeArray(bytes);
      if (items.size() < 2 || items.size() > DiceChain.MAX_CERTIFICATES + 2) {
        throw new DiceException(
            DiceRule.STRUCTURE, "explicit-key chain must have 2 to 258 items", bytes.offset());
      }
      if (!items.get(0).asInteger().is(VERSION)) {
        throw new DiceException(
            DiceRule.STRUCTURE, "explicit-key chain must be of version 1", bytes.offset());
      }
      CborReader.decode(items.get(1).asBytes(), CANONICAL).asMap();
      return new ExplicitKeyChain(items);
    } catch (DiceException e) {
      throw e;
    } catch (AttestationException e) {
      throw new DiceException(DiceRule.STRUCTURE, "explicit-key chain", e);
    }
  }

  private static CborArray decodeArray(ByteSlice bytes) {
    return CborReader.decode(bytes, CborLimits.DEFAULT.withMaxBytes(DiceChain.MAX_BYTES + 64))
        .asArray();
  }

  /**
   * The canonical encoding of a COSE_Key: entries in bytewise order of their keys (RFC 8949,
   * 4.2.1).
   *
   * @throws AttestationException if the value is not a map, or holds a map that is not in this
   *     order: no COSE_Key has maps in it
   */
  public static ByteSlice canonicalKey(CborValue coseKey) {
    ByteSlice canonical = coseKey.asMap().sorted(KeyOrder.BYTEWISE).encoded();
    try {
      CborReader.decode(canonical, CANONICAL);
      return canonical;
    } catch (CborException e) {
      throw new CborException("the key is not canonical: " + e.reason(), coseKey.position());
    }
  }

  /** Version, root key and certificates. */
  public List<CborValue> items() {
    return items.items();
  }

  /** The canonical root key. */
  public ByteSlice rootKey() {
    return items.get(1).asBytes();
  }

  /** The encoding. */
  public ByteSlice encoded() {
    return items.encoded();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ExplicitKeyChain that && items.equals(that.items);
  }

  @Override
  public int hashCode() {
    return items.hashCode();
  }
}
