package io.github.avf4j.attestation.remote;

/** Why the service VM refuses a request, with the names of the reference. */
public enum RequestProcessingError {
  /** The cryptographic library failed. */
  BORING_SSL_ERROR("BoringSslError"),
  /** A COSE message is malformed or its signature does not verify. */
  COSET_ERROR("CosetError"),
  /** Something that has no name of its own. */
  INTERNAL_ERROR("InternalError"),
  /** The MAC of a key to sign is not the service VM's. */
  INVALID_MAC("InvalidMac"),
  /** A key to sign has no payload. */
  KEY_TO_SIGN_HAS_EMPTY_PAYLOAD("KeyToSignHasEmptyPayload"),
  /** CBOR is malformed. */
  CBOR_VALUE_ERROR("CborValueError"),
  /** The service VM has no chain of its own. */
  MISSING_DICE_CHAIN("MissingDiceChain"),
  /** A key blob is not one of this service VM. */
  FAILED_TO_DECRYPT_KEY_BLOB("FailedToDecryptKeyBlob"),
  /** The request is not one that is served. */
  OPERATION_UNIMPLEMENTED("OperationUnimplemented"),
  /** DER is malformed. */
  DER_ERROR("DerError"),
  /** The chain of the client is not acceptable. */
  INVALID_DICE_CHAIN("InvalidDiceChain"),
  /** The client has a vendor partition but the service VM knows of none. */
  NO_VENDOR_HASH_TREE_ROOT_DIGEST_IN_DT("NoVendorHashTreeRootDigestInDT"),
  /** The vendor partition of the client is not the device's. */
  INVALID_VENDOR_PARTITION("InvalidVendorPartition");

  private final String wireName;

  RequestProcessingError(String wireName) {
    this.wireName = wireName;
  }

  /** The name in a response. */
  public String wireName() {
    return wireName;
  }
}
