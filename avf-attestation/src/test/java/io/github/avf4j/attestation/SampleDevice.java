package io.github.avf4j.attestation;

import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.dice.AndroidProfile;
import io.github.avf4j.attestation.dice.Cdis;
import io.github.avf4j.attestation.dice.ConfigDescriptor;
import io.github.avf4j.attestation.dice.DiceCertificateIssuer;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceInput;
import io.github.avf4j.attestation.dice.DiceKeys;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.internal.Digests;
import io.github.avf4j.attestation.remote.AospRevision;
import io.github.avf4j.attestation.remote.KernelDigests;
import io.github.avf4j.attestation.remote.MicrodroidPayload;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A device with firmware, a service VM and client VMs, all made of text. */
public final class SampleDevice {
  public static final ByteSlice KERNEL_KEY = hash("key of the kernel");
  public static final KernelDigests KERNEL =
      new KernelDigests(
          hash("kernel").slice(0, 32),
          hash("normal ramdisk").slice(0, 32),
          hash("debug ramdisk").slice(0, 32));
  public static final ByteSlice CERT_HASH = hash("certificate of the APK");

  private static final DiceCertificateIssuer ISSUER =
      DiceCertificateIssuer.of(AndroidProfile.ANDROID_16);

  private final DiceHandover firmware;

  public SampleDevice(String name) {
    byte[] uds = Arrays.copyOf(hash(name).toByteArray(), 32);
    Cdis first = Cdis.ofUniqueDeviceSecret(SecretBytes.takeOver(uds));
    DiceHandover loader =
        DiceHandover.of(first, null)
            .next(layer(config("ABL", 1), "loader", "vendor").build(), ISSUER);
    this.firmware =
        loader.next(layer(config("pvmfw", 1).rkpVmMarker(), "pvmfw", "vendor").build(), ISSUER);
  }

  public static ByteSlice hash(String text) {
    return ByteSlice.takeOver(Digests.sha512(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static ConfigDescriptor.Builder config(String name, int version) {
    return ConfigDescriptor.builder().componentName(name).securityVersion(version);
  }

  private static DiceInput.Builder layer(
      ConfigDescriptor.Builder config, String code, String authority) {
    return DiceInput.builder()
        .codeHash(hash(code))
        .config(config.build())
        .authorityHash(hash(authority))
        .mode(DiceMode.NORMAL);
  }

  /** What the firmware hands to a kernel. */
  public DiceHandover firmware() {
    return firmware;
  }

  /** The service VM, whose chain ends with its kernel. */
  public DiceHandover serviceVm() {
    return firmware.next(
        layer(config("vm_entry", 1).rkpVmMarker(), "service VM", "unused")
            .authorityHash(KERNEL_KEY)
            .build(),
        ISSUER);
  }

  /** A client VM with a kernel of a version, and a payload of a version. */
  public DiceHandover clientVm(String instance, int kernelVersion, long apkVersion) {
    return clientVm(instance, kernelVersion, apkVersion, DiceMode.NORMAL);
  }

  public DiceHandover clientVm(String instance, int kernelVersion, long apkVersion, DiceMode mode) {
    ByteSlice code = mode == DiceMode.DEBUG ? KERNEL.debugCodeHash() : KERNEL.normalCodeHash();
    ConfigDescriptor.Builder kernel =
        config("vm_entry", kernelVersion).put(-71003, CborValue.of(hash(instance)));
    DiceHandover booted =
        firmware.next(
            layer(kernel, "", "")
                .codeHash(code)
                .authorityHash(KERNEL_KEY)
                .mode(mode)
                .hidden(hash(instance).toByteArray())
                .build(),
            ISSUER);
    return booted.next(payload(apkVersion).input(mode, new byte[64]), ISSUER);
  }

  public static MicrodroidPayload payload(long apkVersion) {
    return MicrodroidPayload.ofBinaryName(AospRevision.MARCH_2025, "libmain.so")
        .apk("com.example.vm", apkVersion, hash("apk" + apkVersion).slice(0, 32), CERT_HASH)
        .apex("com.android.virt", 350000000, hash("apex").slice(0, 32), hash("key of the apex"))
        .build();
  }

  public static DiceChain chain(DiceHandover handover) {
    return handover.chain().orElseThrow();
  }

  public static CosePrivateKey leafKey(DiceHandover handover) {
    return DiceKeys.keyPair(CoseAlgorithm.ED25519, handover.cdis().attest());
  }
}
