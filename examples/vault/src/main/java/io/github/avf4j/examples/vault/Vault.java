package io.github.avf4j.examples.vault;

import io.github.avf4j.BootStage;
import io.github.avf4j.BootTimeline;
import io.github.avf4j.DataSize;
import io.github.avf4j.Payload;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineException;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.VsockChannel;
import io.github.avf4j.attestation.dice.DiceCertificate;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * Shows what a verified payload gets: a chain that names it, secrets that only it has in this
 * instance, storage that only it can read, and certificates that prove to others what runs.
 *
 * <p>Arguments: a folder for machines and results, and the backend to use, if not the best one.
 * Ends with 0 if all is as promised, 1 if not, 2 if no machine can be run here.
 */
public final class Vault {
  private static final long PORT = 5001;
  private static final Duration LIMIT = Duration.ofMinutes(4);
  private static final DataSize STORAGE = DataSize.ofMebibytes(16);

  private final Path folder;
  private final Optional<String> backend;
  private final PrintStream out;
  private boolean asPromised = true;

  Vault(Path folder, Optional<String> backend, PrintStream out) {
    this.folder = folder;
    this.backend = backend;
    this.out = out;
  }

  /** Runs the example. */
  public static void main(String[] arguments) throws Exception {
    if (arguments.length < 1 || arguments.length > 2) {
      System.err.println("usage: vault FOLDER [kvm|qemu]");
      System.exit(2);
    }
    Optional<String> backend = arguments.length > 1 ? Optional.of(arguments[1]) : Optional.empty();
    int code;
    try {
      Path folder = Files.createDirectories(Path.of(arguments[0])).toAbsolutePath();
      code = new Vault(folder, backend, System.out).run() ? 0 : 1;
    } catch (VirtualMachineException e) {
      System.err.println("vault: " + e.getMessage());
      code = 2;
    }
    System.exit(code);
  }

  /** Returns whether all was as promised. */
  boolean run() throws IOException, InterruptedException {
    Path apk = folder.resolve("vault.apk");
    VerifiedApk alice = SampleApk.write(apk, "alice");
    out.println("payload      " + SampleApk.PACKAGE + ", signed by alice");
    out.println("             certificate sha512:" + brief(alice.certificateHash().toHex()));
    try (VirtualMachineManager manager = VirtualMachineManager.open(folder.resolve("store"))) {
      VirtualMachine vault = manager.getOrCreate("vault", config(apk, false));
      String first = firstBoot(vault);
      secondBoot(vault, first, alice);
      SampleApk.write(apk, "mallory");
      refused(vault);
      manager.delete("vault");
      anew(manager.create("vault", config(apk, false)), first);
      updatable(manager, apk);
    }
    out.println(asPromised ? "\nall is as promised" : "\nNOT ALL IS AS PROMISED");
    return asPromised;
  }

  private VirtualMachineConfig config(Path apk, boolean updatable) {
    VirtualMachineConfig.Builder config =
        VirtualMachineConfig.builder()
            .payload(Payload.apk(apk).withConfigPath(SampleApk.CONFIG))
            .updatable(updatable)
            .bootTimeout(LIMIT)
            .backend(backend);
    return (updatable ? config : config.encryptedStorage(STORAGE)).build();
  }

  private String firstBoot(VirtualMachine vault) throws IOException, InterruptedException {
    start(vault, "boot 1       a new instance");
    out.println("  chain");
    tree(DiceChain.decode(HexFormat.of().parseHex(ask(vault, "chain"))));
    out.println("  file       " + ask(vault, "greeting"));
    String fingerprint = ask(vault, "fingerprint");
    out.println("  secret     " + fingerprint);
    out.println("  counter    " + ask(vault, "count"));
    stop(vault);
    return fingerprint;
  }

  private void secondBoot(VirtualMachine vault, String first, VerifiedApk signer)
      throws IOException, InterruptedException {
    start(vault, "boot 2       the same instance");
    String second = ask(vault, "fingerprint");
    promise("  secret     " + second, second.equals(first), "the same");
    String count = ask(vault, "count");
    promise("  counter    " + count, count.equals("2"), "kept");
    byte[] challenge = new byte[32];
    new SecureRandom().nextBytes(challenge);
    String digits = HexFormat.of().formatHex(challenge);
    List<String> certificates = ask(vault, "attest " + digits).lines().toList();
    promise("  attested   " + certificates.size() + " certificates", certificates.size() > 1, "");
    // What the relying party needs: what was brought, and what it asked for.
    Files.writeString(folder.resolve("certificates.pem"), pem(certificates));
    Files.writeString(
        folder.resolve("relying-party"),
        "%s apk:%s %s\n".formatted(digits, SampleApk.PACKAGE, signer.certificateHash().toHex()));
    stop(vault);
  }

  private void refused(VirtualMachine vault) throws InterruptedException {
    out.println("boot 3       the same payload, signed by mallory");
    vault.run();
    StopReason reason = vault.awaitStopped(LIMIT).orElseThrow();
    promise("  stopped    " + reason, reason.avfCode() == 12, "refused");
  }

  private void anew(VirtualMachine vault, String first) throws IOException, InterruptedException {
    start(vault, "boot 4       the instance made anew for mallory");
    String fingerprint = ask(vault, "fingerprint");
    promise("  secret     " + fingerprint, !fingerprint.equals(first), "another");
    String count = ask(vault, "count");
    promise("  counter    " + count, count.equals("1"), "from the start");
    stop(vault);
  }

  private void updatable(VirtualMachineManager manager, Path apk)
      throws IOException, InterruptedException {
    VirtualMachine machine = manager.getOrCreate("updatable", config(apk, true));
    SampleApk.write(apk, "alice");
    start(machine, "updatable    an instance without storage, version 1 signed by alice");
    String first = ask(machine, "fingerprint");
    out.println("  secret     " + first);
    stop(machine);
    SampleApk.write(apk, "alice", 2);
    start(machine, "updatable    the same instance, version 2");
    String second = ask(machine, "fingerprint");
    promise("  secret     " + second, second.equals(first), "the same");
    stop(machine);
    SampleApk.write(apk, "alice");
    out.println("updatable    back to version 1");
    machine.run();
    StopReason reason = machine.awaitStopped(LIMIT).orElseThrow();
    promise("  stopped    " + reason, reason instanceof StopReason.MicrodroidError, "refused");
    // Its secret goes with it.
    manager.delete("updatable");
  }

  private void start(VirtualMachine vm, String title) throws InterruptedException {
    out.println(title);
    vm.run();
    if (!vm.awaitReady(LIMIT)) {
      throw new IllegalStateException("the payload does not answer: " + vm.awaitStopped(LIMIT));
    }
    BootTimeline timeline = vm.getTimeline();
    out.printf(
        "  guest      verified, mounted and started in %d ms (%s)%n",
        timeline
            .stages()
            .get(BootStage.PAYLOAD_STARTED)
            .minus(timeline.stages().get(BootStage.INIT))
            .toMillis(),
        vm.getBackend().orElse("?"));
  }

  private void stop(VirtualMachine vm) throws IOException, InterruptedException {
    ask(vm, "quit");
    StopReason reason = vm.awaitStopped(LIMIT).orElseThrow();
    if (!(reason instanceof StopReason.Shutdown)) {
      promise("  stopped    " + reason, false, "");
    }
  }

  private static String ask(VirtualMachine vm, String question) throws IOException {
    try (VsockChannel channel = vm.connectVsock(PORT)) {
      channel.write(StandardCharsets.US_ASCII.encode(question + '\n'));
      channel.shutdownOutput();
      byte[] answer = Channels.newInputStream(channel).readNBytes(1 << 20);
      String text = new String(answer, StandardCharsets.UTF_8).strip();
      if (text.startsWith("!")) {
        throw new IOException(
            "the payload cannot answer \"" + question + "\": " + text.substring(1));
      }
      return text;
    }
  }

  private void promise(String line, boolean kept, String what) {
    out.println(line + (kept ? what.isEmpty() ? "" : "  (" + what + ')' : "  NOT AS PROMISED"));
    asPromised &= kept;
  }

  private void tree(DiceChain chain) {
    String indent = "    ";
    for (DiceCertificate certificate : chain.certificates()) {
      out.printf(
          "%s└ %s, %s, authority %s%n",
          indent,
          certificate.componentName().orElse("?"),
          certificate.mode(),
          certificate.authorityHash().map(hash -> brief(hash.toHex())).orElse("none"));
      indent += "  ";
    }
  }

  private static String brief(String hex) {
    return hex.length() <= 16 ? hex : hex.substring(0, 16) + "…";
  }

  private static String pem(List<String> certificates) {
    StringBuilder pem = new StringBuilder();
    for (String certificate : certificates) {
      pem.append("-----BEGIN CERTIFICATE-----\n")
          .append(
              Base64.getMimeEncoder(64, new byte[] {'\n'})
                  .encodeToString(HexFormat.of().parseHex(certificate)))
          .append("\n-----END CERTIFICATE-----\n");
    }
    return pem.toString();
  }
}
