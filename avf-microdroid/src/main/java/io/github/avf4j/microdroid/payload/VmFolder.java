package io.github.avf4j.microdroid.payload;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.apk.ApkError;
import io.github.avf4j.microdroid.apk.ApkException;
import io.github.avf4j.microdroid.apk.IdsigWriter;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import io.github.avf4j.microdroid.disk.MicrodroidPayload;
import io.github.avf4j.microdroid.image.ImageException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The folder that has the files of one VM with an APK payload, named as AVF names them.
 *
 * <pre>
 * idsig             the hash tree of the payload's APK
 * extra_idsig_N     that of extra APK N
 * payload.img       the payload disk, next to its parts payload-*.img and zero.img
 * payload-flat.img  the same as one raw file; payload-flat.made says what it was made of
 * instance.img      what the stages of the VM remember
 * storage.img       the encrypted store, if the VM has one
 * instance_id       64 random bytes, for the owner only
 * </pre>
 *
 * <p>The first two lines can be made again and are, when their sources change; the others are made
 * once. Every file appears whole or not at all, in an order in which a process may be killed at any
 * moment: the next call goes on. Callers see to it that one thread at a time works in a folder.
 */
public final class VmFolder {
  /** The name of the payload disk. */
  public static final String PAYLOAD_DISK = "payload.img";

  private static final String IDSIG = "idsig";
  private static final String EXTRA_IDSIG = "extra_idsig_";

  /** What writers of files leave when they are killed, and the idsigs of extra APKs. */
  private static final Pattern OLD =
      Pattern.compile(
          "\\.(?:instance\\.img|instance_id|storage\\.img|payload(?:-[a-z]+)?\\.img|payload-flat\\.made|zero\\.img)"
              + "\\.[0-9a-f]{12}\\.part"
              + "|(?:idsig|extra_idsig_[0-9]+)\\.[0-9a-f]{16}\\.new"
              + "|extra_idsig_(?<index>[0-9]{1,9})");

  private final Path folder;
  private final InstanceFiles instance;

  /** Works in a folder, which must be there and should be for its owner only. */
  public VmFolder(Path folder) {
    this.folder = folder.toAbsolutePath().normalize();
    this.instance = new InstanceFiles(this.folder);
  }

  /**
   * Makes everything that the VM needs besides what it boots; leaves alone what is right already.
   * Each APK is read once: the same bytes are verified, make the hash tree, and have the
   * configuration that is honoured. Blocks until done.
   *
   * <p>The disk names the APKs by their paths: what a guest reads may have been changed since, and
   * so a guest must verify them again.
   *
   * @throws PackException if a file cannot be used, or the folder cannot be written
   * @throws IllegalStateException if the payload does not say what runs
   */
  public PackedVm pack(ApkPayload payload, PackOptions options) {
    payload.requireComplete();
    List<FileStamp> sources = stamps(payload, options);
    try {
      removeOld(payload.extraApks().size());
      IdsigWriter.Outcome outcome =
          verify(payload.apk(), IDSIG, options, payload.configPath().orElse(""));
      VerifiedApk apk = outcome.apk();
      PayloadEntries.check(payload, apk, options.architecture());
      Optional<PayloadConfig> config =
          outcome.entry().map(content -> PayloadConfig.read(payload, content));
      config.ifPresent(asked -> asked.requireGiven(payload));
      List<VerifiedApk> extra = new ArrayList<>();
      for (Path file : payload.extraApks()) {
        extra.add(verify(file, EXTRA_IDSIG + extra.size(), options, "").apk());
      }
      List<PackOptions.Apex> apexes = new ArrayList<>(PayloadApexes.verify(payload));
      apexes.addAll(options.apexes());
      InstanceFiles.Instance made = instance.ensure(options.encryptedStorage());
      Path disk = new FlatDisk(writeDisk(payload, apexes)).update();
      requireUnchanged(sources, disk);
      return new PackedVm(
          apk,
          extra,
          disk,
          instance.image(),
          options.encryptedStorage().map(size -> instance.store()),
          made.id(),
          config.isPresent() && config.get().hugepages(),
          made.isNew());
    } catch (InvalidImageException e) {
      throw new PackException(PackError.CHANGED, String.valueOf(e.getMessage()), e);
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  /**
   * Makes the id of the instance if there is none: for a VM that has no other files.
   *
   * @throws PackException if it cannot be used or written
   */
  public ByteSlice ensureInstanceId() {
    try {
      return instance.ensureId();
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  private PackException unwritable(IOException cause) {
    return new PackException(
        PackError.FOLDER,
        "cannot make the files of the VM in "
            + folder
            + " ("
            + cause
            + "): make room, and check the permissions",
        cause);
  }

  /** The id of the instance, 64 bytes; empty if there is none yet, or none that can be read. */
  public Optional<ByteSlice> instanceId() {
    return instance.id();
  }

  private List<FileStamp> stamps(ApkPayload payload, PackOptions options) {
    List<FileStamp> stamps = new ArrayList<>();
    try {
      stamps.add(FileStamp.of(payload.apk(), "payload", "give a signed APK"));
      for (Path file : payload.extraApks()) {
        stamps.add(FileStamp.of(file, "extra APK", "give a signed APK"));
      }
      for (ApkPayload.Apex apex : payload.apexes()) {
        stamps.add(FileStamp.of(apex.file(), "APEX " + apex.name(), "give an APEX"));
      }
      for (PackOptions.Apex apex : options.apexes()) {
        stamps.add(FileStamp.of(apex.file(), "APEX " + apex.name(), "give an APEX"));
      }
    } catch (InvalidImageException e) {
      throw new PackException(PackError.FILE, String.valueOf(e.getMessage()), e);
    }
    for (FileStamp stamp : stamps) {
      if (stamp.path().toAbsolutePath().normalize().startsWith(folder)) {
        throw new PackException(
            PackError.FILE,
            stamp.path() + " must not be in the VM's own folder: keep it somewhere else");
      }
    }
    return stamps;
  }

  private IdsigWriter.Outcome verify(Path apk, String idsig, PackOptions options, String config)
      throws IOException {
    try {
      return IdsigWriter.createOrUpdate(
          apk, options.policy(), folder.resolve(idsig), config, PayloadConfig.MAX_SIZE);
    } catch (ApkException e) {
      if (e.error() == ApkError.ENTRY) {
        throw new PackException(
            PackError.CONFIG,
            "the configuration of the APK %s cannot be used: %s: build the APK with another one"
                .formatted(apk, e.reason()),
            e);
      }
      throw new PackException(
          PackError.APK,
          "the APK %s is refused (%s): %s: sign it again, or get an undamaged copy"
              .formatted(apk, e.error(), e.getMessage()),
          e);
    } catch (EOFException e) {
      throw changed(apk, e);
    } catch (FileSystemException e) {
      if (apk.toString().equals(e.getFile())) {
        throw new PackException(
            PackError.FILE,
            "the APK " + apk + " cannot be read (" + e + "): check its permissions",
            e);
      }
      throw e;
    }
  }

  private Path writeDisk(ApkPayload payload, List<PackOptions.Apex> apexes) throws IOException {
    Path image = folder.resolve(PAYLOAD_DISK);
    Path idsig = folder.resolve(IDSIG);
    try {
      Optional<String> binary = payload.binaryName();
      MicrodroidPayload disk =
          binary.isPresent()
              ? MicrodroidPayload.ofBinary(payload.apk(), idsig, binary.get())
              : MicrodroidPayload.ofConfig(
                  payload.apk(), idsig, payload.configPath().orElseThrow());
      apexes.stream()
          .sorted(
              Comparator.comparing(PackOptions.Apex::name)
                  .thenComparing(PackOptions.Apex::version)
                  .thenComparing(PackOptions.Apex::lastUpdateSeconds))
          .forEach(
              apex ->
                  disk.apex(apex.name(), apex.file(), apex.lastUpdateSeconds(), apex.factory()));
      for (int i = 0; i < payload.extraApks().size(); i++) {
        disk.extraApk(payload.extraApks().get(i), folder.resolve(EXTRA_IDSIG + i));
      }
      disk.update(image);
    } catch (ImageException e) {
      throw new PackException(
          PackError.DISK,
          "no payload disk can be made for %s: %s: give other APKs or APEXes"
              .formatted(payload, e.getMessage()),
          e);
    }
    return image;
  }

  private void requireUnchanged(List<FileStamp> sources, Path disk) throws IOException {
    for (FileStamp source : sources) {
      if (!source.isCurrent()) {
        Files.deleteIfExists(disk);
        Files.deleteIfExists(folder.resolve(PAYLOAD_DISK));
        throw changed(source.path(), null);
      }
    }
  }

  private static PackException changed(Path file, @Nullable Exception e) {
    return new PackException(
        PackError.CHANGED, file + " was changed while it was read: run the VM again", e);
  }

  private void removeOld(int extraApks) throws IOException {
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(folder, file -> isOld(file, extraApks))) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  private static boolean isOld(Path file, int extraApks) {
    Matcher name = OLD.matcher(file.getFileName().toString());
    return name.matches()
        && (name.group("index") == null || Integer.parseInt(name.group("index")) >= extraApks)
        && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
  }
}
