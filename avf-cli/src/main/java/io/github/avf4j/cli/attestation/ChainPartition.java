package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.cli.internal.KeyFiles;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A chained partition as options name it.
 *
 * @param name of the partition
 * @param location of its rollback index, 1 to 31
 * @param keyFile its public key
 */
record ChainPartition(String name, int location, Path keyFile) {
  AvbPublicKey key() {
    return KeyFiles.publicKey(keyFile);
  }

  /** Reads {@code NAME:LOCATION:KEY}. */
  static final class Converter implements ITypeConverter<ChainPartition> {
    @Override
    public ChainPartition convert(String text) {
      String[] parts = text.split(":", 3);
      if (parts.length == 3 && !parts[0].isEmpty() && parts[1].matches("\\d{1,2}")) {
        int location = Integer.parseInt(parts[1]);
        try {
          if (location >= 1 && location <= 31 && !parts[2].isEmpty()) {
            return new ChainPartition(parts[0], location, Path.of(parts[2]));
          }
        } catch (InvalidPathException e) {
          throw new TypeConversionException("\"" + parts[2] + "\" is not a path");
        }
      }
      throw new TypeConversionException(
          "a chained partition is NAME:LOCATION:KEY with a location of 1 to 31, but was \""
              + text
              + '"');
    }
  }
}
