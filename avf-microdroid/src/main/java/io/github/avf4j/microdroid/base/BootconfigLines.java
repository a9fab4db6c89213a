package io.github.avf4j.microdroid.base;

import io.github.avf4j.attestation.avb.VbmetaImage;
import io.github.avf4j.attestation.verity.VerityHash;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

/** The parameters at the end of the RAM disks. Thread-safe. */
final class BootconfigLines {
  private static final String COMMON =
      lines(
          "androidboot.first_stage_console = 1",
          "androidboot.hardware = microdroid",
          "kernel.8250.nr_uarts = 4");
  private static final String NORMAL =
      lines(
          "androidboot.microdroid.debuggable=0",
          "kernel.printk.devkmsg=off",
          "kernel.console=ttynull",
          "androidboot.adb.enabled=0");
  private static final String DEBUGGABLE =
      lines(
          "androidboot.microdroid.debuggable=1",
          "kernel.printk.devkmsg=on",
          "kernel.console=hvc0",
          "androidboot.adb.enabled=1");

  private BootconfigLines() {}

  /** The texts for one of the two RAM disks, in their order. */
  static List<String> of(VbmetaImage vbmeta, boolean debuggable) {
    return List.of(COMMON, debuggable ? DEBUGGABLE : NORMAL, ofVbmeta(vbmeta));
  }

  /** The line that says which vbmeta image the system must have, without its end. */
  static String digestLine(VbmetaImage vbmeta) {
    MessageDigest digest = VerityHash.SHA256.newDigest();
    digest.update(vbmeta.bytes().asByteBuffer());
    return "androidboot.vbmeta.digest = \"" + HexFormat.of().formatHex(digest.digest()) + '"';
  }

  private static String ofVbmeta(VbmetaImage vbmeta) {
    return lines(
        "androidboot.vbmeta.size = " + vbmeta.bytes().length(),
        digestLine(vbmeta),
        "androidboot.vbmeta.hash_alg = \"sha256\"",
        "androidboot.vbmeta.avb_version = \"%d.%d\""
            .formatted(vbmeta.header().requiredMajor(), vbmeta.header().requiredMinor()),
        "androidboot.vbmeta.device_state = \"locked\"",
        "androidboot.vbmeta.invalidate_on_error = \"yes\"",
        "androidboot.veritymode = \"enforcing\"",
        "androidboot.verifiedbootstate = \"green\"");
  }

  private static String lines(String... lines) {
    return String.join("\n", lines) + '\n';
  }
}
