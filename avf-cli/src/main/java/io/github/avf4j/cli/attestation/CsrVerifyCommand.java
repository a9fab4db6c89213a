package io.github.avf4j.cli.attestation;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.dice.VerifiedDiceChain;
import io.github.avf4j.attestation.remote.ClientVmCsr;
import io.github.avf4j.attestation.remote.FactoryRequests;
import io.github.avf4j.attestation.remote.ProvisioningRequest;
import io.github.avf4j.attestation.remote.RequestRules;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.RefusedException;
import io.github.avf4j.cli.internal.Text;
import io.github.avf4j.cli.internal.ValueConverters;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code avf csr verify}. */
@Command(
    name = "verify",
    description = "Verifies a request with its DICE chain.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class CsrVerifyCommand extends JudgingCommand {
  private static final int MAX_REQUEST = 4 << 20;
  private static final int MAX_FACTORY_FILE = 64 << 20;

  /** The three kinds of input, of which there is one. */
  static final class Source {
    @Parameters(
        paramLabel = "FILE",
        arity = "1",
        description = "A request to a provisioning server, in CBOR or that in Base64.")
    private @Nullable Path request;

    @Option(
        names = "--factory",
        paramLabel = "FILE",
        description =
            "Requests captured in a factory: one JSON object a line, with name, which selects the"
                + " instance, and csr in Base64.")
    private @Nullable Path factory;

    @Option(
        names = "--client-vm",
        paramLabel = "FILE",
        description = "The request of a machine to the service VM.")
    private @Nullable Path clientVm;
  }

  @ArgGroup(multiplicity = "1")
  private Source source = new Source();

  @Option(
      names = "--challenge",
      paramLabel = "HEX",
      converter = ValueConverters.Hex.class,
      description = "The challenge that was issued; any otherwise.")
  private @Nullable ByteSlice challenge;

  @Option(
      names = "--at",
      paramLabel = "TIME",
      converter = ValueConverters.Time.class,
      description = "When certificates of the device's key must be valid; now otherwise.")
  private @Nullable Instant time;

  @Mixin private final ChainOptions options = new ChainOptions();

  @Override
  protected void run() {
    Path factory = source.factory;
    Path clientVm = source.clientVm;
    Path request = source.request;
    if (factory != null) {
      verifyFactory(factory);
    } else if (clientVm != null) {
      verifyClientVm(clientVm);
    } else if (request != null) {
      show(ProvisioningRequest.verify(request(request), rules()));
    }
  }

  private RequestRules rules() {
    RequestRules rules = RequestRules.of(options.rules(), time == null ? Instant.now() : time);
    return challenge == null ? rules : rules.withChallenge(challenge);
  }

  private static ByteSlice request(Path file) {
    byte[] bytes = InputFile.read(file, MAX_REQUEST);
    // The head of a CBOR array is no character of Base64, so the two forms are never confused.
    if (bytes[0] < 0) {
      return ByteSlice.takeOver(bytes);
    }
    String text = new String(bytes, StandardCharsets.ISO_8859_1).replaceAll("[ \t\r\n]", "");
    try {
      return ByteSlice.takeOver(Base64.getDecoder().decode(text));
    } catch (IllegalArgumentException e) {
      throw new RefusedException(
          "request is neither an array in CBOR nor Base64; JSON lines need --factory");
    }
  }

  private void verifyFactory(Path file) {
    String text = new String(InputFile.read(file, MAX_FACTORY_FILE), StandardCharsets.UTF_8);
    List<FactoryRequests.Entry> entries = FactoryRequests.verify(text, rules());
    if (isJson()) {
      ObjectNode node = Json.object().put("valid", true);
      ArrayNode array = node.putArray("requests");
      for (FactoryRequests.Entry entry : entries) {
        ObjectNode one = array.addObject().put("line", entry.line());
        describe(one.put("instance", entry.instance().instanceName()), entry.request());
      }
      print(node);
      return;
    }
    for (FactoryRequests.Entry entry : entries) {
      String where = "line " + entry.line() + ": ";
      entry
          .request()
          .warnings()
          .forEach(warning -> out().println(where + "warning: " + Text.printable(warning)));
      out()
          .println(
              where
                  + "valid: instance "
                  + entry.instance().instanceName()
                  + ", "
                  + summary(entry.request()));
    }
  }

  private void verifyClientVm(Path file) {
    ClientVmCsr csr = ClientVmCsr.decode(ByteSlice.takeOver(InputFile.read(file, MAX_REQUEST)));
    VerifiedDiceChain chain = csr.verify(options.rules());
    if (challenge != null && !challenge.equals(csr.challenge())) {
      throw new RefusedException(
          "challenge is not the one that was issued but " + csr.challenge().toHex());
    }
    if (isJson()) {
      ObjectNode node = Json.object().put("valid", true).put("challenge", csr.challenge().toHex());
      node.put("key", ByteSlice.takeOver(csr.publicKey().toSubjectPublicKeyInfo()).toHex());
      Json.chain(node, chain.chain());
      Json.warnings(node, chain.warnings());
      print(node);
      return;
    }
    chain.warnings().forEach(w -> out().println("warning: " + Text.printable(w.toString())));
    out()
        .println(
            "valid: request of a machine, a chain of "
                + chain.certificates().size()
                + " certificates"
                + (chain.isNormalMode() ? "" : ", not all in normal mode")
                + ", challenge "
                + csr.challenge().toHex());
  }

  private void show(ProvisioningRequest request) {
    if (isJson()) {
      print(describe(Json.object().put("valid", true), request));
      return;
    }
    request.warnings().forEach(warning -> out().println("warning: " + Text.printable(warning)));
    out().println("valid: " + summary(request));
  }

  private static String summary(ProvisioningRequest request) {
    return Text.printable(
        "version "
            + request.version()
            + ", a chain of "
            + request.chain().certificates().size()
            + (request.chain().certificates().size() == 1 ? " certificate" : " certificates")
            + (request.chain().isDegenerate() ? ", degenerate" : "")
            + ", challenge "
            + request.challenge().toHex()
            + ", "
            + request.deviceInfo());
  }

  private static ObjectNode describe(ObjectNode node, ProvisioningRequest request) {
    node.put("version", request.version()).put("challenge", request.challenge().toHex());
    node.put("certificateType", request.certificateType());
    node.put("deviceInfo", request.deviceInfo().toString());
    ArrayNode signers = node.putArray("udsSigners");
    request.udsCertificates().keySet().stream().sorted().forEach(signers::add);
    Json.chain(node, request.chain().chain());
    ArrayNode warnings = node.putArray("warnings");
    request.warnings().forEach(warnings::add);
    return node;
  }
}
