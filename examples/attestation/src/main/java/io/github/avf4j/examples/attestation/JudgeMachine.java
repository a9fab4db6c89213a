package io.github.avf4j.examples.attestation;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.remote.AttestationPolicy;
import io.github.avf4j.attestation.remote.AttestationResult;
import io.github.avf4j.attestation.remote.AttestationVerifier;
import io.github.avf4j.attestation.remote.CertificateFiles;
import io.github.avf4j.attestation.remote.ComponentRequirement;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;

/**
 * Judges the certificates that a machine of one's own host brought, by the root that {@code avf
 * attest root} shows.
 *
 * <p>That root stands for the host's owner and for nobody else, and its machines are not protected
 * against their host: the policy has to allow that.
 */
public final class JudgeMachine {
  private static final String USAGE =
      "usage: JudgeMachine CERTIFICATES ROOT CHALLENGE COMPONENT SIGNER\n"
          + "  CERTIFICATES  what the payload got, the leaf first, in PEM or DER\n"
          + "  ROOT          the certificate that \"avf attest root\" printed\n"
          + "  CHALLENGE     the challenge that was issued, in hexadecimal digits\n"
          + "  COMPONENT     what must run in the machine, such as apk:com.example.vault\n"
          + "  SIGNER        SHA-512 of the certificate that signed it, in hexadecimal digits";

  private JudgeMachine() {}

  /** Runs the example; ends with 0 if the machine is accepted, 1 if it is refused, else 2. */
  public static void main(String[] arguments) throws IOException {
    System.exit(run(System.out, Clock.systemUTC(), List.of(arguments)));
  }

  static int run(PrintStream out, Clock clock, List<String> arguments) throws IOException {
    if (arguments.size() != 5) {
      out.println(USAGE);
      return 2;
    }
    byte[] certificates = Files.readAllBytes(Path.of(arguments.get(0)));
    ByteSlice challenge = ByteSlice.ofHex(arguments.get(2));
    AttestationPolicy.Builder policy =
        AttestationPolicy.builder()
            .component(ComponentRequirement.of(arguments.get(3), ByteSlice.ofHex(arguments.get(4))))
            // A host that plays the firmware never says that its machines are secure.
            .debugAllowed(true);
    CertificateFiles.read(Files.readAllBytes(Path.of(arguments.get(1)))).forEach(policy::root);

    AttestationResult result =
        new AttestationVerifier(policy.build(), clock).verifyFile(certificates, challenge);
    out.println(result.toTable());
    return result.isAccepted() ? 0 : 1;
  }
}
