package io.github.avf4j.microdroid.payload;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.apex.ApexException;
import io.github.avf4j.microdroid.apex.ApexVerifier;
import io.github.avf4j.microdroid.apex.VerifiedApex;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Verifies the APEXes of a payload, as the guest will again. */
final class PayloadApexes {
  private PayloadApexes() {}

  /**
   * Verifies all of them. Blocks: each is read once.
   *
   * <p>They are given to the guest as what never came with a system and was never updated: the
   * instance remembers both, and the time of a file says nothing about its content.
   *
   * @throws PackException if one is refused, is another module than it should be, or became shorter
   * @throws IOException if one cannot be read
   */
  static List<PackOptions.Apex> verify(ApkPayload payload) throws IOException {
    List<PackOptions.Apex> verified = new ArrayList<>();
    for (ApkPayload.Apex apex : payload.apexes()) {
      VerifiedApex module = verify(apex);
      if (!module.manifest().name().equals(apex.name())) {
        throw refused(
            apex,
            "its manifest names %s: give it by that name, or give another file"
                .formatted(module.manifest().name()),
            null);
      }
      verified.add(
          new PackOptions.Apex(apex.name(), apex.file(), module.manifest().version(), 0, false));
    }
    return verified;
  }

  private static VerifiedApex verify(ApkPayload.Apex apex) throws IOException {
    try (FileChannel file = FileChannel.open(apex.file())) {
      return ApexVerifier.verify(ImageSource.of(file), false);
    } catch (AttestationException e) {
      throw refused(apex, e.getMessage() + ": make it again, or get an undamaged copy", e);
    } catch (EOFException e) {
      throw new PackException(
          PackError.CHANGED, apex.file() + " was changed while it was read: run the VM again", e);
    } catch (FileSystemException e) {
      throw new PackException(
          PackError.FILE,
          "the APEX " + apex.file() + " cannot be read (" + e + "): check its permissions",
          e);
    }
  }

  private static PackException refused(
      ApkPayload.Apex apex, String why, @Nullable AttestationException cause) {
    String error = cause instanceof ApexException named ? " (" + named.error() + ')' : "";
    return new PackException(
        PackError.APEX,
        "the APEX %s of the file %s is refused%s: %s"
            .formatted(apex.name(), apex.file(), error, why),
        cause);
  }
}
