package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.cbor.CborArray;
import io.github.avf4j.attestation.cbor.CborBytes;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborText;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cose.CoseSign1;
import io.github.avf4j.attestation.dice.ConfigDescriptor;
import io.github.avf4j.attestation.dice.ExplicitKeyChain;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One item of an explicit-key chain as policies see it: a certificate is its payload. What is
 * decoded on the way is decoded once. Confined to one thread.
 */
final class ChainNode {
  static final long CONFIG_DESCRIPTOR = -4670548;

  private final CborValue root;
  private final Map<CborValue, Optional<CborValue>> decoded = new IdentityHashMap<>();

  private ChainNode(CborValue root) {
    this.root = root;
  }

  /** The nodes of a chain: version, root key, certificates. */
  static List<ChainNode> of(ExplicitKeyChain chain) {
    List<ChainNode> nodes = new ArrayList<>();
    List<CborValue> items = chain.items();
    for (int i = 0; i < items.size(); i++) {
      nodes.add(
          new ChainNode(
              i < 2 ? items.get(i) : CborReader.decode(CoseSign1.parse(items.get(i)).payload())));
    }
    return nodes;
  }

  CborValue value() {
    return root;
  }

  /** The component name, where the node has a configuration with one. */
  Optional<String> componentName() {
    return at(List.of(CONFIG_DESCRIPTOR, ConfigDescriptor.COMPONENT_NAME))
        .filter(CborText.class::isInstance)
        .map(CborValue::asText);
  }

  /** The value that a path leads to. */
  Optional<CborValue> at(List<Long> path) {
    Optional<CborValue> here = Optional.of(root);
    for (long step : path) {
      here = here.flatMap(value -> step(opened(value), step));
    }
    return here;
  }

  /** The number of items of the array that a path leads to; 0 if it leads to none. */
  int sizeAt(List<Long> path) {
    return at(path)
        .map(this::opened)
        .filter(CborArray.class::isInstance)
        .map(value -> value.asArray().size())
        .orElse(0);
  }

  private static Optional<CborValue> step(CborValue value, long step) {
    if (value instanceof CborMap map) {
      return map.get(step);
    }
    if (value instanceof CborArray array && step >= 0 && step < array.size()) {
      return Optional.of(array.get((int) step));
    }
    return Optional.empty();
  }

  /** The content of a byte string, where it is CBOR; any other value as it is. */
  private CborValue opened(CborValue value) {
    if (!(value instanceof CborBytes bytes)) {
      return value;
    }
    return decoded
        .computeIfAbsent(
            bytes,
            key -> {
              try {
                return Optional.of(CborReader.decode(key.asBytes()));
              } catch (AttestationException e) {
                return Optional.empty();
              }
            })
        .orElse(value);
  }
}
