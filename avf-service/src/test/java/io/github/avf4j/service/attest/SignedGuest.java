package io.github.avf4j.service.attest;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.avb.AvbAlgorithm;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.HashDescriptor;
import io.github.avf4j.attestation.avb.HashFooter;
import io.github.avf4j.attestation.avb.PropertyDescriptor;
import io.github.avf4j.attestation.avb.VbmetaBuilder;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.dice.AndroidProfile;
import io.github.avf4j.attestation.dice.DiceCertificateIssuer;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceKeys;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.pvmfw.NextHandover;
import io.github.avf4j.attestation.remote.AospRevision;
import io.github.avf4j.attestation.remote.ClientVmCsr;
import io.github.avf4j.attestation.remote.MicrodroidPayload;
import io.github.avf4j.attestation.seal.DeviceSecret;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.VerityHash;
import io.github.avf4j.microdroid.base.BaseImage;
import io.github.avf4j.microdroid.base.DevelopmentKey;
import io.github.avf4j.microdroid.base.HostFirmware;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** A base image that verifies and cannot run, the same bytes each time, and guests of it. */
public final class SignedGuest {
  static final String APK = "apk:com.example.vault";
  public static final ByteSlice SIGNER = hash("certificate of the developer");
  static final DiceCertificateIssuer ISSUER = DiceCertificateIssuer.of(AndroidProfile.ANDROID_16);

  private SignedGuest() {}

  public static BaseImage image(Path folder, int seed) throws IOException {
    return image(folder, seed, DevelopmentKey.signer());
  }

  static BaseImage image(Path folder, int seed, AvbSigner signer) throws IOException {
    BaseImage image = new BaseImage(Files.createDirectories(folder));
    Files.write(image.kernel(), random(seed, 300_000));
    Files.write(image.initrd(false), random(seed + 1, 5000));
    Files.write(image.initrd(true), random(seed + 2, 5000));
    HashFooter.forPartition("boot")
        .salt(salt("boot"))
        .addTo(
            image.kernel(),
            new VbmetaBuilder()
                .signedBy(signer, AvbAlgorithm.SHA256_RSA4096)
                .rollbackIndex(2)
                .add(describe("initrd_normal", image.initrd(false)))
                .add(describe("initrd_debug", image.initrd(true)))
                .add(PropertyDescriptor.of("com.android.virt.cap", "secretkeeper_protection")));
    return image;
  }

  private static HashDescriptor describe(String partition, Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return HashFooter.forPartition(partition)
          .salt(salt(partition))
          .describe(ImageSource.of(channel));
    }
  }

  private static ByteSlice salt(String partition) {
    return hash(partition).slice(0, 32);
  }

  private static byte[] random(int seed, int size) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  public static ByteSlice hash(String text) {
    return ByteSlice.takeOver(
        VerityHash.SHA512.newDigest().digest(text.getBytes(StandardCharsets.UTF_8)));
  }

  public static HostFirmware firmware(int secret) {
    return firmware(secret, DevelopmentKey.publicKey());
  }

  static HostFirmware firmware(int secret, AvbPublicKey trusted) {
    DeviceSecret device =
        new DeviceSecret() {
          @Override
          public String description() {
            return "test";
          }

          @Override
          public SecretBytes secret() {
            byte[] bytes = new byte[SIZE];
            Arrays.fill(bytes, (byte) secret);
            return SecretBytes.takeOver(bytes);
          }
        };
    return new HostFirmware(device, List.of(trusted));
  }

  /** What the firmware hands to a guest; the caller closes it. */
  static NextHandover boot(HostFirmware firmware, BaseImage image, boolean debuggable) {
    ByteSlice id = hash("instance");
    return firmware.boot(image, new HostFirmware.Instance(debuggable, id, true, null));
  }

  public static MicrodroidPayload payload(ByteSlice signer) {
    return MicrodroidPayload.ofBinaryName(AospRevision.MARCH_2025, "libvault.so")
        .apk("com.example.vault", 7, hash("content of version 7").slice(0, 32), signer)
        .build();
  }

  /** The handover behind the payload's layer; the caller closes it. */
  public static DiceHandover guest(
      HostFirmware firmware, BaseImage image, MicrodroidPayload payload) {
    try (NextHandover next = boot(firmware, image, false)) {
      byte[] hidden = hash("instance").toByteArray();
      return next.handover().next(payload.input(DiceMode.NORMAL, hidden), ISSUER);
    }
  }

  /** What the last layer of a guest asks for. */
  static byte[] request(DiceHandover guest, CosePrivateKey key, ByteSlice challenge) {
    try (CosePrivateKey leaf =
        DiceKeys.keyPair(
            guest.chain().orElseThrow().leaf().subjectPublicKey().algorithm(),
            guest.cdis().attest())) {
      return ClientVmCsr.make(guest.chain().orElseThrow(), leaf, key, challenge).toByteArray();
    }
  }
}
