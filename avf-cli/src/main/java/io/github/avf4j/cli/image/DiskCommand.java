package io.github.avf4j.cli.image;

import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.Table;
import io.github.avf4j.microdroid.disk.CompositeDiskBuilder;
import io.github.avf4j.microdroid.disk.DiskImage;
import io.github.avf4j.microdroid.disk.PartitionTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** {@code avf disk}. */
@Command(
    name = "disk",
    description = "Composes disks of partitions that are files, and shows partitions.",
    mixinStandardHelpOptions = true,
    subcommands = {DiskCommand.Compose.class, DiskCommand.Info.class})
public final class DiskCommand {
  DiskCommand() {}

  /**
   * A partition and its file.
   *
   * @param label of the partition
   * @param file its content
   * @param writable whether the guest may write it
   */
  record PartitionFile(String label, Path file, boolean writable) {}

  /** Reads {@code NAME=FILE}, {@code NAME=FILE:ro} or {@code NAME=FILE:rw}. */
  static final class PartitionConverter implements ITypeConverter<PartitionFile> {
    @Override
    public PartitionFile convert(String text) {
      int equals = text.indexOf('=');
      if (equals < 1 || equals == text.length() - 1) {
        throw new TypeConversionException(
            "a partition is NAME=FILE or NAME=FILE:ro but was \"" + text + '"');
      }
      String file = text.substring(equals + 1);
      boolean readOnly = file.endsWith(":ro");
      if (readOnly || file.endsWith(":rw")) {
        file = file.substring(0, file.length() - ":ro".length());
      }
      return new PartitionFile(text.substring(0, equals), Path.of(file), !readOnly);
    }
  }

  /** {@code avf disk compose}. */
  @Command(
      name = "compose",
      description = {
        "Makes a composite disk, which crosvm and the machines of avf4j open. For OUT disk.img,",
        "disk-header.img, disk-footer.img and zero.img are written next to it."
      },
      mixinStandardHelpOptions = true,
      sortOptions = false)
  static final class Compose extends FileCommand {
    @Parameters(paramLabel = "OUT", description = "The descriptor of the disk.")
    private Path target = Path.of("");

    @Option(
        names = "--partition",
        required = true,
        paramLabel = "NAME=FILE[:ro]",
        converter = PartitionConverter.class,
        description = {
          "A partition and the raw or sparse image that it is; several are in this order. A",
          "writable one must have a multiple of 4096 bytes."
        })
    private List<PartitionFile> partitions = new ArrayList<>();

    @Option(
        names = "--guid",
        paramLabel = "GUID",
        description = "The GUID of the disk; random otherwise.")
    private @Nullable UUID guid;

    @Option(names = "--reproducible", description = "Derives all GUIDs from names and sizes.")
    private boolean reproducible;

    @Override
    protected void run() throws IOException {
      CompositeDiskBuilder disk = new CompositeDiskBuilder();
      if (guid != null && reproducible) {
        throw usage("--guid and --reproducible exclude each other");
      }
      if (guid != null) {
        disk.diskGuid(guid);
      }
      if (reproducible) {
        disk.reproducible();
      }
      for (PartitionFile partition : partitions) {
        InputFile.requireFile(partition.file());
        disk.partition(partition.label(), partition.file(), partition.writable());
      }
      disk.write(target);
    }
  }

  /** {@code avf disk info}. */
  @Command(
      name = "info",
      description = "Shows the partitions of a composite, sparse or raw disk, after checking them.",
      mixinStandardHelpOptions = true)
  static final class Info extends FileCommand {
    @Parameters(paramLabel = "FILE", description = "The disk.")
    private Path file = Path.of("");

    @Override
    protected void run() throws IOException {
      InputFile.requireFile(file);
      try (DiskImage disk = DiskImage.open(file)) {
        Table table = new Table().row("format", disk.format()).row("disk size", disk.size());
        ImageInspector.partitions(PartitionTable.read(disk), table);
        table.print(out());
      }
    }
  }
}
