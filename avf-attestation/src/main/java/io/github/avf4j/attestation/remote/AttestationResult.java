package io.github.avf4j.attestation.remote;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.remote.AttestationCheck.Outcome;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a verifier decided, and every check it made. Immutable and thread-safe.
 *
 * <p>{@link #toJson} is for machines, {@link #toTable} for people.
 */
public final class AttestationResult {
  private static final JsonFactory JSON = new JsonFactory();

  private final Instant time;
  private final List<AttestationCheck> checks;
  private final @Nullable CosePublicKey key;
  private final @Nullable AttestationExtension extension;

  AttestationResult(
      Instant time,
      List<AttestationCheck> checks,
      @Nullable CosePublicKey key,
      @Nullable AttestationExtension extension) {
    this.time = time;
    this.checks = List.copyOf(checks);
    this.key = key;
    this.extension = extension;
  }

  /** Whether no check failed. Nothing else may be relied on unless this is true. */
  public boolean isAccepted() {
    return failures().isEmpty();
  }

  /** All checks in their order. */
  public List<AttestationCheck> checks() {
    return checks;
  }

  /** The checks that failed. */
  public List<AttestationCheck> failures() {
    return checks.stream().filter(check -> check.outcome() == Outcome.FAIL).toList();
  }

  /** The time for which the certificates were checked. */
  public Instant time() {
    return time;
  }

  /** What the machine says of itself; present for a refused one too, as far as it was readable. */
  public Optional<AttestationExtension> extension() {
    return Optional.ofNullable(extension);
  }

  /**
   * The key of the machine.
   *
   * @throws IllegalStateException if the attestation was refused
   */
  public CosePublicKey attestedKey() {
    CosePublicKey found = key;
    if (!isAccepted() || found == null) {
      throw new IllegalStateException(
          "attestedKey() needs an accepted attestation but " + failures());
    }
    return found;
  }

  /**
   * Whether a signature over a message is by the machine's key: proof that whom one talks to has
   * it.
   *
   * @param signature of ECDSA with SHA-256, in DER
   * @throws IllegalStateException if the attestation was refused
   */
  public boolean verifySignature(byte[] message, byte[] signature) {
    CosePublicKey attested = attestedKey();
    try {
      return attested.verify(message, EcDer.rawSignature(ByteSlice.copyOf(signature)));
    } catch (AttestationException e) {
      return false;
    }
  }

  /** The result as a JSON object, in one line. */
  public String toJson() {
    StringWriter text = new StringWriter();
    try (JsonGenerator out = JSON.createGenerator(text)) {
      out.writeStartObject();
      out.writeBooleanField("accepted", isAccepted());
      out.writeStringField("time", time.toString());
      out.writeArrayFieldStart("checks");
      for (AttestationCheck check : checks) {
        write(out, check);
      }
      out.writeEndArray();
      if (key != null) {
        out.writeStringField("key", ByteSlice.takeOver(key.toSubjectPublicKeyInfo()).toHex());
      }
      if (extension != null) {
        write(out, extension);
      }
      out.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException("a result does not write to memory", e);
    }
    return text.toString();
  }

  private static void write(JsonGenerator out, AttestationCheck check) throws IOException {
    out.writeStartObject();
    out.writeStringField("check", check.kind().id());
    if (!check.subject().isEmpty()) {
      out.writeStringField("subject", check.subject());
    }
    out.writeStringField("outcome", check.outcome().name().toLowerCase(Locale.ROOT));
    out.writeStringField("detail", check.detail());
    out.writeEndObject();
  }

  private static void write(JsonGenerator out, AttestationExtension found) throws IOException {
    out.writeStringField("challenge", found.challenge().toHex());
    out.writeBooleanField("vmSecure", found.vmSecure());
    out.writeArrayFieldStart("components");
    for (VmComponent component : found.components()) {
      out.writeStartObject();
      out.writeStringField("name", component.name());
      out.writeStringField("securityVersion", component.securityVersion().toString());
      out.writeStringField("codeHash", component.codeHash().toHex());
      out.writeStringField("authorityHash", component.authorityHash().toHex());
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  /** The checks as a table of outcome, check, subject and detail, and the decision below it. */
  public String toTable() {
    int kinds = width(checks.stream().map(check -> label(check)).toList());
    StringBuilder table = new StringBuilder();
    for (AttestationCheck check : checks) {
      table
          .append(String.format("%-8s", check.outcome().name().toLowerCase(Locale.ROOT)))
          .append(String.format("%-" + (kinds + 2) + "s", label(check)))
          .append(printable(check.detail()))
          .append('\n');
    }
    int failed = failures().size();
    return table
        .append(failed == 0 ? "accepted" : "refused: " + failed + " of the checks failed")
        .append('\n')
        .toString();
  }

  private static String label(AttestationCheck check) {
    return printable(
        check.subject().isEmpty() ? check.kind().id() : check.kind().id() + " " + check.subject());
  }

  /** Certificates may hold any text, which must not reach a terminal as it is. */
  private static String printable(String text) {
    return text.replaceAll("\\p{C}", "\uFFFD");
  }

  private static int width(List<String> texts) {
    return texts.stream().mapToInt(String::length).max().orElse(0);
  }

  @Override
  public String toString() {
    return "AttestationResult[" + (isAccepted() ? "accepted" : "refused: " + failures()) + "]";
  }
}
