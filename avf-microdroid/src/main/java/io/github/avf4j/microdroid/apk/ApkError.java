package io.github.avf4j.microdroid.apk;

/** Why an APK, its idsig or its manifest is refused. */
public enum ApkError {
  /** No end-of-central-directory record: the file is no zip, or is cut off. */
  NOT_A_ZIP,
  /** Something follows the end record, or two records could be the end. */
  AMBIGUOUS_END,
  /** The zip needs ZIP64, which no APK reader of AVF knows. */
  ZIP64,
  /** The sections of the zip do not follow each other as they must. */
  ZIP_LAYOUT,
  /** The central directory is damaged, or its count of entries is wrong. */
  CENTRAL_DIRECTORY,
  /** A local header contradicts the central directory. */
  LOCAL_HEADER,
  /** Two entries have the same name, or one is the folder of another and a file. */
  DUPLICATE_ENTRY,
  /** Two entries share bytes, or one reaches into what follows the entries. */
  OVERLAPPING_ENTRIES,
  /** A name is absolute, leads out of the archive, or cannot be a file's name. */
  UNSAFE_NAME,
  /** An entry is a symbolic link or another special file. */
  SPECIAL_FILE,
  /** An entry is encrypted or compressed by another method than deflate. */
  UNSUPPORTED_ENTRY,
  /** A structure is larger than what is read into memory. */
  TOO_LARGE,
  /** The content of an entry is not what the zip says. */
  ENTRY,
  /** The file was changed while it was read. */
  CHANGED,
  /** No signature of any scheme. */
  NOT_SIGNED,
  /** Only a v1 (JAR) signature, which does not protect the whole file. */
  ONLY_V1,
  /** Only a v2 signature, without a v3 signature. */
  ONLY_V2,
  /** A signed attribute says that there was a newer signature, which is gone. */
  STRIPPED,
  /** The signing block is damaged. */
  SIGNING_BLOCK,
  /** The v2, v3 or v3.1 block in it is damaged. */
  SIGNER_FORM,
  /** No signer is for this SDK level. */
  NO_SIGNER_FOR_SDK,
  /** Two signers are for the same SDK level. */
  OVERLAPPING_SIGNERS,
  /** No signature of a known algorithm, or a key that this Java runtime cannot use. */
  UNSUPPORTED_ALGORITHM,
  /** A signature does not verify. */
  SIGNATURE,
  /** The SDK range outside the signed data is not the one inside. */
  SDK_RANGE,
  /** Digests and signatures are not of the same algorithms. */
  ALGORITHM_LISTS,
  /** The content is not what was signed. */
  CONTENT_DIGEST,
  /** A certificate is damaged or has another key. */
  CERTIFICATE,
  /** The manifest is missing, damaged, or has no usable package name or version. */
  MANIFEST,
  /** The idsig is damaged. */
  IDSIG_FORM,
  /** The idsig belongs to another APK. */
  IDSIG_APK_DIGEST,
  /** The root hash in the idsig is not that of the APK. */
  IDSIG_ROOT_HASH,
  /** The tree in the idsig is not that of the APK. */
  IDSIG_TREE,
  /** The signature in the idsig does not verify, or is by somebody else. */
  IDSIG_SIGNATURE,
  /** A key or certificate to sign with is unusable, or the two do not belong together. */
  SIGNING_KEY,
  /** An APK cannot be signed. */
  SIGNING
}
