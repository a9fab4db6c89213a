package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.VerityHash;
import java.util.List;
import java.util.Optional;

/**
 * What is known of an APK whose signature and content were verified.
 *
 * @param size the bytes of the file, as the Merkle tree covers it
 * @param scheme the scheme that counted
 * @param schemes all schemes that are there
 * @param signatureAlgorithm the id of the algorithm that counted
 * @param contentDigest the content digest of that algorithm: what an idsig calls the APK's digest
 * @param certificates DER, the signer's own first
 * @param publicKey the signer's key as DER SubjectPublicKeyInfo
 * @param salt what the Merkle tree was salted with
 * @param rootHash the root of the Merkle tree over the whole file
 * @param manifest package and version
 * @param manifestFault why the manifest could not be read, in which case it counts as unknown
 * @param remarks what is allowed but costs something, as compressed libraries
 * @param entries the names of all files and folders in it, folders with a slash at the end
 */
public record VerifiedApk(
    long size,
    SignatureScheme scheme,
    List<SchemeResult> schemes,
    int signatureAlgorithm,
    ByteSlice contentDigest,
    List<ByteSlice> certificates,
    ByteSlice publicKey,
    ByteSlice salt,
    ByteSlice rootHash,
    ManifestInfo manifest,
    Optional<String> manifestFault,
    List<String> remarks,
    List<String> entries) {
  /** Copies the lists. */
  public VerifiedApk {
    schemes = List.copyOf(schemes);
    certificates = List.copyOf(certificates);
    remarks = List.copyOf(remarks);
    entries = List.copyOf(entries);
  }

  /** SHA-512 of the signer's certificate: the authority in the payload's DICE node. */
  public ByteSlice certificateHash() {
    return ByteSlice.takeOver(
        VerityHash.SHA512.newDigest().digest(certificates.get(0).toByteArray()));
  }
}
