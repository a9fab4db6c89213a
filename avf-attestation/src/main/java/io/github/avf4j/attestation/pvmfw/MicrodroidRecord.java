package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborInteger;
import io.github.avf4j.attestation.cbor.CborLimits;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What Microdroid Manager remembers of a payload: a map with text keys in this order, in which
 * bytes are arrays of integers.
 *
 * <p>Two payloads are the same if their records are equal. Immutable.
 *
 * @param salt 64 bytes of the instance, until January 2025
 * @param apk the payload
 * @param extraApks the further APKs, in order
 * @param apexes the APEXes, in order
 */
public record MicrodroidRecord(
    Optional<ByteSlice> salt, Apk apk, List<Apk> extraApks, List<Apex> apexes) {
  private static final int SALT = 64;
  // Every byte of a hash or key is an item.
  private static final CborLimits LIMITS = CborLimits.DEFAULT.withMaxItems(1 << 18);

  /** Whether, and with which value, an APK's rollback index is recorded. */
  public enum RollbackIndex {
    /** There is no such field: until January 2025. */
    NO_FIELD,
    /** The manifest says none. */
    NONE,
    /** The manifest says one. */
    PRESENT
  }

  /**
   * An APK.
   *
   * @param rootHash of its tree
   * @param certHash SHA-512 of the signer's certificate
   * @param packageName of its manifest, empty if it could not be read
   * @param versionCode of its manifest, unsigned
   * @param rollbackIndexField whether there is a rollback index
   * @param rollbackIndex of its manifest, unsigned; 0 if there is none
   */
  public record Apk(
      ByteSlice rootHash,
      ByteSlice certHash,
      String packageName,
      long versionCode,
      RollbackIndex rollbackIndexField,
      long rollbackIndex) {}

  /**
   * An APEX.
   *
   * @param name by which it is mounted
   * @param manifestName of its manifest
   * @param manifestVersion of its manifest
   * @param publicKey that signed its image, as a blob
   * @param rootDigest of its tree
   * @param lastUpdateSeconds when the host updated it, unsigned
   * @param isFactory whether it came with the system
   */
  public record Apex(
      String name,
      Optional<String> manifestName,
      Optional<Long> manifestVersion,
      ByteSlice publicKey,
      ByteSlice rootDigest,
      long lastUpdateSeconds,
      boolean isFactory) {}

  /** Copies the lists and checks the salt. */
  public MicrodroidRecord {
    extraApks = List.copyOf(extraApks);
    apexes = List.copyOf(apexes);
    if (salt.isPresent() && salt.get().length() != SALT) {
      throw new IllegalArgumentException("salt must have 64 bytes but has " + salt.get().length());
    }
  }

  /**
   * Opens the record of an image.
   *
   * @throws PvmfwException of one of the INSTANCE errors
   */
  public static MicrodroidRecord read(
      InstanceImage image, InstanceImage.Record record, InstanceCipher cipher) {
    try (SecretBytes plain = cipher.open(image.payload(record), image.headerBlock(record))) {
      return plain.use(MicrodroidRecord::decode);
    }
  }

  /** Seals the record and adds it to an image. */
  public InstanceImage.Record appendTo(InstanceImage image, InstanceCipher cipher) {
    byte[] plain = encode();
    try {
      int size = InstanceCipher.sealedSize(plain.length);
      byte[] header = InstanceImage.headerBlock(InstanceImage.MICRODROID, size);
      return image.append(InstanceImage.MICRODROID, cipher.seal(plain, header));
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  /**
   * Decodes the plaintext, which the caller wipes.
   *
   * @throws PvmfwException of error INSTANCE_INVALID_RECORD, with a position in the plaintext
   */
  public static MicrodroidRecord decode(byte[] plain) {
    byte[] copy = plain.clone();
    try {
      CborMap map = CborReader.decode(ByteSlice.takeOver(copy), LIMITS).asMap();
      Optional<ByteSlice> salt = map.get("salt").map(MicrodroidRecord::bytes);
      requireSize(map, salt.isPresent() ? 4 : 3);
      if (salt.isPresent() && salt.get().length() != SALT) {
        throw fault("the salt has not 64 bytes", map.position(), null);
      }
      return new MicrodroidRecord(
          salt,
          apk(map.require("apk_data")),
          map.require("extra_apks_data").asArray().items().stream()
              .map(MicrodroidRecord::apk)
              .toList(),
          map.require("apex_data").asArray().items().stream().map(MicrodroidRecord::apex).toList());
    } catch (PvmfwException e) {
      throw e;
    } catch (AttestationException e) {
      throw fault(e.reason(), e.position().orElse(-1), e);
    } finally {
      Arrays.fill(copy, (byte) 0);
    }
  }

  private static Apk apk(CborValue value) {
    CborMap map = value.asMap();
    Optional<CborValue> index = map.get("rollback_index");
    requireSize(map, index.isPresent() ? 5 : 4);
    RollbackIndex field =
        index
            .map(found -> found.isNull() ? RollbackIndex.NONE : RollbackIndex.PRESENT)
            .orElse(RollbackIndex.NO_FIELD);
    return new Apk(
        bytes(map.require("root_hash")),
        bytes(map.require("cert_hash")),
        map.require("package_name").asText(),
        map.require("version_code").asInteger().unsignedValue(),
        field,
        field == RollbackIndex.PRESENT
            ? map.require("rollback_index").asInteger().unsignedValue()
            : 0);
  }

  private static Apex apex(CborValue value) {
    CborMap map = value.asMap();
    requireSize(map, 7);
    return new Apex(
        map.require("name").asText(),
        Optional.of(map.require("manifest_name"))
            .filter(found -> !found.isNull())
            .map(CborValue::asText),
        Optional.of(map.require("manifest_version"))
            .filter(found -> !found.isNull())
            .map(CborValue::asLong),
        bytes(map.require("public_key")),
        bytes(map.require("root_digest")),
        map.require("last_update_seconds").asInteger().unsignedValue(),
        map.require("is_factory").asBoolean());
  }

  private static void requireSize(CborMap map, int size) {
    if (map.size() != size) {
      throw fault(
          "a map must have %d entries but has %d".formatted(size, map.size()),
          map.position(),
          null);
    }
  }

  private static ByteSlice bytes(CborValue value) {
    List<CborValue> items = value.asArray().items();
    byte[] bytes = new byte[items.size()];
    for (int i = 0; i < bytes.length; i++) {
      CborInteger item = items.get(i).asInteger();
      if (!item.isUnsigned() || Long.compareUnsigned(item.unsignedValue(), 255) > 0) {
        throw fault("a byte must be in 0..255", item.position(), null);
      }
      bytes[i] = (byte) item.unsignedValue();
    }
    return ByteSlice.takeOver(bytes);
  }

  /** The plaintext, which the caller wipes. */
  public byte[] encode() {
    CborWriter out = new CborWriter(4096);
    out.map(salt.isPresent() ? 4 : 3);
    salt.ifPresent(value -> put(out.text("salt"), value));
    put(out.text("apk_data"), apk);
    out.text("extra_apks_data").array(extraApks.size());
    extraApks.forEach(extra -> put(out, extra));
    out.text("apex_data").array(apexes.size());
    apexes.forEach(apex -> put(out, apex));
    byte[] plain = out.toByteArray();
    out.wipe();
    return plain;
  }

  private static void put(CborWriter out, Apk apk) {
    out.map(apk.rollbackIndexField == RollbackIndex.NO_FIELD ? 4 : 5);
    put(out.text("root_hash"), apk.rootHash);
    put(out.text("cert_hash"), apk.certHash);
    out.text("package_name").text(apk.packageName);
    out.text("version_code").unsigned(apk.versionCode);
    switch (apk.rollbackIndexField) {
      case NO_FIELD -> {}
      case NONE -> out.text("rollback_index").nul();
      case PRESENT -> out.text("rollback_index").unsigned(apk.rollbackIndex);
    }
  }

  private static void put(CborWriter out, Apex apex) {
    out.map(7).text("name").text(apex.name).text("manifest_name");
    apex.manifestName.ifPresentOrElse(out::text, out::nul);
    out.text("manifest_version");
    apex.manifestVersion.ifPresentOrElse(out::integer, out::nul);
    put(out.text("public_key"), apex.publicKey);
    put(out.text("root_digest"), apex.rootDigest);
    out.text("last_update_seconds").unsigned(apex.lastUpdateSeconds);
    out.text("is_factory").bool(apex.isFactory);
  }

  private static void put(CborWriter out, ByteSlice bytes) {
    out.array(bytes.length());
    for (int i = 0; i < bytes.length(); i++) {
      out.integer(bytes.at(i));
    }
  }

  private static PvmfwException fault(String reason, long position, @Nullable Throwable cause) {
    return new PvmfwException(
        PvmfwError.INSTANCE_INVALID_RECORD, "Microdroid's record: " + reason, position, cause);
  }

  /** The payload and how much there is, never the salt. */
  @Override
  public String toString() {
    return "MicrodroidRecord[%s, %d more APKs, %d APEXes]"
        .formatted(apk.packageName, extraApks.size(), apexes.size());
  }
}
