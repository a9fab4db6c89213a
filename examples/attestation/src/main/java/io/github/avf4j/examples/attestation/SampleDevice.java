package io.github.avf4j.examples.attestation;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.dice.AndroidProfile;
import io.github.avf4j.attestation.dice.Cdis;
import io.github.avf4j.attestation.dice.ConfigDescriptor;
import io.github.avf4j.attestation.dice.DiceCertificateIssuer;
import io.github.avf4j.attestation.dice.DiceChainRules;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceInput;
import io.github.avf4j.attestation.dice.DiceKeys;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.dice.RkpInstance;
import io.github.avf4j.attestation.remote.AospRevision;
import io.github.avf4j.attestation.remote.ClientVmCsr;
import io.github.avf4j.attestation.remote.KernelDigests;
import io.github.avf4j.attestation.remote.MicrodroidPayload;
import io.github.avf4j.attestation.remote.ProvisioningAuthority;
import io.github.avf4j.attestation.remote.ProvisioningRequest;
import io.github.avf4j.attestation.remote.RequestRules;
import io.github.avf4j.attestation.remote.RkpKeys;
import io.github.avf4j.attestation.remote.RkpVmCsr;
import io.github.avf4j.attestation.remote.ServiceVm;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A device that starts a service VM and a machine with a payload. Its images are made of words; the
 * chains, keys and certificates are real.
 */
final class SampleDevice implements AutoCloseable {
  private static final DiceCertificateIssuer ISSUER =
      DiceCertificateIssuer.of(AndroidProfile.ANDROID_16);
  private static final ByteSlice KERNEL_KEY = hash("key of the kernel");
  private static final KernelDigests KERNEL =
      new KernelDigests(
          hash("kernel").slice(0, 32),
          hash("ramdisk").slice(0, 32),
          hash("ramdisk for debugging").slice(0, 32));

  private final DiceHandover firmware;
  private final DiceHandover serviceVm;
  private final RkpKeys rkpKeys;
  private final ByteSlice keyBlob;
  private final ByteSlice rkpCertificate;

  /** Starts a service VM and has it provisioned. */
  SampleDevice(ProvisioningAuthority authority, Instant now) {
    byte[] random = new byte[32];
    new SecureRandom().nextBytes(random);
    try (SecretBytes uds = SecretBytes.takeOver(random);
        DiceHandover root = DiceHandover.of(Cdis.ofUniqueDeviceSecret(uds), null);
        DiceHandover loader = root.next(layer(config("boot loader"), "boot loader"), ISSUER)) {
      firmware = loader.next(layer(config("pvmfw").rkpVmMarker(), "pvmfw"), ISSUER);
    }
    serviceVm =
        firmware.next(
            kernelLayer(config("vm_entry").rkpVmMarker(), hash("service VM"), DiceMode.NORMAL),
            ISSUER);
    rkpKeys = new RkpKeys(serviceVm.cdis().seal());
    RkpKeys.KeyPair pair = rkpKeys.generate();
    keyBlob = pair.blob();
    provisioningServerAccepts(pair, now);
    rkpCertificate =
        authority.certify(
            rkpKeys.openMaced(pair.macedPublicKey()), "sample device", now, Duration.ofDays(30));
  }

  /** What the provisioning server looks at before it certifies a key. */
  private void provisioningServerAccepts(RkpKeys.KeyPair pair, Instant now) {
    ByteSlice challenge = ByteSlice.copyOf(new byte[] {1, 2, 3, 4});
    try (CosePrivateKey leafKey = leafKey(serviceVm)) {
      ByteSlice request =
          RkpVmCsr.make(
              serviceVm.chain().orElseThrow(),
              leafKey,
              rkpKeys,
              List.of(pair.macedPublicKey()),
              challenge,
              AospRevision.MARCH_2025);
      ProvisioningRequest.verify(
          request,
          RequestRules.of(DiceChainRules.DEFAULT.withInstance(RkpInstance.AVF), now)
              .withChallenge(challenge));
    }
  }

  /**
   * Boots a machine whose payload asks to be attested. The caller closes the key.
   *
   * @return certificates, the leaf first
   */
  List<ByteSlice> attest(
      MicrodroidPayload payload, DiceMode mode, CosePrivateKey key, ByteSlice challenge) {
    ByteSlice code = mode == DiceMode.NORMAL ? KERNEL.normalCodeHash() : KERNEL.debugCodeHash();
    ConfigDescriptor.Builder entry =
        config("vm_entry").put(-71003, CborValue.of(hash("instance of the machine")));
    try (DiceHandover kernel = firmware.next(kernelLayer(entry, code, mode), ISSUER);
        DiceHandover machine = kernel.next(payload.input(mode, new byte[64]), ISSUER);
        CosePrivateKey leafKey = leafKey(machine)) {
      ByteSlice request = ClientVmCsr.make(machine.chain().orElseThrow(), leafKey, key, challenge);
      ByteSlice leaf =
          ServiceVm.builder(serviceVm.chain().orElseThrow())
              .kernel(KERNEL)
              .build()
              .attest(request, rkpKeys, keyBlob, rkpCertificate);
      return List.of(leaf, rkpCertificate);
    }
  }

  private static ConfigDescriptor.Builder config(String name) {
    return ConfigDescriptor.builder().componentName(name).securityVersion(1);
  }

  private static DiceInput layer(ConfigDescriptor.Builder config, String code) {
    return DiceInput.builder()
        .config(config.build())
        .codeHash(hash(code))
        .authorityHash(hash("key of the vendor"))
        .mode(DiceMode.NORMAL)
        .build();
  }

  private static DiceInput kernelLayer(
      ConfigDescriptor.Builder config, ByteSlice code, DiceMode mode) {
    return DiceInput.builder()
        .config(config.build())
        .codeHash(code)
        .authorityHash(KERNEL_KEY)
        .mode(mode)
        .build();
  }

  private static CosePrivateKey leafKey(DiceHandover handover) {
    return DiceKeys.keyPair(CoseAlgorithm.ED25519, handover.cdis().attest());
  }

  /** SHA-512 of a text, which stands for an image or a key. */
  static ByteSlice hash(String text) {
    try {
      return ByteSlice.takeOver(
          MessageDigest.getInstance("SHA-512").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java runtime has no SHA-512", e);
    }
  }

  @Override
  public void close() {
    rkpKeys.close();
    serviceVm.close();
    firmware.close();
  }
}
