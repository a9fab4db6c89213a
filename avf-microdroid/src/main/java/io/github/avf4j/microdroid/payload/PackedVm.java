package io.github.avf4j.microdroid.payload;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The files of one VM, all whole.
 *
 * @param apk what was verified
 * @param extraApks what was verified of the others, in their order
 * @param payloadDisk a raw disk that the guest only reads
 * @param instanceImage a raw disk that the guest writes
 * @param encryptedStore a raw disk that the guest encrypts, if the VM has one
 * @param instanceId 64 bytes that no other instance has
 * @param hugepages whether the payload asks for memory in huge pages
 * @param newInstance whether no stage of the VM has written to the instance image yet
 */
public record PackedVm(
    VerifiedApk apk,
    List<VerifiedApk> extraApks,
    Path payloadDisk,
    Path instanceImage,
    Optional<Path> encryptedStore,
    ByteSlice instanceId,
    boolean hugepages,
    boolean newInstance) {
  /** Copies the list. */
  public PackedVm {
    extraApks = List.copyOf(extraApks);
  }
}
