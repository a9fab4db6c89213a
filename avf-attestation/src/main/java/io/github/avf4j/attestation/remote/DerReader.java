package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Reads elements of ASN.1 one after the other, in strict DER: definite lengths in the shortest
 * form, tags of one byte, nothing after the end. Never recursive. Confined to one thread.
 */
final class DerReader {
  static final int BOOLEAN = 0x01;
  static final int INTEGER = 0x02;
  static final int BIT_STRING = 0x03;
  static final int OCTET_STRING = 0x04;
  static final int NULL = 0x05;
  static final int OID = 0x06;
  static final int UTF8_STRING = 0x0c;
  static final int PRINTABLE_STRING = 0x13;
  static final int UTC_TIME = 0x17;
  static final int GENERALIZED_TIME = 0x18;
  static final int SEQUENCE = 0x30;
  static final int SET = 0x31;

  private final ByteSlice input;
  private int at;

  /**
   * One element.
   *
   * @param tag its first byte
   * @param content what it holds
   * @param encoded tag, length and content
   */
  record Element(int tag, ByteSlice content, ByteSlice encoded) {
    DerReader open() {
      return new DerReader(content);
    }
  }

  DerReader(ByteSlice input) {
    this.input = input;
  }

  boolean atEnd() {
    return at == input.length();
  }

  /** Whether an element with this tag comes next. */
  boolean nextIs(int tag) {
    return !atEnd() && input.at(at) == tag;
  }

  /** Reads an element of any kind. */
  Element next() {
    int start = at;
    int tag = take();
    if ((tag & 0x1f) == 0x1f) {
      throw fault("tag has more than one byte", start);
    }
    int length = length();
    if (length > input.length() - at) {
      throw fault("element of " + length + " bytes ends beyond the input", start);
    }
    ByteSlice content = input.slice(at, at + length);
    at += length;
    return new Element(tag, content, input.slice(start, at));
  }

  /** Reads an element of this kind. */
  Element next(int tag, String what) {
    if (!nextIs(tag)) {
      throw fault(what + " is missing or of another type", at);
    }
    return next();
  }

  /** Requires that nothing follows. */
  void end(String what) {
    if (!atEnd()) {
      throw fault("more follows " + what, at);
    }
  }

  /** Reads an element that is the whole input. */
  static Element only(ByteSlice input, int tag, String what) {
    DerReader reader = new DerReader(input);
    Element element = reader.next(tag, what);
    reader.end(what);
    return element;
  }

  BigInteger integer(String what) {
    ByteSlice bytes = next(INTEGER, what).content();
    boolean padded =
        bytes.length() > 1
            && (bytes.at(0) == 0 && bytes.at(1) < 0x80
                || bytes.at(0) == 0xff && bytes.at(1) >= 0x80);
    if (bytes.isEmpty() || padded) {
      throw fault(what + " is not an integer in its shortest form", at);
    }
    return new BigInteger(bytes.toByteArray());
  }

  boolean bool(String what) {
    ByteSlice bytes = next(BOOLEAN, what).content();
    if (bytes.length() != 1 || bytes.at(0) != 0 && bytes.at(0) != 0xff) {
      throw fault(what + " must be 00 or ff", at);
    }
    return bytes.at(0) != 0;
  }

  String utf8(String what) {
    ByteBuffer bytes = next(UTF8_STRING, what).content().asByteBuffer();
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .decode(bytes)
          .toString();
    } catch (CharacterCodingException e) {
      throw new RemoteAttestationException(what + " is not UTF-8", input.offset() + at, e);
    }
  }

  /** The octets of a bit string without unused bits. */
  ByteSlice octetsOfBits(String what) {
    ByteSlice bits = next(BIT_STRING, what).content();
    if (bits.isEmpty() || bits.at(0) != 0) {
      throw fault(what + " must be whole bytes", at);
    }
    return bits.slice(1);
  }

  /** An object identifier in dotted form, of at most 32 bytes. */
  String oid(String what) {
    ByteSlice bytes = next(OID, what).content();
    if (bytes.isEmpty() || bytes.length() > 32 || bytes.at(bytes.length() - 1) >= 0x80) {
      throw fault(what + " is not an object identifier", at);
    }
    StringBuilder dotted = new StringBuilder();
    BigInteger arc = BigInteger.ZERO;
    boolean first = true;
    for (int i = 0; i < bytes.length(); i++) {
      int octet = bytes.at(i);
      if (arc.signum() == 0 && octet == 0x80) {
        throw fault(what + " is not in its shortest form", at);
      }
      arc = arc.shiftLeft(7).or(BigInteger.valueOf(octet & 0x7f));
      if (octet < 0x80) {
        if (first) {
          int root = Math.min(arc.min(BigInteger.valueOf(80)).intValue() / 40, 2);
          dotted.append(root).append('.').append(arc.subtract(BigInteger.valueOf(40L * root)));
          first = false;
        } else {
          dotted.append('.').append(arc);
        }
        arc = BigInteger.ZERO;
      }
    }
    return dotted.toString();
  }

  private int length() {
    int start = at;
    int first = take();
    if (first < 0x80) {
      return first;
    }
    int size = first & 0x7f;
    if (size == 0 || size > 3) {
      throw fault("length must be definite and of at most 3 bytes", start);
    }
    int length = 0;
    for (int i = 0; i < size; i++) {
      length = length << 8 | take();
    }
    if (length < 0x80 || length >>> 8 * (size - 1) == 0) {
      throw fault("length is not in its shortest form", start);
    }
    return length;
  }

  private int take() {
    if (atEnd()) {
      throw fault("input ends inside an element", at);
    }
    return input.at(at++);
  }

  private RemoteAttestationException fault(String reason, int position) {
    return new RemoteAttestationException(reason, input.offset() + position);
  }
}
