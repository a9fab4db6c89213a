package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.apk.Signer.Tagged;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Chooses the signers that count for an SDK level. */
final class SignerChoice {
  /** The first level that reads v3.1 blocks. */
  private static final int V31_SDK = 33;

  /** v2: the number of the scheme that a signer used, too. */
  private static final long STRIPPING_PROTECTION = 0xbeeff00dL;

  /** v3: the lowest level that a v3.1 block is for. */
  private static final long ROTATION_MIN_SDK = 0x559f8b02L;

  private SignerChoice() {}

  /**
   * The signers that must verify.
   *
   * @param scheme what they signed by
   */
  record Chosen(SignatureScheme scheme, List<Signer> signers) {}

  static Chosen choose(ApkFile apk, ApkPolicy policy) {
    Optional<SigningBlock> block = apk.signingBlock();
    long base = apk.base();
    Optional<ByteSlice> v3 = block.flatMap(pairs -> pairs.value(SigningBlock.V3));
    if (v3.isPresent()) {
      List<Signer> signers = disjoint(Signer.parseV3(v3.get(), base));
      List<Signer> rotated =
          block
              .flatMap(pairs -> pairs.value(SigningBlock.V31))
              .map(value -> disjoint(Signer.parseV3(value, base)))
              .orElse(List.of());
      requireRotation(signers, rotated);
      return chooseV3(signers, rotated, policy.sdk());
    }
    Optional<ByteSlice> v2 = block.flatMap(pairs -> pairs.value(SigningBlock.V2));
    if (v2.isEmpty()) {
      throw notSigned(apk, block);
    }
    List<Signer> signers = Signer.parseV2(v2.get(), base);
    signers.forEach(SignerChoice::requireNotStripped);
    if (!policy.acceptV2()) {
      throw new ApkException(
          ApkError.ONLY_V2,
          "only a v2 signature: a payload needs a v3 signature, sign it anew",
          base + v2.get().offset());
    }
    return new Chosen(SignatureScheme.V2, signers);
  }

  private static Chosen chooseV3(List<Signer> signers, List<Signer> rotated, int sdk) {
    if (sdk >= V31_SDK) {
      Optional<Signer> signer = forLevel(rotated, sdk);
      if (signer.isPresent()) {
        return new Chosen(SignatureScheme.V31, List.of(signer.get()));
      }
    }
    Optional<Signer> signer = forLevel(signers, sdk);
    if (signer.isEmpty()) {
      throw new ApkException(
          ApkError.NO_SIGNER_FOR_SDK,
          "no signer for SDK level %d, only for %s"
              .formatted(sdk, signers.stream().map(Signer::range).toList()),
          signers.get(0).position());
    }
    return new Chosen(SignatureScheme.V3, List.of(signer.get()));
  }

  private static Optional<Signer> forLevel(List<Signer> signers, int sdk) {
    return signers.stream().filter(signer -> signer.range().contains(sdk)).findFirst();
  }

  private static List<Signer> disjoint(List<Signer> signers) {
    List<Signer> before = new ArrayList<>();
    for (Signer signer : signers) {
      for (Signer other : before) {
        if (signer.range().overlaps(other.range())) {
          throw new ApkException(
              ApkError.OVERLAPPING_SIGNERS,
              "two signers are for the SDK levels %s and %s"
                  .formatted(other.range(), signer.range()),
              signer.position());
        }
      }
      before.add(signer);
    }
    return signers;
  }

  private static void requireRotation(List<Signer> signers, List<Signer> rotated) {
    for (Signer signer : signers) {
      for (Tagged attribute : signer.attributes()) {
        if (attribute.id() != ROTATION_MIN_SDK) {
          continue;
        }
        LittleEndian in =
            new LittleEndian(
                attribute.bytes(),
                attribute.position() + 4 - attribute.bytes().offset(),
                ApkError.SIGNER_FORM);
        long level = in.u32("the lowest SDK level of the rotated key");
        if (rotated.stream().noneMatch(other -> other.range().min() == level)) {
          throw new ApkException(
              ApkError.STRIPPED,
              "a signer says that another key counts from SDK level %d, but no v3.1 signer does"
                  .formatted(level),
              attribute.position());
        }
      }
    }
  }

  private static void requireNotStripped(Signer signer) {
    for (Tagged attribute : signer.attributes()) {
      if (attribute.id() == STRIPPING_PROTECTION
          && attribute.bytes().length() >= 4
          && attribute.bytes().at(0) >= 3) {
        throw new ApkException(
            ApkError.STRIPPED,
            "the v2 signer says that it signed by v3, too, but there is no v3 signature",
            attribute.position());
      }
    }
  }

  private static ApkException notSigned(ApkFile apk, Optional<SigningBlock> block) {
    if (block.isPresent() && block.get().value(SigningBlock.V31).isPresent()) {
      return new ApkException(ApkError.STRIPPED, "a v3.1 signature without a v3 signature");
    }
    return SignatureScheme.hasV1(apk.directory())
        ? new ApkException(
            ApkError.ONLY_V1,
            "only a v1 (JAR) signature, which does not protect the whole file: sign it by v3")
        : new ApkException(ApkError.NOT_SIGNED, "not signed: a payload needs a v3 signature");
  }
}
