package io.github.avf4j.examples.protect;

import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DataSize;
import io.github.avf4j.Firmware;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineException;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockConnectException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.dice.DiceCertificate;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceChainRules;
import io.github.avf4j.attestation.dice.VerifiedDiceChain;
import io.github.avf4j.microdroid.base.DevelopmentKey;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Runs a signed payload without an operating system in a protected machine, verifies what it is,
 * lets it answer with its secret, and tries to read that secret.
 *
 * <p>Arguments: a folder for machine and payload, and the protection level, HARDWARE by default.
 * With SIMULATED the host can read the secret, and the example shows that it does. Ends with 0 if
 * all is as promised, 1 if not, 2 if there is no such machine here.
 */
public final class ProtectedSecret {
  private static final String NAME = "protected";
  private static final long PORT = 5000;
  private static final long RAM = 0x8000_0000L;
  private static final DataSize MEMORY = DataSize.ofMebibytes(64);
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final String SIGNED = "avf4j protected payload";

  private final Path folder;
  private final ProtectionLevel level;
  private final PrintStream out;
  private final SecureRandom random = new SecureRandom();
  private boolean asPromised = true;

  ProtectedSecret(Path folder, ProtectionLevel level, PrintStream out) {
    this.folder = folder;
    this.level = level;
    this.out = out;
  }

  /** Runs the example and ends the JVM; see {@link #run(String...)}. */
  public static void main(String[] arguments) throws Exception {
    System.exit(run(arguments));
  }

  /**
   * Runs the example: a folder for machine and payload, and the protection level if it is not
   * HARDWARE.
   *
   * @return 0 if all is as promised, 1 if not, 2 if there is no such machine here
   */
  public static int run(String... arguments)
      throws IOException, InterruptedException, GeneralSecurityException {
    if (arguments.length < 1 || arguments.length > 2) {
      System.err.println("usage: protected FOLDER [hardware|simulated]");
      return 2;
    }
    try {
      ProtectionLevel level =
          arguments.length < 2
              ? ProtectionLevel.HARDWARE
              : ProtectionLevel.valueOf(arguments[1].toUpperCase(Locale.ROOT));
      Path folder = Files.createDirectories(Path.of(arguments[0])).toAbsolutePath();
      return new ProtectedSecret(folder, level, System.out).run() ? 0 : 1;
    } catch (VirtualMachineException e) {
      System.err.println("protected: " + e.getMessage());
      return 2;
    }
  }

  /** Returns whether all was as promised. */
  boolean run() throws IOException, InterruptedException, GeneralSecurityException {
    SignedKernel payload =
        SignedKernel.write(folder.resolve("payload.img"), DevelopmentKey.signer());
    out.println("payload      sha256:" + brief(payload.digest()) + ", signed by the developer");
    VirtualMachineConfig config =
        VirtualMachineConfig.builder()
            .customImage(
                CustomImageConfig.builder()
                    .kernel(payload.file())
                    .commandLine("")
                    .firmware(Firmware.pvmfw())
                    .build())
            .memory(MEMORY)
            .protectionLevel(level)
            .build();
    try (VirtualMachineManager manager = VirtualMachineManager.open(folder.resolve("store"))) {
      VirtualMachine vm = manager.getOrCreate(NAME, config);
      vm.run();
      out.println("machine      runs, protection level " + level);
      try (Conversation payloadIn = new Conversation(connect(vm))) {
        prove(payloadIn, payload);
        byte[] challenge = random(32);
        byte[] digest = answer(payloadIn, challenge);
        peek(payloadIn.place(), challenge, digest);
        promise(
            "afterwards   it answers",
            Arrays.equals(digest, payloadIn.digest(challenge)),
            "the same, undisturbed");
        payloadIn.off();
      }
      StopReason reason = vm.awaitStopped(LIMIT).orElseThrow();
      promise("stopped      " + reason, reason instanceof StopReason.Shutdown, "");
    }
    out.println(asPromised ? "\nall is as promised" : "\nNOT ALL IS AS PROMISED");
    return asPromised;
  }

  /** The payload listens once the firmware has verified it. */
  private static VsockChannel connect(VirtualMachine vm) throws InterruptedException {
    long end = System.nanoTime() + LIMIT.toNanos();
    while (true) {
      try {
        return vm.connectVsock(PORT);
      } catch (VsockConnectException e) {
        Optional<StopReason> stopped = vm.awaitStopped(Duration.ofMillis(100));
        if (stopped.isPresent() || System.nanoTime() - end > 0) {
          throw new IllegalStateException("the payload does not answer: " + stopped, e);
        }
      }
    }
  }

  /** What a relying party does: believes the chain, then what it says of the payload. */
  private void prove(Conversation in, SignedKernel payload)
      throws IOException, GeneralSecurityException {
    byte[] challenge = random(32);
    Conversation.Chain given = in.chain(challenge);
    DiceChain chain = DiceChain.decode(given.encoded());
    // The host that loaded the firmware could read its secrets: the chain says so with debug mode.
    VerifiedDiceChain verified = chain.verify(DiceChainRules.DEFAULT.withAnyMode(true));
    out.println("chain        verified with avf-attestation");
    String indent = "  ";
    for (DiceCertificate certificate : verified.certificates()) {
      out.printf(
          "%s└ %s, %s, authority %s%n",
          indent,
          certificate.componentName().orElse("?"),
          certificate.mode(),
          certificate.authorityHash().map(ProtectedSecret::brief).orElse("none"));
      indent += "  ";
    }
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    message.write(SIGNED.getBytes(StandardCharsets.US_ASCII));
    message.write(challenge);
    promise(
        "  signed     by its last key for our challenge",
        verified.leafKey().verify(message.toByteArray(), given.signature()),
        "yes");
    DiceCertificate leaf = chain.leaf();
    promise(
        "  code       " + leaf.codeHash().map(ProtectedSecret::brief).orElse("none"),
        leaf.codeHash().equals(Optional.of(codeHash(payload.digest()))),
        "the payload that was signed");
    promise(
        "  signer     " + leaf.authorityHash().map(ProtectedSecret::brief).orElse("none"),
        leaf.authorityHash().equals(Optional.of(DevelopmentKey.publicKey().sha512())),
        "the developer");
  }

  /** As the firmware measures: SHA-512 of the digests of kernel and RAM disk, which is missing. */
  private static ByteSlice codeHash(ByteSlice kernel) throws GeneralSecurityException {
    MessageDigest sha512 = MessageDigest.getInstance("SHA-512");
    sha512.update(kernel.toByteArray());
    return ByteSlice.copyOf(sha512.digest(new byte[32]));
  }

  private byte[] answer(Conversation in, byte[] challenge) throws IOException {
    byte[] digest = in.digest(challenge);
    out.println("challenge    " + HexFormat.of().formatHex(challenge));
    promise(
        "answer       " + HexFormat.of().formatHex(digest),
        !Arrays.equals(digest, in.digest(random(32))),
        "made with the payload's secret");
    return digest;
  }

  /** Lets another process read the secret; on a protected machine it must not survive that. */
  private void peek(Conversation.Place secret, byte[] challenge, byte[] digest)
      throws IOException, InterruptedException, GeneralSecurityException {
    Peek attempt = Peek.at(NAME, secret.address() - RAM);
    if (attempt.bytes().isEmpty()) {
      promise(
          "host reads   the secret at 0x%x: its process got %s and ended with status %d"
              .formatted(secret.address(), attempt.signal().orElseThrow(), attempt.status()),
          level == ProtectionLevel.HARDWARE && attempt.signal().orElseThrow().equals("SIGSEGV"),
          "refused by the hypervisor");
      return;
    }
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(attempt.bytes().get(), "HmacSHA256"));
    boolean isSecret = Arrays.equals(mac.doFinal(challenge), digest);
    promise(
        "host reads   "
            + HexFormat.of().formatHex(attempt.bytes().get())
            + (isSecret ? ", which is the secret" : ", which is not the secret"),
        level == ProtectionLevel.SIMULATED && isSecret,
        "nothing protects a simulated machine from its host");
  }

  private byte[] random(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private void promise(String line, boolean kept, String what) {
    out.println(line + (kept ? what.isEmpty() ? "" : "  (" + what + ')' : "  NOT AS PROMISED"));
    asPromised &= kept;
  }

  private static String brief(ByteSlice bytes) {
    return bytes.toHex().substring(0, Math.min(16, 2 * bytes.length())) + "…";
  }
}
