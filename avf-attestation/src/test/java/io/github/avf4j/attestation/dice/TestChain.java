package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CoseSign1;
import io.github.avf4j.attestation.internal.Digests;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Signs chains whose certificates hold whatever a test wants, right or wrong. */
final class TestChain {
  private final List<CosePrivateKey> keys = new ArrayList<>();
  private final List<byte[]> certificates = new ArrayList<>();
  private CborValue rootKey;

  TestChain() {
    this(CoseAlgorithm.ED25519);
  }

  TestChain(CoseAlgorithm algorithm) {
    keys.add(key(algorithm, 0));
    rootKey = CborReader.decode(keys.get(0).publicKey().encode());
  }

  static CosePrivateKey key(CoseAlgorithm algorithm, int number) {
    byte[] seed = new byte[32];
    seed[0] = (byte) number;
    return DiceKeys.keyPairOfSeed(algorithm, SecretBytes.takeOver(seed));
  }

  TestChain rootKey(CborValue key) {
    rootKey = key;
    return this;
  }

  TestChain add(Consumer<Layer> change) {
    return add(CoseAlgorithm.ED25519, change);
  }

  /** Adds a layer that satisfies android.16, changed by the test. */
  TestChain add(CoseAlgorithm algorithm, Consumer<Layer> change) {
    int number = keys.size();
    return add(key(algorithm, number), change);
  }

  TestChain add(CosePrivateKey next, Consumer<Layer> change) {
    CosePrivateKey signer = keys.get(keys.size() - 1);
    Layer layer = new Layer();
    layer.put(DiceLabels.ISSUER, CborValue.of(DiceKeys.idText(signer.publicKey())));
    layer.put(DiceLabels.SUBJECT, CborValue.of(DiceKeys.idText(next.publicKey())));
    layer.put(DiceLabels.CODE_HASH, CborValue.of(new byte[64]));
    layer.config("a1" + "3a0001117401");
    layer.put(DiceLabels.AUTHORITY_HASH, CborValue.of(new byte[64]));
    layer.put(DiceLabels.MODE, CborValue.of(new byte[] {1}));
    layer.put(DiceLabels.SUBJECT_PUBLIC_KEY, CborValue.of(next.publicKey().encode()));
    layer.put(DiceLabels.KEY_USAGE, CborValue.of(new byte[] {0x20}));
    layer.put(DiceLabels.PROFILE_NAME, CborValue.of("android.16"));
    change.accept(layer);
    certificates.add(CoseSign1.sign(signer, layer.payload(), ByteSlice.EMPTY));
    keys.add(next);
    return this;
  }

  DiceChain build() {
    return DiceChain.decode(bytes());
  }

  byte[] bytes() {
    CborWriter out = new CborWriter();
    out.array(certificates.size() + 1).value(rootKey);
    certificates.forEach(out::encoded);
    return out.toByteArray();
  }

  /** The entries of one payload. */
  static final class Layer {
    private final Map<Long, CborValue> entries = new LinkedHashMap<>();

    Layer put(long label, CborValue value) {
      entries.put(label, value);
      return this;
    }

    Layer bytes(long label, String hex) {
      return put(label, CborValue.of(ByteSlice.ofHex(hex)));
    }

    Layer remove(long label) {
      entries.remove(label);
      return this;
    }

    Layer profile(String name) {
      return put(DiceLabels.PROFILE_NAME, CborValue.of(name));
    }

    Layer mode(int mode) {
      return put(DiceLabels.MODE, CborValue.of(new byte[] {(byte) mode}));
    }

    /** Sets the descriptor and the hash that belongs to it. */
    Layer config(String hex) {
      ByteSlice config = ByteSlice.ofHex(hex);
      put(DiceLabels.CONFIG_DESCRIPTOR, CborValue.of(config));
      return put(DiceLabels.CONFIG_HASH, CborValue.of(Digests.sha2(64, config)));
    }

    ByteSlice payload() {
      CborMap.Builder map = CborMap.builder();
      entries.forEach(map::put);
      return map.build().encoded();
    }
  }
}
