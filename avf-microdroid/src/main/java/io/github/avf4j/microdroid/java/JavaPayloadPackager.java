package io.github.avf4j.microdroid.java;

import io.github.avf4j.JavaPayload;
import io.github.avf4j.JavaPayloadException;
import io.github.avf4j.JavaPayloadException.Reason;
import io.github.avf4j.Payload;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.apk.ApkWriter;
import io.github.avf4j.microdroid.apk.PackageSigner;
import io.github.avf4j.microdroid.apk.SigningKey;
import io.github.avf4j.microdroid.initrd.GuestBinary;
import io.github.avf4j.microdroid.payload.PackOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Makes of a Java class what a guest can run: an APK, and an APEX with a Java runtime. Both are
 * kept in the cache folder, and are made again when they or what they are made of changed.
 *
 * <p>Thread-safe.
 */
public final class JavaPayloadPackager {
  private static final String APKS = "java-apk";

  private final CacheFolder cache;
  private final JavaRuntime runtime;
  private final DevelopmentSigner development;

  /**
   * Uses this process's Java runtime.
   *
   * @param data the folder for what cannot be made again, where the user's key for development is
   */
  public JavaPayloadPackager(CacheFolder cache, Path data) {
    this.cache = cache;
    this.runtime = JavaRuntime.ofProcess(cache);
    this.development = new DevelopmentSigner(data);
  }

  /**
   * Makes APK and APEX, or finds those that were made before. Blocks: for a second, or for half a
   * minute when the class needs modules that no class before did.
   *
   * @throws JavaPayloadException if one cannot be made
   */
  public PackedJavaPayload pack(JavaPayload payload) {
    ClassPath classPath = ClassPath.of(payload);
    SortedSet<String> modules = new TreeSet<>(payload.modules());
    modules.addAll(classPath.neededModules());
    // The key of an attestation needs elliptic curves, which until Java 22 are a module of their
    // own.
    JavaRuntime.curves().ifPresent(modules::add);
    Path apex = runtime.apex(modules);
    Path apk = apk(payload, classPath);
    return new PackedJavaPayload(
        Payload.apk(apk).withBinaryName(GuestBinary.JAVA_LIBRARY.fileName()),
        List.of(new PackOptions.Apex(JavaRuntime.NAME, apex, JavaRuntime.VERSION, 0, false)));
  }

  private Path apk(JavaPayload payload, ClassPath classPath) {
    SigningKey key =
        payload.signer().map(JavaPayloadPackager::read).orElseGet(development::findOrMake);
    Scratch scratch = null;
    try {
      scratch = Scratch.create();
      Path unsigned = scratch.file("unsigned.apk");
      ApkWriter writer =
          new ApkWriter(PackageNames.of(payload.mainClass()))
              .add(JavaCommand.APK_PATH, JavaCommand.of(payload, classPath).encode())
              .add(JavaCommand.LIBRARY, GuestBinary.JAVA_LIBRARY.read());
      classPath.addTo(writer);
      writer.write(unsigned);
      Path signed = scratch.file("signed.apk");
      return cache.file(
          APKS,
          name(unsigned, key),
          out -> {
            PackageSigner.sign(unsigned, key, signed, null);
            Files.copy(signed, out);
          });
    } catch (AttestationException | IOException e) {
      throw new JavaPayloadException(
          Reason.PACKING,
          "no APK can be made of %s: %s".formatted(payload.mainClass(), e.getMessage()),
          e);
    } finally {
      Scratch.remove(scratch);
    }
  }

  /** What decides on the bytes of the APK, less an EC signature's randomness. */
  private static String name(Path unsigned, SigningKey key) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(Digests.sha256(unsigned));
    try {
      all.writeBytes(key.certificates().get(0).getEncoded());
    } catch (GeneralSecurityException e) {
      throw new IOException("the certificate has no encoding", e);
    }
    return CacheFolder.nameOf(all.toByteArray()) + ".apk";
  }

  private static SigningKey read(JavaPayload.Signer signer) {
    try {
      return SigningKey.ofPem(
          Files.readAllBytes(signer.key()), Files.readAllBytes(signer.certificate()));
    } catch (IOException | AttestationException e) {
      throw new JavaPayloadException(
          Reason.SIGNING_KEY,
          "the key %s or its certificate %s cannot be used (%s): give both in PEM"
              .formatted(signer.key(), signer.certificate(), e.getMessage()),
          e);
    }
  }
}
