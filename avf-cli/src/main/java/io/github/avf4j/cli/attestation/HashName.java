package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.verity.VerityHash;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the name of a hash function. */
final class HashName implements ITypeConverter<VerityHash> {
  @Override
  public VerityHash convert(String text) {
    return VerityHash.named(text)
        .orElseThrow(() -> new TypeConversionException("the hash \"" + text + "\" is unknown"));
  }
}
