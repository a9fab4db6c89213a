package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import java.util.ArrayList;
import java.util.List;

/**
 * One signer of a v2, v3 or v3.1 block, parsed and not yet verified.
 *
 * @param position where it stands in the file
 * @param signedData what the signatures cover
 * @param digests content digests by algorithm
 * @param certificates DER, the signer's own first
 * @param range the SDK levels outside the signed data; all for v2
 * @param signedRange those inside
 * @param attributes signed attributes
 * @param signatures by algorithm
 * @param publicKey DER SubjectPublicKeyInfo
 */
record Signer(
    long position,
    ByteSlice signedData,
    List<Tagged> digests,
    List<ByteSlice> certificates,
    SdkRange range,
    SdkRange signedRange,
    List<Tagged> attributes,
    List<Tagged> signatures,
    ByteSlice publicKey) {
  private static final int MAX_SIGNERS = 10;
  private static final int MAX_ELEMENTS = 64;

  /** Bytes under the id of an algorithm or attribute. */
  record Tagged(long id, ByteSlice bytes, long position) {}

  /** Parses the signers of a v3 or v3.1 block. */
  static List<Signer> parseV3(ByteSlice block, long base) {
    return parse(block, base, true);
  }

  /** Parses the signers of a v2 block. */
  static List<Signer> parseV2(ByteSlice block, long base) {
    return parse(block, base, false);
  }

  private static List<Signer> parse(ByteSlice block, long base, boolean v3) {
    LittleEndian in = new LittleEndian(block, base, ApkError.SIGNER_FORM);
    LittleEndian sequence = in.nested("the signers");
    in.end("the signers");
    List<Signer> signers = new ArrayList<>();
    while (sequence.hasMore()) {
      if (signers.size() == MAX_SIGNERS) {
        throw sequence.fail("more than " + MAX_SIGNERS + " signers");
      }
      signers.add(signer(sequence.nested("a signer"), base, v3));
    }
    if (signers.isEmpty()) {
      throw sequence.fail("no signer");
    }
    return signers;
  }

  private static Signer signer(LittleEndian in, long base, boolean v3) {
    long position = in.position();
    ByteSlice signedData = in.prefixed("the signed data");
    SdkRange range = v3 ? SdkRange.read(in) : SdkRange.ALL;
    List<Tagged> signatures = algorithms(in.nested("the signatures"), "a signature");
    ByteSlice publicKey = in.prefixed("the public key");
    in.end("the public key");

    LittleEndian data = new LittleEndian(signedData, base, ApkError.SIGNER_FORM);
    List<Tagged> digests = algorithms(data.nested("the digests"), "a digest");
    List<ByteSlice> certificates = certificates(data.nested("the certificates"));
    SdkRange signedRange = v3 ? SdkRange.read(data) : SdkRange.ALL;
    List<Tagged> attributes = attributes(data.nested("the attributes"));
    // Signing tools end v2's signed data with an empty list of nothing.
    if (!v3 && data.left() == 4 && data.u32("the empty list") != 0) {
      throw data.fail("4 bytes follow the attributes");
    }
    data.end("the attributes");
    return new Signer(
        position,
        signedData,
        digests,
        certificates,
        range,
        signedRange,
        attributes,
        signatures,
        publicKey);
  }

  private static List<Tagged> algorithms(LittleEndian in, String what) {
    List<Tagged> all = new ArrayList<>();
    while (in.hasMore()) {
      LittleEndian one = in.nested(what);
      long position = one.position();
      long id = one.u32("the algorithm");
      all.add(new Tagged(id, one.prefixed(what), position));
      one.end(what);
      limit(in, all);
    }
    return all;
  }

  private static List<ByteSlice> certificates(LittleEndian in) {
    List<ByteSlice> all = new ArrayList<>();
    while (in.hasMore()) {
      all.add(in.prefixed("a certificate"));
      limit(in, all);
    }
    return all;
  }

  private static List<Tagged> attributes(LittleEndian in) {
    List<Tagged> all = new ArrayList<>();
    while (in.hasMore()) {
      LittleEndian one = in.nested("an attribute");
      long position = one.position();
      long id = one.u32("the attribute's id");
      all.add(new Tagged(id, one.take(one.left(), "the attribute"), position));
      limit(in, all);
    }
    return all;
  }

  private static void limit(LittleEndian in, List<?> elements) {
    if (elements.size() > MAX_ELEMENTS) {
      throw in.fail("a list has more than " + MAX_ELEMENTS + " elements");
    }
  }
}
