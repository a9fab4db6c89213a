package io.github.avf4j.microdroid.base;

import io.github.avf4j.BaseImageException;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.KernelImage;
import io.github.avf4j.StoreException;
import io.github.avf4j.attestation.avb.AvbException;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.MadeBefore;
import io.github.avf4j.microdroid.image.Progress;
import io.github.avf4j.microdroid.initrd.GuestBinary;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The base images of a user's machines: those that are signed with the {@link DevelopmentKey}, one
 * for each kernel, made when it is first asked for and kept in the cache folder; and those that a
 * user made, which stay where they are.
 *
 * <p>Thread-safe.
 */
public final class BaseImages {
  private static final String KIND = "base";

  private final CacheFolder cache;
  private final GuestRuntime runtime;
  private final MadeBefore before;
  private final Map<KernelImage, MadeBefore.Made> known = new ConcurrentHashMap<>();
  private final Set<TrustedBaseImage> verified = ConcurrentHashMap.newKeySet();

  /** Keeps images in {@code cache}, with the runtime that {@code bin/setup} fetched. */
  public BaseImages(CacheFolder cache) {
    this(cache, GuestRuntime.installed());
  }

  BaseImages(CacheFolder cache, GuestRuntime runtime) {
    this.cache = cache;
    this.runtime = runtime;
    this.before = new MadeBefore(cache);
  }

  /**
   * Opens an image that a user made. All of it is read and verified, unless this object did that
   * before and no file has changed since.
   *
   * @param folder what {@code avf microdroid build} wrote
   * @param key the file with the public key that must have signed it, in PEM or AVB's format; the
   *     development key's if it is empty
   * @throws BaseImageException if the image or the key cannot be used
   */
  public TrustedBaseImage open(Path folder, Optional<Path> key) {
    TrustedBaseImage image =
        TrustedBaseImage.of(
            new BaseImage(folder),
            key.map(BaseImages::readKey).orElseGet(DevelopmentKey::publicKey));
    if (!verified.contains(image)) {
      BaseImageVerifier.verify(image.image(), image.key());
      verified.add(image);
    }
    return image;
  }

  private static AvbPublicKey readKey(Path file) {
    try {
      return RsaKeyFile.readPublic(file);
    } catch (IOException | AvbException e) {
      throw new BaseImageException(
          BaseImageException.Reason.KEY_FILE,
          "the base image's key %s cannot be used (%s): give an RSA public key in PEM or AVB's format"
              .formatted(file, e instanceof AvbException ? e.getMessage() : e),
          e);
    }
  }

  /**
   * Returns the image for {@code kernel}. The first call on a machine takes a second or two; later
   * ones take microseconds as long as kernel, modules and runtime stay the same.
   *
   * @throws InvalidImageException if the kernel, a module or the runtime cannot be used
   * @throws StoreException if the cache folder cannot be written
   */
  public BaseImage image(KernelImage kernel) {
    MadeBefore.Made made = known.get(kernel);
    if (made == null || !made.isCurrent()) {
      synchronized (this) {
        made = known.get(kernel);
        if (made == null || !made.isCurrent()) {
          made = recallOrBuild(kernel);
          known.put(kernel, made);
        }
      }
    }
    return BaseImage.open(made.file());
  }

  private MadeBefore.Made recallOrBuild(KernelImage kernel) {
    String key =
        String.join(
            "\n",
            KIND,
            Stream.of(GuestBinary.values())
                .map(binary -> CacheFolder.nameOf(binary.read()))
                .collect(Collectors.joining(" ")),
            kernel.image().toString(),
            kernel.modules().toString(),
            runtime.folder().toString());
    return before
        .recall(key)
        .orElseGet(
            () -> {
              MadeBefore.Made made = build(kernel, key);
              before.remember(key, made);
              return made;
            });
  }

  private MadeBefore.Made build(KernelImage kernel, String key) {
    try {
      BaseImageBuilder builder = new BaseImageBuilder(kernel, runtime);
      List<FileStamp> sources = builder.sources();
      String content =
          sources.stream().map(FileStamp::format).collect(Collectors.joining("\n", key + '\n', ""));
      String name = CacheFolder.nameOf(content.getBytes(StandardCharsets.UTF_8));
      Path folder = cache.path(KIND, name);
      Files.createDirectories(folder.getParent());
      // Another process may want the same one now: a folder that a machine uses is not replaced.
      try (FileChannel channel =
          FileChannel.open(
              folder.resolveSibling(name + ".lock"),
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE)) {
        channel.lock();
        if (!Files.isDirectory(folder)) {
          builder.build(folder, Progress.NONE);
        }
      }
      return new MadeBefore.Made(folder, sources);
    } catch (IOException e) {
      throw new StoreException(
          "cannot make a base image in the cache folder ("
              + e
              + "): make room, or set XDG_CACHE_HOME to a folder that can be written",
          e);
    }
  }
}
