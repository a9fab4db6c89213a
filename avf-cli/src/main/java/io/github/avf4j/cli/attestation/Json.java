package io.github.avf4j.cli.attestation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.dice.ConfigDescriptor;
import io.github.avf4j.attestation.dice.DiceCertificate;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceException;
import io.github.avf4j.attestation.dice.DiceWarning;
import io.github.avf4j.attestation.pvmfw.PvmfwException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Results for machines. */
final class Json {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private Json() {}

  static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  static String text(ObjectNode node) {
    try {
      return MAPPER.writeValueAsString(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a result does not write to memory", e);
    }
  }

  /** Why something was refused. */
  static ObjectNode refusal(AttestationException e) {
    ObjectNode node = object().put("valid", false).put("reason", e.reason());
    e.position().ifPresent(position -> node.put("position", position));
    if (e instanceof DiceException dice) {
      node.put("rule", dice.rule().name());
      dice.certificate().ifPresent(index -> node.put("certificate", index));
    }
    if (e instanceof PvmfwException pvmfw) {
      node.put("error", pvmfw.error().name());
    }
    return node;
  }

  /** Adds what a chain says. */
  static ObjectNode chain(ObjectNode node, DiceChain chain) {
    node.set("rootKey", key(chain.rootKey()));
    ArrayNode certificates = node.putArray("certificates");
    chain.certificates().forEach(certificate -> certificates.add(certificate(certificate)));
    return node;
  }

  static void warnings(ObjectNode node, List<DiceWarning> warnings) {
    ArrayNode array = node.putArray("warnings");
    for (DiceWarning warning : warnings) {
      array
          .addObject()
          .put("rule", warning.rule().name())
          .put("certificate", warning.certificate())
          .put("message", warning.message());
    }
  }

  private static ObjectNode key(CosePublicKey key) {
    return object().put("algorithm", key.algorithm().coseName()).put("key", key.raw().toHex());
  }

  private static ObjectNode certificate(DiceCertificate certificate) {
    ObjectNode node = object();
    certificate.issuer().ifPresent(issuer -> node.put("issuer", issuer));
    certificate.subject().ifPresent(subject -> node.put("subject", subject));
    certificate.profileName().ifPresent(name -> node.put("profile", name));
    node.put("mode", certificate.mode().name().toLowerCase(Locale.ROOT));
    node.set("subjectPublicKey", key(certificate.subjectPublicKey()));
    hex(node, "codeHash", certificate.codeHash());
    hex(node, "configHash", certificate.configHash());
    hex(node, "authorityHash", certificate.authorityHash());
    certificate.config().ifPresent(config -> node.set("config", config(config)));
    certificate.configFault().ifPresent(fault -> node.put("configFault", fault.reason()));
    return node;
  }

  private static ObjectNode config(ConfigDescriptor config) {
    ObjectNode node = object();
    config.componentName().ifPresent(name -> node.put("componentName", name));
    config.componentInstanceName().ifPresent(name -> node.put("componentInstanceName", name));
    config
        .componentVersion()
        .ifPresent(version -> node.put("componentVersion", version.toString()));
    config.securityVersion().ifPresent(version -> node.put("securityVersion", version));
    node.put("resettable", config.isResettable());
    node.put("rkpVmMarker", config.hasRkpVmMarker());
    return node;
  }

  static void hex(ObjectNode node, String name, Optional<ByteSlice> bytes) {
    bytes.ifPresent(value -> node.put(name, value.toHex()));
  }
}
