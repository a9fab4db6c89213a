package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.TreeSink;
import io.github.avf4j.microdroid.image.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Makes the idsig that a guest needs next to an APK: the unsigned one of AVF's host.
 *
 * <p>The APK is verified in the same reading. The tree goes to the file as it grows, and the file
 * takes its place in one step when it is whole. Thread-safe.
 */
public final class IdsigWriter {
  private IdsigWriter() {}

  /**
   * What became of an idsig.
   *
   * @param apk the APK that it is for
   * @param kept whether the file was right before and was left alone
   * @param entry the content of the entry that was asked for, if the APK has it
   */
  public record Outcome(VerifiedApk apk, boolean kept, Optional<ByteSlice> entry) {}

  /** What is verified, and its one entry that was read before, so that it is what was verified. */
  private record Reading(VerifiedApk apk, Optional<ByteSlice> entry) {}

  /**
   * Writes the idsig of an APK, or replaces it. Blocks until done.
   *
   * @throws ApkException if the APK is refused; the idsig is left as it was
   * @throws IOException if a file cannot be read or written
   */
  public static VerifiedApk write(Path apk, ApkPolicy policy, Path idsig) throws IOException {
    try (FileChannel file = FileChannel.open(apk)) {
      return write(ImageSource.of(file), policy, idsig);
    }
  }

  /** The same for an APK that is open already. */
  public static VerifiedApk write(ImageSource apk, ApkPolicy policy, Path idsig)
      throws IOException {
    try (AtomicFile target = AtomicFile.create(idsig)) {
      VerifiedApk verified = write(apk, policy, target.channel(), "", 0).apk();
      target.commitUnsynced();
      return verified;
    }
  }

  /**
   * Verifies an APK and makes sure that its idsig is right: one with the right digest, root hash
   * and tree is left alone, whoever signed it; any other is replaced. Blocks until done.
   *
   * @throws ApkException if the APK is refused; the idsig is left as it was
   * @throws IOException if a file cannot be read or written
   */
  public static Outcome createOrUpdate(Path apk, ApkPolicy policy, Path idsig) throws IOException {
    return createOrUpdate(apk, policy, idsig, "", 0);
  }

  /**
   * The same, and returns the content of one entry: the bytes that were verified.
   *
   * @param entry the name of a file in the APK, which may be missing
   * @param maxBytes how many it may have
   * @throws ApkException of the error ENTRY if the entry is longer or not what the zip says; of
   *     others if the APK is refused. The idsig is left as it was
   * @throws IOException if a file cannot be read or written
   */
  public static Outcome createOrUpdate(
      Path apk, ApkPolicy policy, Path idsig, String entry, int maxBytes) throws IOException {
    try (FileChannel file = FileChannel.open(apk);
        AtomicFile target = AtomicFile.create(idsig)) {
      Reading reading = write(ImageSource.of(file), policy, target.channel(), entry, maxBytes);
      boolean kept = isRight(idsig, target.channel());
      if (!kept) {
        target.commitUnsynced();
      }
      return new Outcome(reading.apk(), kept, reading.entry());
    }
  }

  private static Reading write(
      ImageSource apk, ApkPolicy policy, FileChannel out, String name, int maxBytes)
      throws IOException {
    SignedApk signed = ApkVerifier.signed(apk, policy);
    Optional<ZipEntry> entry = signed.apk().directory().find(name);
    Optional<ByteSlice> content = Optional.empty();
    ApkException unusable = null;
    try {
      if (entry.isPresent()) {
        content = Optional.of(signed.apk().read(entry.get(), maxBytes, ApkError.ENTRY));
      }
    } catch (ApkException e) {
      // An APK that was changed after it was signed is refused for that.
      unusable = e;
    }
    SignerVerifier signer = signed.decisive();
    // The head's length is known before its root hash is.
    Idsig empty =
        Idsig.unsigned(
            apk.size(),
            ByteSlice.takeOver(new byte[32]),
            signer.contentDigest(),
            signer.algorithm().id());
    VerifiedApk verified =
        signed.verifyContent(ByteSlice.EMPTY, TreeSink.into(out, empty.treeOffset()));
    if (unusable != null) {
      throw unusable;
    }
    Idsig idsig =
        Idsig.unsigned(
            apk.size(), verified.rootHash(), signer.contentDigest(), signer.algorithm().id());
    ByteBuffer head = ByteBuffer.wrap(idsig.head());
    while (head.hasRemaining()) {
      out.write(head, head.position());
    }
    return new Reading(verified, content);
  }

  private static boolean isRight(Path existing, FileChannel fresh) throws IOException {
    if (!Files.isRegularFile(existing)) {
      return false;
    }
    try (FileChannel file = FileChannel.open(existing)) {
      ImageSource old = ImageSource.of(file);
      ImageSource made = ImageSource.of(fresh);
      Idsig is = Idsig.parse(old);
      Idsig must = Idsig.parse(made);
      return is.apkDigest().equals(must.apkDigest())
          && is.rootHash().equals(must.rootHash())
          && is.salt().isEmpty()
          && is.treeSize() == must.treeSize()
          && sameTree(old, is.treeOffset(), made, must.treeOffset(), must.treeSize());
    } catch (ApkException e) {
      return false;
    }
  }

  private static boolean sameTree(
      ImageSource left, long leftAt, ImageSource right, long rightAt, long size)
      throws IOException {
    for (long at = 0; at < size; ) {
      int count = (int) Math.min(1 << 16, size - at);
      ByteSlice one = ByteSlice.takeOver(left.readRange(leftAt + at, count));
      if (!one.contentEquals(right.readRange(rightAt + at, count))) {
        return false;
      }
      at += count;
    }
    return true;
  }
}
