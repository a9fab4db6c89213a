package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.dice.DiceCertificate;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.internal.Digests;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** The chain of a client next to that of the service VM, which share all but their last layers. */
final class ClientChain {
  private static final String KERNEL = "vm_entry";
  private static final String VENDOR = "Microdroid vendor";
  private static final int LEAST_OWN_ITEMS = 3;
  private static final int DIGEST_HEX_DIGITS = 64;

  private final DiceChain own;
  private final DiceChain client;
  private final AospRevision revision;

  ClientChain(DiceChain own, DiceChain client, AospRevision revision) {
    this.own = own;
    this.client = client;
    this.revision = revision;
  }

  DiceChain chain() {
    return client;
  }

  /** Checks 2 and 3: the same firmware, then kernel, perhaps vendor, and payload. */
  void checkPrefix() {
    int shared = own.items().size() - 1;
    if (shared + 1 < LEAST_OWN_ITEMS) {
      throw new ServiceVmException(
          RequestProcessingError.INTERNAL_ERROR,
          "the service VM's own chain must have at least 3 items");
    }
    List<CborValue> items = client.items();
    if (items.size() < shared || !items.subList(0, shared).equals(own.items().subList(0, shared))) {
      throw ServiceVm.invalidChain("the client does not share the service VM's firmware", null);
    }
    int further = items.size() - shared;
    if (further != 2 && further != 3) {
      throw ServiceVm.invalidChain(
          "the client's chain must go on with 2 or 3 layers but has " + further, null);
    }
  }

  /** Check 4: signatures, and what every payload must hold. */
  void checkSignatures() {
    try {
      client.verifySignatures();
    } catch (AttestationException e) {
      throw ServiceVm.invalidChain("chain of the client", e);
    }
    for (DiceCertificate certificate : client.certificates()) {
      requireHash(certificate.codeHash());
      requireHash(certificate.authorityHash());
      if (certificate.configBytes().isEmpty()) {
        throw ServiceVm.invalidChain("a layer has no configuration descriptor", null);
      }
    }
  }

  private void requireHash(Optional<ByteSlice> hash) {
    if (hash.filter(bytes -> revision.acceptsHashSize(bytes.length())).isEmpty()) {
      throw ServiceVm.invalidChain("a layer's hash is missing or of a wrong size", null);
    }
  }

  private boolean hasVendor() {
    return client.items().size() - own.items().size() == 2;
  }

  private DiceCertificate payload() {
    return client.leaf();
  }

  private DiceCertificate beforePayload(int layers) {
    return client.certificates().get(client.certificates().size() - 1 - layers);
  }

  private DiceCertificate kernel() {
    return beforePayload(hasVendor() ? 2 : 1);
  }

  /** Check 5: what the layers are called. */
  void checkNames() {
    requireName(payload(), MicrodroidPayload.COMPONENT_NAME);
    if (hasVendor()) {
      requireName(beforePayload(1), VENDOR);
    }
    requireName(kernel(), KERNEL);
  }

  private static void requireName(DiceCertificate layer, String name) {
    if (!layer.componentName().equals(Optional.of(name))) {
      throw ServiceVm.invalidChain("a layer must be called \"" + name + "\"", null);
    }
  }

  /** Check 6: the vendor partition is the device's. */
  void checkVendor(Optional<ByteSlice> property) {
    if (!hasVendor()) {
      return;
    }
    ByteSlice digest =
        property.orElseThrow(
            () ->
                new ServiceVmException(
                    RequestProcessingError.NO_VENDOR_HASH_TREE_ROOT_DIGEST_IN_DT,
                    "the client has a vendor partition but this device has none"));
    Optional<ByteSlice> code = beforePayload(1).codeHash();
    boolean same =
        code.equals(Optional.of(hash(digest)))
            || ofHexDigits(digest).map(raw -> code.equals(Optional.of(hash(raw)))).orElse(false);
    if (!same) {
      throw new ServiceVmException(
          RequestProcessingError.INVALID_VENDOR_PARTITION,
          "the client's vendor partition is not that of this device");
    }
  }

  private static ByteSlice hash(ByteSlice bytes) {
    return ByteSlice.takeOver(Digests.sha2(64, bytes));
  }

  /** Hosts write the property in hexadecimal digits, while the layer hashes raw bytes. */
  private static Optional<ByteSlice> ofHexDigits(ByteSlice property) {
    String text = new String(property.toByteArray(), StandardCharsets.US_ASCII);
    return property.length() == DIGEST_HEX_DIGITS && text.matches("[0-9a-f]*")
        ? Optional.of(ByteSlice.takeOver(HexFormat.of().parseHex(text)))
        : Optional.empty();
  }

  /** Checks 7 and 8: the kernel has the service VM's signer and is one that is known. */
  void checkKernel(List<KernelDigests> kernels) {
    if (!kernel().authorityHash().equals(own.leaf().authorityHash())) {
      throw ServiceVm.invalidChain("the client's kernel is signed with another key", null);
    }
    ByteSlice code = kernel().codeHash().orElse(ByteSlice.EMPTY);
    boolean normal = kernels.stream().anyMatch(known -> known.normalCodeHash().equals(code));
    boolean debug = kernels.stream().anyMatch(known -> known.debugCodeHash().equals(code));
    if (!normal && !debug) {
      throw ServiceVm.invalidChain("the client's kernel is not known", null);
    }
    if (!normal && isSecure()) {
      throw ServiceVm.invalidChain("a debuggable kernel calls itself normal", null);
    }
  }

  /** Whether every layer is in normal mode. */
  boolean isSecure() {
    return client.certificates().stream().allMatch(layer -> layer.mode() == DiceMode.NORMAL);
  }

  /** Check 10: the parts of the payload. */
  List<VmComponent> components() {
    try {
      return VmComponent.of(payload().config().orElseThrow());
    } catch (AttestationException e) {
      throw ServiceVm.invalidChain("list of the client's components", e);
    }
  }
}
