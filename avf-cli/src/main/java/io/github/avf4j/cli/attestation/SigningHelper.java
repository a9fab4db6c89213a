package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.avb.AvbAlgorithm;
import io.github.avf4j.attestation.avb.AvbException;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.cli.internal.KeyFiles;
import io.github.avf4j.cli.internal.UnusableInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Signs by a program of the user, as avbtool calls it: with the name of the algorithm and the path
 * of the key. What it is given is the encoded message of PKCS #1, as long as the modulus; what it
 * gives back is the signature, of the same length, which {@code VbmetaBuilder} verifies.
 *
 * <p>Its standard error is that of this process. It may take as long as it wants: somebody may have
 * to touch a token. Confined to one thread.
 */
final class SigningHelper implements AvbSigner {
  private final Path program;
  private final Path keyFile;
  private final boolean withFiles;
  private final AvbPublicKey publicKey;

  private SigningHelper(Path program, Path keyFile, boolean withFiles) {
    this.program = program;
    this.keyFile = keyFile;
    this.withFiles = withFiles;
    this.publicKey = KeyFiles.publicKey(keyFile);
  }

  /**
   * A program that reads the message from standard input and writes the signature to its output.
   */
  static AvbSigner withPipes(Path program, Path keyFile) {
    return new SigningHelper(program, keyFile, false);
  }

  /** A program that finds the message in a file, its third argument, and replaces it. */
  static AvbSigner withFiles(Path program, Path keyFile) {
    return new SigningHelper(program, keyFile, true);
  }

  @Override
  public AvbPublicKey publicKey() {
    return publicKey;
  }

  @Override
  public byte[] sign(AvbAlgorithm algorithm, byte[] digest) {
    byte[] message = algorithm.encodedMessage(digest);
    byte[] signature;
    try {
      signature = withFiles ? throughFile(algorithm, message) : throughPipes(algorithm, message);
    } catch (IOException e) {
      throw new UnusableInputException(
          "the signing helper " + program + " cannot be used: " + e.getMessage());
    }
    if (signature.length != algorithm.signatureSize()) {
      throw fault(
          signature.length > algorithm.signatureSize()
              ? "wrote more than the %d bytes of a signature".formatted(algorithm.signatureSize())
              : "wrote %d bytes but a signature has %d"
                  .formatted(signature.length, algorithm.signatureSize()));
    }
    return signature;
  }

  private byte[] throughPipes(AvbAlgorithm algorithm, byte[] message) throws IOException {
    Process process = start(algorithm, List.of(), Redirect.PIPE);
    try (InputStream in = process.getInputStream()) {
      try (OutputStream out = process.getOutputStream()) {
        out.write(message);
      } catch (IOException e) {
        // It ended without reading: its exit code and output say whether that is wrong.
      }
      byte[] signature = in.readNBytes(message.length + 1);
      if (signature.length <= message.length) {
        await(process);
      }
      return signature;
    } finally {
      process.destroy();
    }
  }

  private byte[] throughFile(AvbAlgorithm algorithm, byte[] message) throws IOException {
    Path file = Files.createTempFile("avf-sign", null);
    try {
      Files.write(file, message);
      Process process = start(algorithm, List.of(file.toString()), Redirect.DISCARD);
      try {
        process.getOutputStream().close();
        await(process);
      } finally {
        process.destroy();
      }
      try (InputStream in = Files.newInputStream(file)) {
        return in.readNBytes(message.length + 1);
      }
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private Process start(AvbAlgorithm algorithm, List<String> more, Redirect output)
      throws IOException {
    List<String> command =
        new ArrayList<>(List.of(program.toString(), algorithm.name(), keyFile.toString()));
    command.addAll(more);
    return new ProcessBuilder(command)
        .redirectOutput(output)
        .redirectError(Redirect.INHERIT)
        .start();
  }

  private void await(Process process) throws IOException {
    try {
      int code = process.waitFor();
      if (code != 0) {
        throw fault("ended with exit code " + code);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while it signs");
    }
  }

  private AvbException fault(String what) {
    return new AvbException(
        AvbException.Kind.KEY, "the signing helper " + program.getFileName() + " " + what);
  }
}
