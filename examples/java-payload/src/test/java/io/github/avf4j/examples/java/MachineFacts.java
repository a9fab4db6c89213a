package io.github.avf4j.examples.java;

import io.github.avf4j.payload.Attestation;
import io.github.avf4j.payload.VmPayload;
import io.github.avf4j.payload.VsockServer;
import io.github.avf4j.payload.VsockStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Signature;
import java.util.Arrays;
import java.util.HexFormat;

/** Runs in the guest: tells the first who connects what its machine gives it, and ends. */
public final class MachineFacts {
  private MachineFacts() {}

  public static void main(String[] arguments) throws Exception {
    StringBuilder facts = new StringBuilder();
    facts.append("arguments ").append(Arrays.asList(arguments)).append('\n');
    byte[] secret = VmPayload.instanceSecret("one", 32);
    facts.append("secret ").append(HexFormat.of().formatHex(secret)).append('\n');
    boolean same = Arrays.equals(secret, VmPayload.instanceSecret("one", 32));
    boolean other = !Arrays.equals(secret, VmPayload.instanceSecret("two", 32));
    facts.append("same and other ").append(same && other).append('\n');
    facts.append("apk ").append(Files.exists(VmPayload.apkContents().resolve("java/command")));
    Path count = VmPayload.encryptedStorage().orElseThrow().resolve("count");
    int runs = Files.exists(count) ? Integer.parseInt(Files.readString(count)) : 0;
    Files.writeString(count, String.valueOf(runs + 1));
    facts.append("\nrun ").append(runs).append('\n');
    Attestation attestation = VmPayload.requestAttestation(new byte[] {1, 2, 3});
    Signature verifier = Signature.getInstance("SHA256withECDSA");
    verifier.initVerify(attestation.certificates().get(0));
    verifier.update(secret);
    facts.append("attested ").append(verifier.verify(attestation.sign(secret))).append('\n');
    try (VsockServer server = VsockServer.listen(5001)) {
      VmPayload.notifyReady();
      try (VsockStream host = server.accept()) {
        facts.append("peer ").append(host.peerCid()).append('\n');
        // The question decides on nothing but must come whole, up to the host's end.
        facts.append("heard ").append(host.input().readAllBytes().length).append('\n');
        host.write(StandardCharsets.UTF_8.encode(facts.toString()));
      }
    }
    System.exit(7);
  }
}
