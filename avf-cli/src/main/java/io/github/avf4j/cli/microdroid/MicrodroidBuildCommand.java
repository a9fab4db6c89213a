package io.github.avf4j.cli.microdroid;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.KernelImage;
import io.github.avf4j.VirtualMachineException;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import io.github.avf4j.cli.ExitCode;
import io.github.avf4j.cli.ProgressBar;
import io.github.avf4j.microdroid.base.BaseImage;
import io.github.avf4j.microdroid.base.BaseImageBuilder;
import io.github.avf4j.microdroid.base.DevelopmentKey;
import io.github.avf4j.microdroid.base.GuestRuntime;
import io.github.avf4j.microdroid.image.ImageException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code avf microdroid build}. */
@Command(
    name = "build",
    description = {
      "Makes a base image: a kernel, two initial RAM disks and a read-only system, signed. The same",
      "input makes the same bytes. The folder appears whole or not at all."
    },
    footer = {
      "",
      "Exit codes: 0 the image is made; 1 the input was read and refused; 2 it is missing, empty or",
      "unreadable, the output cannot be written, or the usage is wrong."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class MicrodroidBuildCommand implements Callable<Integer> {
  @Option(
      names = "--kernel",
      paramLabel = "FILE",
      description = "A bzImage or an ELF kernel (the one that bin/setup fetched).")
  private @Nullable Path kernel;

  @Option(
      names = "--modules",
      paramLabel = "DIR",
      description = "The kernel's modules (the folder \"modules\" next to it).")
  private @Nullable Path modules;

  @Option(
      names = "--runtime",
      paramLabel = "DIR",
      description =
          "The C library of payloads: a folder with lib64 and notice (the one that bin/setup"
              + " fetched).")
  private @Nullable Path runtime;

  @Option(
      names = "--key",
      paramLabel = "PEM",
      description =
          "The private key that signs, RSA of 4096 bits (a published one, for development only).")
  private @Nullable Path key;

  @Option(
      names = "--rollback-index",
      paramLabel = "N",
      description = "0 to 2^63 - 1 (${DEFAULT-VALUE}).",
      defaultValue = "" + BaseImageBuilder.DEFAULT_ROLLBACK_INDEX)
  private long rollbackIndex = BaseImageBuilder.DEFAULT_ROLLBACK_INDEX;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The folder to make, or replace (microdroid in the cache folder).")
  private @Nullable Path out;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter err = command().commandLine().getErr();
    try {
      build(command().commandLine().getOut(), err);
      return ExitCode.OK;
    } catch (InvalidImageException | ImageException | AttestationException e) {
      err.println("avf: refused: " + printable(String.valueOf(e.getMessage())));
      return ExitCode.REFUSED;
    } catch (VirtualMachineException e) {
      err.println("avf: " + printable(String.valueOf(e.getMessage())));
      return ExitCode.UNUSABLE;
    } catch (IOException e) {
      err.println("avf: " + printable(explain(e)));
      return ExitCode.UNUSABLE;
    } finally {
      command().commandLine().getOut().flush();
      err.flush();
    }
  }

  private void build(PrintWriter to, PrintWriter err) throws IOException {
    if (rollbackIndex < 0) {
      throw new ParameterException(
          command().commandLine(),
          "--rollback-index must not be negative but was " + rollbackIndex);
    }
    KernelImage stock = stock();
    requireFile(stock.image());
    requireFolder(stock.modules());
    GuestRuntime library = runtime == null ? GuestRuntime.installed() : new GuestRuntime(runtime);
    requireFolder(library.folder());
    BaseImageBuilder builder =
        new BaseImageBuilder(stock, library).signedBy(signer()).rollbackIndex(rollbackIndex);
    Path folder = out == null ? BaseImage.installed() : out;
    BaseImage image;
    try (ProgressBar bar = new ProgressBar(err, "building")) {
      image = builder.build(folder, bar::at);
    }
    to.println("made " + printable(image.folder().toString()));
    to.println(
        key == null
            ? "signed with the development key, which everybody has: give --key for more than that"
            : "signed with " + printable(key.toString()));
  }

  private KernelImage stock() {
    KernelImage installed = KernelImage.installed();
    Path image = kernel == null ? installed.image() : kernel;
    return KernelImage.of(
        image, modules == null ? image.toAbsolutePath().resolveSibling("modules") : modules);
  }

  private AvbSigner signer() throws IOException {
    if (key == null) {
      return DevelopmentKey.signer();
    }
    requireFile(key);
    return RsaKeyFile.readPrivate(key);
  }

  private static void requireFile(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    if (!Files.isRegularFile(file)) {
      throw new FileSystemException(file.toString(), null, "is not a regular file");
    }
    if (Files.size(file) == 0) {
      throw new FileSystemException(file.toString(), null, "is empty");
    }
  }

  private static void requireFolder(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      throw new NoSuchFileException(folder.toString());
    }
    if (!Files.isDirectory(folder)) {
      throw new FileSystemException(folder.toString(), null, "is not a folder");
    }
  }

  /** The text with a mark in the place of whatever a terminal might act on. */
  private static String printable(String text) {
    return text.replaceAll("\\p{C}", "\uFFFD");
  }

  private static String explain(IOException e) {
    if (e instanceof NoSuchFileException) {
      return e.getMessage() + " does not exist; bin/setup fetches what is not given";
    }
    return e instanceof AccessDeniedException
        ? e.getMessage() + ": permission is denied"
        : "input or output failed: " + e.getMessage();
  }

  private CommandSpec command() {
    CommandSpec command = spec;
    if (command == null) {
      throw new IllegalStateException("the command was not made by picocli");
    }
    return command;
  }
}
