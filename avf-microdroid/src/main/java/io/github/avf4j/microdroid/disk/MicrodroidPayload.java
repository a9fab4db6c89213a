package io.github.avf4j.microdroid.disk;

import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Microdroid's payload disk: metadata, APEXes, the APK and its idsig, and more APKs, each a
 * partition of one read-only composite disk, in this order and with AVF's labels.
 *
 * <p>Nothing is verified here: that is for whoever gives the files, and for the guest. Confined to
 * one thread.
 */
public final class MicrodroidPayload {
  /** The label of the metadata. */
  public static final String METADATA = "payload-metadata";

  /** The label of the payload's APK. */
  public static final String APK = "microdroid-apk";

  /** The label of the idsig of the payload's APK. */
  public static final String IDSIG = "microdroid-apk-idsig";

  private record ApexFile(PayloadMetadata.Apex apex, Path file) {}

  private record ApkFiles(Path apk, Path idsig) {}

  private final ApkFiles main;
  private final PayloadMetadata.Task task;
  private final List<ApexFile> apexes = new ArrayList<>();
  private final List<ApkFiles> extras = new ArrayList<>();
  private boolean reproducible;

  private MicrodroidPayload(Path apk, Path idsig, PayloadMetadata.Task task) {
    this.main = new ApkFiles(apk, idsig);
    this.task = task;
  }

  /**
   * Starts a payload that is a native library of the APK.
   *
   * @param binaryName the library's file name
   * @throws ImageException if the name is empty or a path
   */
  public static MicrodroidPayload ofBinary(Path apk, Path idsig, String binaryName) {
    if (binaryName.isEmpty() || binaryName.indexOf('/') >= 0 || binaryName.indexOf('\0') >= 0) {
      throw bad("the name of a payload binary must not be empty or a path: \"" + binaryName + '"');
    }
    return new MicrodroidPayload(apk, idsig, new PayloadMetadata.Binary(binaryName, 0));
  }

  /**
   * Starts a payload that a configuration in the APK describes.
   *
   * @param configPath the name of the zip entry
   */
  public static MicrodroidPayload ofConfig(Path apk, Path idsig, String configPath) {
    return new MicrodroidPayload(
        apk, idsig, new PayloadMetadata.ConfigPath(PayloadMetadata.APK_ROOT + configPath));
  }

  /**
   * Adds an APEX; virtmgr sorts them by name, version and time.
   *
   * @param lastUpdateSeconds since 1970
   * @param factory whether it came with the system
   */
  public MicrodroidPayload apex(String name, Path file, long lastUpdateSeconds, boolean factory) {
    String label = "microdroid-apex-" + apexes.size();
    apexes.add(
        new ApexFile(PayloadMetadata.Apex.of(name, label, lastUpdateSeconds, factory), file));
    return this;
  }

  /** Adds an APK that the payload may read. */
  public MicrodroidPayload extraApk(Path apk, Path idsig) {
    extras.add(new ApkFiles(apk, idsig));
    return this;
  }

  /** Derives the GUIDs of disk and partitions from their labels and sizes. */
  public MicrodroidPayload reproducible() {
    reproducible = true;
    return this;
  }

  /** What the first partition says. */
  public PayloadMetadata metadata() {
    PayloadMetadata.Task complete =
        task instanceof PayloadMetadata.Binary binary
            ? new PayloadMetadata.Binary(binary.binaryName(), extras.size())
            : task;
    return new PayloadMetadata(
        apexes.stream().map(ApexFile::apex).toList(),
        Optional.of(new PayloadMetadata.Apk("apk", APK, IDSIG)),
        Optional.of(complete));
  }

  /**
   * Writes the disk. Next to {@code payload.img}, say, it has {@code payload-metadata.img}, {@code
   * payload-header.img}, {@code payload-footer.img} and {@code zero.img}.
   *
   * @throws ImageException if a file is empty or no raw image
   * @throws IOException if a file cannot be read or written
   */
  public CompositeLayout write(Path image) throws IOException {
    return write(image, false);
  }

  /**
   * Makes sure that the disk is there as {@link #write(Path)} would write it, and {@link
   * #reproducible()}: files that are right stay as they are.
   *
   * <p>Nothing is synced. After a loss of power this must be called again before the disk is used.
   *
   * @throws ImageException if a file is empty or no raw image
   * @throws IOException if a file cannot be read or written
   */
  public CompositeLayout update(Path image) throws IOException {
    return reproducible().write(image, true);
  }

  private CompositeLayout write(Path image, boolean update) throws IOException {
    String name = String.valueOf(image.getFileName());
    int dot = name.lastIndexOf('.');
    String stem = dot > 0 ? name.substring(0, dot) : name;
    Path metadataFile =
        image.resolveSibling(stem + "-metadata" + (dot > 0 ? name.substring(dot) : ""));
    byte[] metadata = metadata().encode();
    CompositeDiskBuilder disk = new CompositeDiskBuilder();
    if (reproducible) {
      disk.reproducible();
    }
    // Every file is looked at before the first one is written.
    disk.partition(METADATA, metadataFile, metadata.length);
    for (ApexFile apex : apexes) {
      disk.partition(apex.apex().partition(), apex.file(), false);
    }
    disk.partition(APK, main.apk(), false);
    disk.partition(IDSIG, main.idsig(), false);
    for (int i = 0; i < extras.size(); i++) {
      disk.partition("extra-apk-" + i, extras.get(i).apk(), false);
      disk.partition("extra-idsig-" + i, extras.get(i).idsig(), false);
    }
    return disk.write(image, Map.of(metadataFile, metadata), update);
  }

  private static ImageException bad(String reason) {
    return new ImageException(ImageFormat.METADATA, reason);
  }
}
