package io.github.avf4j.microdroid.apex;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.apk.ApkException;
import io.github.avf4j.microdroid.apk.PackageZip;
import io.github.avf4j.microdroid.apk.ZipEntry;
import java.io.IOException;

/**
 * An APEX whose structure is sound; nothing is verified. Confined to one thread.
 *
 * <p>Memory: the zip's directory, manifest, key and vbmeta image, whatever the size of the payload.
 */
public final class ApexFile {
  static final String MANIFEST = "apex_manifest.pb";
  static final String PUBLIC_KEY = "apex_pubkey";
  static final String PAYLOAD = "apex_payload.img";
  private static final String COMPRESSED = "original_apex";
  private static final int MAX_KEY = 1 << 16;

  private final PackageZip zip;
  private final ByteSlice manifestBytes;
  private final ApexManifest manifest;
  private final AvbPublicKey publicKey;
  private final ZipEntry payloadEntry;
  private final ApexPayload payload;

  private ApexFile(
      PackageZip zip,
      ByteSlice manifestBytes,
      ApexManifest manifest,
      AvbPublicKey publicKey,
      ZipEntry payloadEntry,
      ApexPayload payload) {
    this.zip = zip;
    this.manifestBytes = manifestBytes;
    this.manifest = manifest;
    this.publicKey = publicKey;
    this.payloadEntry = payloadEntry;
    this.payload = payload;
  }

  /**
   * Reads zip, manifest, key, and the headers of the payload.
   *
   * @throws ApexException if one is missing or damaged, or the APEX is compressed
   * @throws IOException if the file cannot be read
   */
  public static ApexFile open(ImageSource file) throws IOException {
    PackageZip zip;
    try {
      zip = PackageZip.open(file);
    } catch (ApkException e) {
      throw ApexException.of(ApexError.ZIP, e, 0);
    }
    if (zip.find(COMPRESSED).isPresent()) {
      throw new ApexException(
          ApexError.COMPRESSED,
          "it is a compressed APEX: give the %s that is in it".formatted(COMPRESSED));
    }
    ByteSlice manifestBytes = read(zip, MANIFEST, ApexManifest.MAX_SIZE);
    ApexManifest manifest = ApexManifest.parse(manifestBytes);
    AvbPublicKey key;
    try {
      key = AvbPublicKey.parse(read(zip, PUBLIC_KEY, MAX_KEY));
    } catch (AvbException e) {
      throw new ApexException(ApexError.PUBLIC_KEY, e.reason(), -1, e);
    }
    ZipEntry entry = require(zip, PAYLOAD);
    if (!entry.isStored()) {
      throw new ApexException(
          ApexError.PLACE, PAYLOAD + " must be stored uncompressed", entry.position());
    }
    ApexPayload payload = ApexPayload.read(zip.image(entry), entry.dataOffset());
    return new ApexFile(zip, manifestBytes, manifest, key, entry, payload);
  }

  private static ByteSlice read(PackageZip zip, String name, int maxBytes) throws IOException {
    ZipEntry entry = require(zip, name);
    try {
      return zip.read(entry, maxBytes);
    } catch (ApkException e) {
      throw ApexException.of(ApexError.ZIP, e, 0);
    }
  }

  private static ZipEntry require(PackageZip zip, String name) {
    return zip.find(name)
        .orElseThrow(
            () -> new ApexException(ApexError.MISSING_ENTRY, "there is no " + name + " in it"));
  }

  /** What the APEX says of itself. */
  public ApexManifest manifest() {
    return manifest;
  }

  /** The key that must have signed the payload. */
  public AvbPublicKey publicKey() {
    return publicKey;
  }

  /** The payload. */
  public ApexPayload payload() {
    return payload;
  }

  ByteSlice manifestBytes() {
    return manifestBytes;
  }

  /** The checksum that the zip has for the payload. */
  long payloadChecksum() {
    return payloadEntry.crc();
  }

  PackageZip zip() {
    return zip;
  }
}
