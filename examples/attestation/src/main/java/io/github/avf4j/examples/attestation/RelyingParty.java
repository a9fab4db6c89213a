package io.github.avf4j.examples.attestation;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.remote.AospRevision;
import io.github.avf4j.attestation.remote.AttestationPolicy;
import io.github.avf4j.attestation.remote.AttestationResult;
import io.github.avf4j.attestation.remote.AttestationVerifier;
import io.github.avf4j.attestation.remote.ClientVmCsr;
import io.github.avf4j.attestation.remote.ComponentRequirement;
import io.github.avf4j.attestation.remote.MicrodroidPayload;
import io.github.avf4j.attestation.remote.ProvisioningAuthority;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A server that talks to a payload only if it runs unchanged in a protected machine: it accepts one
 * attestation, and refuses four that were tampered with or tell of another machine.
 */
public final class RelyingParty {
  private static final String APK = "apk:com.example.vault";
  private static final ByteSlice SIGNER = SampleDevice.hash("certificate of the developer");
  private static final int LEAST_VERSION = 7;

  private final PrintStream out;
  private final AttestationVerifier verifier;
  private int unexpected;

  private RelyingParty(PrintStream out, ByteSlice root, Instant now) {
    this.out = out;
    AttestationPolicy policy =
        AttestationPolicy.builder()
            .root(root)
            .component(ComponentRequirement.of(APK, SIGNER).withLeastVersion(LEAST_VERSION))
            .build();
    this.verifier = new AttestationVerifier(policy, Clock.fixed(now, ZoneOffset.UTC));
  }

  /** Runs the example; ends with 1 if a decision is not the expected one. */
  public static void main(String[] arguments) {
    int unexpected = run(System.out, Instant.now());
    if (unexpected > 0) {
      System.exit(1);
    }
  }

  static int run(PrintStream out, Instant now) {
    try (CosePrivateKey rootKey = ClientVmCsr.generateAttestationKey();
        CosePrivateKey machineKey = ClientVmCsr.generateAttestationKey()) {
      ProvisioningAuthority authority =
          ProvisioningAuthority.create("Example Root", rootKey, now, Duration.ofDays(3650));
      try (SampleDevice device = new SampleDevice(authority, now)) {
        RelyingParty party = new RelyingParty(out, authority.certificate(), now);
        party.decide(device, machineKey);
        return party.unexpected;
      }
    }
  }

  private void decide(SampleDevice device, CosePrivateKey machineKey) {
    ByteSlice challenge = freshChallenge();
    List<ByteSlice> genuine =
        device.attest(payload(LEAST_VERSION), DiceMode.NORMAL, machineKey, challenge);
    AttestationResult accepted = show("a genuine attestation", true, genuine, challenge);
    out.println(accepted.toJson());
    out.println();

    show("the same, shown again for a later challenge", false, genuine, freshChallenge());

    List<ByteSlice> edited = new ArrayList<>(genuine);
    edited.set(0, withNewerVersion(genuine.get(0)));
    show("the same, with the version edited from 7 to 8", false, edited, challenge);

    show(
        "an old version of the payload, and debuggable",
        false,
        device.attest(payload(LEAST_VERSION - 1), DiceMode.DEBUG, machineKey, challenge),
        challenge);

    try (CosePrivateKey otherRoot = ClientVmCsr.generateAttestationKey()) {
      Instant now = verifier.verify(genuine, challenge).time();
      ProvisioningAuthority impostor =
          ProvisioningAuthority.create("Example Root", otherRoot, now, Duration.ofDays(3650));
      try (SampleDevice elsewhere = new SampleDevice(impostor, now)) {
        show(
            "a machine that another root of the same name vouches for",
            false,
            elsewhere.attest(payload(LEAST_VERSION), DiceMode.NORMAL, machineKey, challenge),
            challenge);
      }
    }
  }

  private AttestationResult show(
      String title, boolean expected, List<ByteSlice> certificates, ByteSlice challenge) {
    AttestationResult result = verifier.verify(certificates, challenge);
    out.println("== " + title);
    out.println(result.toTable());
    if (result.isAccepted() != expected) {
      unexpected++;
    }
    return result;
  }

  private static ByteSlice freshChallenge() {
    byte[] challenge = new byte[32];
    new SecureRandom().nextBytes(challenge);
    return ByteSlice.takeOver(challenge);
  }

  private static MicrodroidPayload payload(long version) {
    return MicrodroidPayload.ofBinaryName(AospRevision.MARCH_2025, "libvault.so")
        .apk(
            "com.example.vault",
            version,
            SampleDevice.hash("content of version " + version).slice(0, 32),
            SIGNER)
        .build();
  }

  /** Changes the one byte of the version, which follows the name in the certificate. */
  private static ByteSlice withNewerVersion(ByteSlice certificate) {
    byte[] bytes = certificate.toByteArray();
    byte[] name = APK.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i + name.length + 2 < bytes.length; i++) {
      if (Arrays.equals(bytes, i, i + name.length, name, 0, name.length)) {
        bytes[i + name.length + 2]++;
      }
    }
    return ByteSlice.takeOver(bytes);
  }
}
