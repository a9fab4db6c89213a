package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.remote.AttestationCheck;
import io.github.avf4j.attestation.remote.AttestationPolicy;
import io.github.avf4j.attestation.remote.AttestationResult;
import io.github.avf4j.attestation.remote.AttestationVerifier;
import io.github.avf4j.attestation.remote.CertificateFiles;
import io.github.avf4j.attestation.remote.ComponentRequirement;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.RefusedException;
import io.github.avf4j.cli.internal.ValueConverters;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** {@code avf attest verify}. */
@Command(
    name = "verify",
    description = {
      "Verifies certificates, the leaf first, and prints every check.",
      "Components that no option requires are accepted and named in the result, unless"
          + " --refuse-unlisted-components is given."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class AttestVerifyCommand extends JudgingCommand {
  @Parameters(
      paramLabel = "CERTS",
      description = "The certificates, in PEM or in DER one after the other.")
  private Path certificates = Path.of("");

  @Option(
      names = "--root",
      required = true,
      paramLabel = "FILE",
      description = "Root certificates that are accepted, in PEM or DER.")
  private List<Path> roots = new ArrayList<>();

  @Option(
      names = "--challenge",
      required = true,
      paramLabel = "HEX",
      converter = ValueConverters.Hex.class,
      description = "The challenge that was issued.")
  private ByteSlice challenge = ByteSlice.EMPTY;

  @Option(names = "--allow-debug", description = "Accepts debuggable machines.")
  private boolean allowDebug;

  @Option(
      names = "--require-component",
      paramLabel = "NAME=AUTHORITY_HASH[:MIN_VERSION]",
      converter = RequirementConverter.class,
      description =
          "A component that must be there, such as apk:com.example=HEX:3; may be given several"
              + " times.")
  private List<ComponentRequirement> components = new ArrayList<>();

  @Option(
      names = "--refuse-unlisted-components",
      description =
          "Refuses components that are not required: extra APKs and APEXes run there too.")
  private boolean refuseUnlisted;

  @Option(
      names = "--at",
      paramLabel = "TIME",
      converter = ValueConverters.Time.class,
      description = "When the certificates must be valid, as 2026-11-22T10:00:00Z; now otherwise.")
  private @Nullable Instant time;

  private boolean judged;

  @Override
  protected void run() {
    byte[] file = InputFile.read(certificates, CertificateFiles.MAX_BYTES);
    Clock clock = time == null ? Clock.systemUTC() : Clock.fixed(time, ZoneOffset.UTC);
    AttestationResult result = new AttestationVerifier(policy(), clock).verifyFile(file, challenge);
    if (isJson()) {
      out().println(result.toJson());
    } else {
      out().print(result.toTable());
    }
    judged = true;
    if (!result.isAccepted()) {
      throw new RefusedException(
          result.failures().stream()
              .map(AttestVerifyCommand::describe)
              .collect(Collectors.joining("; ")));
    }
  }

  /** The checks say why already, where it came to them. */
  @Override
  protected void refused(AttestationException reason) {
    if (!judged) {
      super.refused(reason);
    }
  }

  private static String describe(AttestationCheck check) {
    String subject = check.subject().isEmpty() ? "" : " " + check.subject();
    return check.kind().id() + subject + ": " + check.detail();
  }

  private AttestationPolicy policy() {
    AttestationPolicy.Builder policy =
        AttestationPolicy.builder()
            .debugAllowed(allowDebug)
            .unlistedComponentsAllowed(!refuseUnlisted);
    roots.forEach(root -> addRoots(root, policy));
    try {
      components.forEach(policy::component);
      return policy.build();
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }

  private static void addRoots(Path file, AttestationPolicy.Builder policy) {
    byte[] bytes = InputFile.read(file, CertificateFiles.MAX_BYTES);
    try {
      CertificateFiles.read(bytes).forEach(policy::root);
    } catch (AttestationException e) {
      throw new RefusedException("root certificates in " + file + ": " + e.getMessage());
    }
  }

  /** Reads {@code NAME=AUTHORITY_HASH[:MIN_VERSION]}; names may hold colons. */
  static final class RequirementConverter implements ITypeConverter<ComponentRequirement> {
    private static final Pattern FORM =
        Pattern.compile("(.+)=((?:[0-9a-fA-F]{2})+)(?::(\\d{1,20}))?");

    @Override
    public ComponentRequirement convert(String text) {
      Matcher matcher = FORM.matcher(text);
      if (!matcher.matches()) {
        throw new TypeConversionException(
            "a component is NAME=AUTHORITY_HASH or NAME=AUTHORITY_HASH:MIN_VERSION, but was \""
                + text
                + '"');
      }
      ByteSlice authority = ByteSlice.takeOver(HexFormat.of().parseHex(matcher.group(2)));
      BigInteger version =
          matcher.group(3) == null ? BigInteger.ZERO : new BigInteger(matcher.group(3));
      return new ComponentRequirement(matcher.group(1), Set.of(authority), version, Set.of());
    }
  }
}
