package io.github.avf4j.microdroid.apex;

/** Why an APEX is refused, or cannot be made. */
public enum ApexError {
  /** It is no zip, or one that two readers could understand in two ways. */
  ZIP,
  /** It is a compressed APEX: another APEX is inside. */
  COMPRESSED,
  /** Manifest, public key or payload is missing. */
  MISSING_ENTRY,
  /** The manifest is damaged, or has no usable name or version. */
  MANIFEST,
  /** The public key is none that AVB knows. */
  PUBLIC_KEY,
  /** The payload is compressed or not aligned to 4096 bytes, so that no guest can map it. */
  PLACE,
  /** The payload is no ext4, f2fs or EROFS image, or a damaged one. */
  FILE_SYSTEM,
  /** The payload has no AVB footer at its end. */
  FOOTER,
  /** The vbmeta image is damaged, longer than 64 KiB, or not where the footer says. */
  VBMETA,
  /** The vbmeta image has no signature. */
  NOT_SIGNED,
  /** The signature of the vbmeta image does not verify. */
  SIGNATURE,
  /** The vbmeta image is signed by another key than the public key in the zip. */
  OTHER_KEY,
  /** There is no hashtree descriptor, or more than one, or one that no guest can use. */
  DESCRIPTOR,
  /** The payload is not that of its hash tree. */
  HASH_TREE,
  /** The payload's checksum in the zip is wrong. */
  CHECKSUM,
  /** The manifest in the payload is missing or not that of the zip. */
  INNER_MANIFEST,
  /** There is no outer signature, but one is required. */
  NO_OUTER_SIGNATURE,
  /** The outer signature does not count or does not verify. */
  OUTER_SIGNATURE,
  /** What is asked for cannot be made. */
  REQUEST
}
