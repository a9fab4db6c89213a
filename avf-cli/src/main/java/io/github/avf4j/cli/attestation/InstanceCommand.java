package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.pvmfw.InstanceCipher;
import io.github.avf4j.attestation.pvmfw.InstanceImage;
import io.github.avf4j.attestation.pvmfw.InstanceStorage;
import io.github.avf4j.attestation.pvmfw.MicrodroidRecord;
import io.github.avf4j.attestation.pvmfw.PvmfwError;
import io.github.avf4j.attestation.pvmfw.PvmfwException;
import io.github.avf4j.attestation.pvmfw.PvmfwRecord;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.Text;
import io.github.avf4j.cli.internal.ValueConverters;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code avf instance}. */
@Command(
    name = "instance",
    description = "Shows what a machine remembers from boot to boot.",
    mixinStandardHelpOptions = true,
    subcommands = InstanceCommand.Dump.class)
public final class InstanceCommand {
  InstanceCommand() {}

  /** {@code avf instance dump}. */
  @Command(
      name = "dump",
      description = {
        "Shows the records of an instance image.",
        "With a sealing CDI, the records that it opens are shown too: that of pvmfw with the one"
            + " that pvmfw was handed, that of Microdroid with the guest's."
      },
      mixinStandardHelpOptions = true)
  static final class Dump extends FileCommand {
    private static final int CDI_BYTES = 32;

    @Parameters(paramLabel = "FILE", description = "A disk, or the partition alone.")
    private Path file = Path.of("");

    @Option(
        names = "--cdi-seal",
        paramLabel = "HEX",
        converter = ValueConverters.SecretHex.class,
        description = "The secret that records are sealed with, 32 bytes.")
    private @Nullable SecretBytes cdiSeal;

    private int opened;
    private int closed;

    @Override
    protected void run() throws IOException {
      SecretBytes seal = cdiSeal;
      if (seal == null) {
        dump(null);
        return;
      }
      try (seal) {
        if (seal.length() != CDI_BYTES) {
          throw usage("--cdi-seal must have 32 bytes but has " + seal.length());
        }
        dump(seal);
      }
    }

    private void dump(@Nullable SecretBytes seal) throws IOException {
      try (FileChannel channel = InputFile.open(file)) {
        InstanceImage image = InstanceImage.open(InstanceStorage.of(channel));
        List<InstanceImage.Record> records = image.records();
        out().println(records.size() + (records.size() == 1 ? " record" : " records"));
        for (InstanceImage.Record record : records) {
          out()
              .println(
                  owner(record)
                      + " at byte "
                      + record.headerOffset()
                      + ", "
                      + record.size()
                      + " bytes");
          if (seal != null) {
            open(image, record, seal);
          }
        }
      }
      if (closed > 0 && opened == 0) {
        throw new PvmfwException(
            PvmfwError.INSTANCE_DECRYPTION_FAILED, "no record was sealed with this secret");
      }
    }

    private static String owner(InstanceImage.Record record) {
      if (record.owner().equals(InstanceImage.PVMFW)) {
        return "pvmfw";
      }
      return record.owner().equals(InstanceImage.MICRODROID)
          ? "microdroid"
          : record.owner().toString();
    }

    private void open(InstanceImage image, InstanceImage.Record record, SecretBytes secret) {
      try {
        if (record.owner().equals(InstanceImage.PVMFW)) {
          pvmfw(image, record, secret);
        } else if (record.owner().equals(InstanceImage.MICRODROID)) {
          microdroid(image, record, secret);
        }
      } catch (PvmfwException e) {
        if (e.error() != PvmfwError.INSTANCE_DECRYPTION_FAILED) {
          throw e;
        }
        closed++;
        out().println("  not sealed with this secret, or damaged");
      }
    }

    private void pvmfw(InstanceImage image, InstanceImage.Record record, SecretBytes secret) {
      try (InstanceCipher cipher = InstanceCipher.ofPvmfw(secret)) {
        PvmfwRecord opened = PvmfwRecord.read(image, record, cipher);
        this.opened++;
        out().println("  code       " + opened.codeHash().toHex());
        out().println("  authority  " + opened.authorityHash().toHex());
        out().println("  salt       (64 bytes)");
        out().println("  mode       " + opened.mode().name().toLowerCase(Locale.ROOT));
      }
    }

    private void microdroid(InstanceImage image, InstanceImage.Record record, SecretBytes secret) {
      try (InstanceCipher cipher = InstanceCipher.ofMicrodroid(secret)) {
        MicrodroidRecord opened = MicrodroidRecord.read(image, record, cipher);
        this.opened++;
        opened.salt().ifPresent(salt -> out().println("  salt       (64 bytes)"));
        apk("apk       ", opened.apk());
        opened.extraApks().forEach(extra -> apk("extra apk ", extra));
        for (MicrodroidRecord.Apex apex : opened.apexes()) {
          out()
              .println(
                  "  apex       %s, version %s, root %s"
                      .formatted(
                          Text.printable(apex.manifestName().orElse(apex.name())),
                          apex.manifestVersion().map(String::valueOf).orElse("none"),
                          apex.rootDigest().toHex()));
        }
      }
    }

    private void apk(String label, MicrodroidRecord.Apk apk) {
      out()
          .println(
              "  %s %s, version %s, root %s, signer %s"
                  .formatted(
                      label,
                      Text.printable(apk.packageName()),
                      Long.toUnsignedString(apk.versionCode()),
                      apk.rootHash().toHex(),
                      apk.certHash().toHex()));
    }
  }
}
