package io.github.avf4j.microdroid.apex;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.internal.ProtobufReader;
import io.github.avf4j.microdroid.internal.ProtobufWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What an APEX says of itself: the content of {@code apex_manifest.pb}. Immutable and thread-safe.
 *
 * @param name of the module, as {@code com.example.module}; the folder below {@code /apex} has it
 * @param version 1 or more
 * @param preInstallHook not used by Android any more
 * @param postInstallHook not used by Android any more
 * @param versionName for people
 * @param noCode whether nothing in it may be executed
 * @param provideNativeLibs libraries that others may use
 * @param requireNativeLibs libraries of others
 * @param jniLibs libraries for Java
 * @param requireSharedApexLibs libraries of a shared library APEX, with their digests
 * @param provideSharedApexLibs whether it is a shared library APEX
 * @param supportsRebootlessUpdate whether it may be updated while the system runs
 */
public record ApexManifest(
    String name,
    long version,
    String preInstallHook,
    String postInstallHook,
    String versionName,
    boolean noCode,
    List<String> provideNativeLibs,
    List<String> requireNativeLibs,
    List<String> jniLibs,
    List<String> requireSharedApexLibs,
    boolean provideSharedApexLibs,
    boolean supportsRebootlessUpdate) {
  /** The longest manifest that is read or made, in bytes. */
  public static final int MAX_SIZE = 1 << 18;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}");

  /**
   * Checks name and version, and copies the lists.
   *
   * @throws ApexException of the error MANIFEST
   */
  public ApexManifest {
    if (name.isEmpty()) {
      throw new ApexException(ApexError.MANIFEST, "the manifest has no name");
    }
    if (!NAME.matcher(name).matches()) {
      throw new ApexException(
          ApexError.MANIFEST,
          "the name must have 1..200 letters, digits, '_', '.' or '-', not \"" + name + '"');
    }
    if (version == 0) {
      throw new ApexException(ApexError.MANIFEST, "the manifest has no version");
    }
    if (version < 0) {
      throw new ApexException(
          ApexError.MANIFEST, "the version must be in 1..2^63-1 but was " + version);
    }
    provideNativeLibs = List.copyOf(provideNativeLibs);
    requireNativeLibs = List.copyOf(requireNativeLibs);
    jniLibs = List.copyOf(jniLibs);
    requireSharedApexLibs = List.copyOf(requireSharedApexLibs);
  }

  /** A manifest without anything but what it must have. */
  public static ApexManifest of(String name, long version) {
    return new ApexManifest(
        name, version, "", "", "", false, List.of(), List.of(), List.of(), List.of(), false, false);
  }

  /**
   * Reads {@code apex_manifest.pb}; fields that are not known are passed over.
   *
   * @throws ApexException of the error MANIFEST, or COMPRESSED if it is that of a compressed APEX
   */
  public static ApexManifest parse(ByteSlice bytes) {
    ProtobufReader in =
        new ProtobufReader(
            // The position is one of the unpacked entry, which has no place in the file.
            bytes,
            (reason, position) ->
                new ApexException(
                    ApexError.MANIFEST, "%s, at its byte %d".formatted(reason, position)));
    String name = "";
    long version = 0;
    String pre = "";
    String post = "";
    String versionName = "";
    boolean noCode = false;
    List<String> provided = new ArrayList<>();
    List<String> required = new ArrayList<>();
    List<String> jni = new ArrayList<>();
    List<String> shared = new ArrayList<>();
    boolean provideShared = false;
    boolean rebootless = false;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> name = in.text();
        case 2 -> version = in.number();
        case 3 -> pre = in.text();
        case 4 -> post = in.text();
        case 5 -> versionName = in.text();
        case 6 -> noCode = in.flag();
        case 7 -> provided.add(in.text());
        case 8 -> required.add(in.text());
        case 9 -> jni.add(in.text());
        case 10 -> shared.add(in.text());
        case 11 -> provideShared = in.flag();
        case 12 ->
            throw new ApexException(
                ApexError.COMPRESSED, "it is the manifest of a compressed APEX: decompress it");
        case 13 -> rebootless = in.flag();
        default -> in.skip();
      }
    }
    return new ApexManifest(
        name,
        version,
        pre,
        post,
        versionName,
        noCode,
        provided,
        required,
        jni,
        shared,
        provideShared,
        rebootless);
  }

  /**
   * The bytes of {@code apex_manifest.pb}.
   *
   * @throws ApexException of the error MANIFEST if they are more than {@link #MAX_SIZE}
   */
  public byte[] encode() {
    ProtobufWriter out =
        new ProtobufWriter()
            .text(1, name)
            .number(2, version)
            .text(3, preInstallHook)
            .text(4, postInstallHook)
            .text(5, versionName)
            .flag(6, noCode);
    texts(out, 7, provideNativeLibs);
    texts(out, 8, requireNativeLibs);
    texts(out, 9, jniLibs);
    texts(out, 10, requireSharedApexLibs);
    byte[] bytes =
        out.flag(11, provideSharedApexLibs).flag(13, supportsRebootlessUpdate).toByteArray();
    if (bytes.length > MAX_SIZE) {
      throw new ApexException(
          ApexError.MANIFEST,
          "a manifest has at most %d bytes but this has %d".formatted(MAX_SIZE, bytes.length));
    }
    return bytes;
  }

  private static void texts(ProtobufWriter out, int field, List<String> values) {
    values.forEach(value -> out.element(field, value));
  }
}
