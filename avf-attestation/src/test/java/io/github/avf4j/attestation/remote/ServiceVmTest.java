package io.github.avf4j.attestation.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SampleDevice;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.dice.AndroidProfile;
import io.github.avf4j.attestation.dice.ConfigDescriptor;
import io.github.avf4j.attestation.dice.DiceCertificateIssuer;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceChainRules;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceInput;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.internal.Digests;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServiceVmTest {
  private static final ByteSlice CHALLENGE = ByteSlice.ofHex("c0ffee");
  private static final SampleDevice DEVICE = new SampleDevice("device");
  private static final DiceChain OWN = SampleDevice.chain(DEVICE.serviceVm());

  private final CosePrivateKey attestationKey = ClientVmCsr.generateAttestationKey();

  private static ServiceVm.Builder service() {
    return ServiceVm.builder(OWN).kernel(SampleDevice.KERNEL);
  }

  private ByteSlice request(DiceHandover machine) {
    try (CosePrivateKey leafKey = SampleDevice.leafKey(machine)) {
      return ClientVmCsr.make(SampleDevice.chain(machine), leafKey, attestationKey, CHALLENGE);
    }
  }

  private RequestProcessingError refusal(ServiceVm service, DiceHandover machine) {
    ByteSlice request = request(machine);
    return catchThrowableOfType(ServiceVmException.class, () -> service.check(request)).error();
  }

  /** A machine whose layers after the firmware are as a test wants. */
  private static DiceHandover machine(DiceInput... layers) {
    DiceHandover handover = DEVICE.firmware();
    for (DiceInput layer : layers) {
      handover = handover.next(layer, DiceCertificateIssuer.of(AndroidProfile.ANDROID_16));
    }
    return handover;
  }

  private static DiceInput.Builder layer(String name, ByteSlice code, ByteSlice authority) {
    return DiceInput.builder()
        .config(ConfigDescriptor.builder().componentName(name).securityVersion(1).build())
        .codeHash(code)
        .authorityHash(authority)
        .mode(DiceMode.NORMAL);
  }

  private static DiceInput kernel() {
    return layer("vm_entry", SampleDevice.KERNEL.normalCodeHash(), SampleDevice.KERNEL_KEY).build();
  }

  private static DiceInput payload() {
    return SampleDevice.payload(7).input(DiceMode.NORMAL, new byte[64]);
  }

  @Test
  void acceptsAClientOfItsDevice() {
    ClientVm client = service().build().check(request(DEVICE.clientVm("a", 1, 7)));
    assertThat(client.secure()).isTrue();
    assertThat(client.challenge()).isEqualTo(CHALLENGE);
    assertThat(client.publicKey()).isEqualTo(attestationKey.publicKey());
    assertThat(client.components()).isEqualTo(SampleDevice.payload(7).components());
    assertThat(
            service()
                .chainRules(DiceChainRules.DEFAULT.withDerivedIds(true))
                .build()
                .check(request(DEVICE.clientVm("a", 1, 7)))
                .secure())
        .isTrue();
  }

  @Test
  void reportsADebuggableClientAndDoesNotRefuseIt() {
    DiceHandover machine = DEVICE.clientVm("a", 1, 7, DiceMode.DEBUG);
    assertThat(service().build().check(request(machine)).secure()).isFalse();
  }

  @Test
  void refusesADebugKernelThatCallsItselfNormal() {
    DiceInput lying =
        layer("vm_entry", SampleDevice.KERNEL.debugCodeHash(), SampleDevice.KERNEL_KEY).build();
    assertThat(refusal(service().build(), machine(lying, payload())))
        .isEqualTo(RequestProcessingError.INVALID_DICE_CHAIN);
  }

  @Test
  void refusesAClientOfAnotherDevice() {
    assertThat(refusal(service().build(), new SampleDevice("other").clientVm("a", 1, 7)))
        .isEqualTo(RequestProcessingError.INVALID_DICE_CHAIN);
  }

  @Test
  void refusesChainsOfOtherLengths() {
    assertThat(refusal(service().build(), machine(kernel())))
        .isEqualTo(RequestProcessingError.INVALID_DICE_CHAIN);
    assertThat(refusal(service().build(), machine(kernel(), kernel(), kernel(), payload())))
        .isEqualTo(RequestProcessingError.INVALID_DICE_CHAIN);
  }

  @Test
  void refusesUnknownKernelsSignersAndNames() {
    ByteSlice other = SampleDevice.hash("other");
    DiceInput unknown = layer("vm_entry", other, SampleDevice.KERNEL_KEY).build();
    DiceInput otherSigner = layer("vm_entry", SampleDevice.KERNEL.normalCodeHash(), other).build();
    DiceInput otherName =
        layer("kernel", SampleDevice.KERNEL.normalCodeHash(), SampleDevice.KERNEL_KEY).build();
    DiceInput otherPayload = layer("payload", other, other).build();
    for (DiceHandover machine :
        List.of(
            machine(unknown, payload()),
            machine(otherSigner, payload()),
            machine(otherName, payload()),
            machine(kernel(), otherPayload))) {
      assertThat(refusal(service().build(), machine))
          .isEqualTo(RequestProcessingError.INVALID_DICE_CHAIN);
    }
    assertThat(refusal(ServiceVm.builder(OWN).build(), machine(kernel(), payload())))
        .isEqualTo(RequestProcessingError.INVALID_DICE_CHAIN);
  }

  @Test
  void comparesTheVendorPartitionRawAndInHexDigits() {
    ByteSlice digest = SampleDevice.hash("vendor").slice(0, 32);
    ByteSlice hex = ByteSlice.takeOver(digest.toHex().getBytes(StandardCharsets.US_ASCII));
    ByteSlice code = ByteSlice.takeOver(Digests.sha2(64, digest));
    DiceHandover machine =
        machine(
            kernel(), layer("Microdroid vendor", code, SampleDevice.hash("v")).build(), payload());
    assertThat(service().vendorRootDigest(digest).build().check(request(machine)).secure())
        .isTrue();
    assertThat(service().vendorRootDigest(hex).build().check(request(machine)).secure()).isTrue();
    assertThat(refusal(service().build(), machine))
        .isEqualTo(RequestProcessingError.NO_VENDOR_HASH_TREE_ROOT_DIGEST_IN_DT);
    assertThat(refusal(service().vendorRootDigest(SampleDevice.hash("x")).build(), machine))
        .isEqualTo(RequestProcessingError.INVALID_VENDOR_PARTITION);
  }

  @Test
  void refusesComponentsWithAnUnknownField() {
    ConfigDescriptor config =
        ConfigDescriptor.builder()
            .componentName(MicrodroidPayload.COMPONENT_NAME)
            .put(
                -71002,
                io.github.avf4j.attestation.cbor.CborArray.of(
                    io.github.avf4j.attestation.cbor.CborMap.builder()
                        .put(1, CborValue.of("apk:a"))
                        .put(2, CborValue.of(1))
                        .put(3, CborValue.of(new byte[32]))
                        .put(5, CborValue.of(new byte[64]))
                        .build()))
            .build();
    DiceInput odd =
        DiceInput.builder()
            .config(config)
            .codeHash(SampleDevice.hash("a"))
            .authorityHash(SampleDevice.hash("a"))
            .mode(DiceMode.NORMAL)
            .build();
    assertThat(refusal(service().build(), machine(kernel(), odd)))
        .isEqualTo(RequestProcessingError.INVALID_DICE_CHAIN);
  }

  @Test
  void refusesARequestThatAnotherKeySigned() {
    DiceHandover machine = DEVICE.clientVm("a", 1, 7);
    ByteSlice forged;
    try (CosePrivateKey wrong = SampleDevice.leafKey(DEVICE.clientVm("b", 1, 7))) {
      forged = ClientVmCsr.make(SampleDevice.chain(machine), wrong, attestationKey, CHALLENGE);
    }
    assertThat(
            catchThrowableOfType(ServiceVmException.class, () -> service().build().check(forged))
                .error())
        .isEqualTo(RequestProcessingError.COSET_ERROR);
  }

  @Test
  void needsAChainOfItsOwn() {
    DiceChain tooShort =
        SampleDevice.chain(
            DiceHandover.of(
                    io.github.avf4j.attestation.dice.Cdis.ofUniqueDeviceSecret(
                        io.github.avf4j.attestation.SecretBytes.takeOver(new byte[32])),
                    null)
                .next(kernel(), DiceCertificateIssuer.NO_PROFILE));
    assertThat(
            refusal(
                ServiceVm.builder(tooShort).kernel(SampleDevice.KERNEL).build(),
                DEVICE.clientVm("a", 1, 7)))
        .isEqualTo(RequestProcessingError.INTERNAL_ERROR);
  }

  @Test
  void opensItsOwnKeyBlobsAlone() {
    DiceHandover own = DEVICE.serviceVm();
    try (RkpKeys keys = new RkpKeys(own.cdis().seal());
        RkpKeys others = new RkpKeys(DEVICE.clientVm("a", 1, 7).cdis().seal())) {
      RkpKeys.KeyPair pair = keys.generate();
      try (CosePrivateKey opened = keys.openBlob(pair.blob())) {
        assertThat(opened.publicKey()).isEqualTo(keys.openMaced(pair.macedPublicKey()));
      }
      assertThat(
              catchThrowableOfType(ServiceVmException.class, () -> others.openBlob(pair.blob()))
                  .error())
          .isEqualTo(RequestProcessingError.FAILED_TO_DECRYPT_KEY_BLOB);
      assertThat(
              catchThrowableOfType(
                      ServiceVmException.class, () -> others.openMaced(pair.macedPublicKey()))
                  .error())
          .isEqualTo(RequestProcessingError.INVALID_MAC);
    }
  }

  @Test
  void issuesACertificateThatOpensslAndTheJdkVerify(@TempDir Path directory) throws Exception {
    CosePrivateKey rootKey = ClientVmCsr.generateAttestationKey();
    CosePrivateKey rkpKey = ClientVmCsr.generateAttestationKey();
    Instant now = Instant.now();
    ProvisioningAuthority authority =
        ProvisioningAuthority.create("Root", rootKey, now, Duration.ofDays(36500));
    ByteSlice root = authority.certificate();
    ByteSlice rkp = authority.certify(rkpKey.publicKey(), "RKP", now, Duration.ofDays(30));
    ByteSlice leaf = service().build().attest(request(DEVICE.clientVm("a", 1, 7)), rkpKey, rkp);

    X509Certificate certificate = X509Certificate.decode(leaf);
    assertThat(certificate.commonName()).hasValue("Android Protected Virtual Machine Key");
    assertThat(certificate.extensions()).containsOnlyKeys(AttestationExtension.OID);
    assertThat(certificate.extension(AttestationExtension.OID).orElseThrow().critical()).isFalse();
    assertThat(certificate.validity()).isEqualTo(X509Certificate.decode(rkp).validity());

    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    var jdkRkp = factory.generateCertificate(new java.io.ByteArrayInputStream(rkp.toByteArray()));
    var jdkLeaf =
        (java.security.cert.X509Certificate)
            factory.generateCertificate(new java.io.ByteArrayInputStream(leaf.toByteArray()));
    jdkLeaf.verify(jdkRkp.getPublicKey());
    assertThat(jdkLeaf.getSigAlgName()).isEqualTo("SHA256withECDSA");

    Path rootFile = Files.writeString(directory.resolve("root.pem"), pem(root));
    Path rkpFile = Files.writeString(directory.resolve("rkp.pem"), pem(rkp));
    Path leafFile = Files.writeString(directory.resolve("leaf.pem"), pem(leaf));
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/openssl")), "openssl is not installed");
    Process openssl =
        new ProcessBuilder(
                "/usr/bin/openssl",
                "verify",
                "-CAfile",
                rootFile.toString(),
                "-untrusted",
                rkpFile.toString(),
                leafFile.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(openssl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(openssl.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(output).isEqualTo(leafFile + ": OK\n");
  }

  private static String pem(ByteSlice certificate) {
    return "-----BEGIN CERTIFICATE-----\n"
        + Base64.getMimeEncoder().encodeToString(certificate.toByteArray())
        + "\n-----END CERTIFICATE-----\n";
  }

  @Test
  void takesARealProvisionedCertificateAsIssuer() {
    ByteSlice real = CertificateFiles.read(Vectors.bytes("avf/rkp_cert_chain.der")).get(0);
    ByteSlice leaf =
        service()
            .build()
            .attest(
                request(DEVICE.clientVm("a", 1, 7)), ClientVmCsr.generateAttestationKey(), real);
    assertThat(X509Certificate.decode(leaf).issuer())
        .isEqualTo(X509Certificate.decode(real).subject());
    assertThat(
            catchThrowableOfType(
                    ServiceVmException.class,
                    () ->
                        service()
                            .build()
                            .attest(
                                request(DEVICE.clientVm("a", 1, 7)),
                                attestationKey,
                                ByteSlice.takeOver(Arrays.copyOf(real.toByteArray(), 99))))
                .error())
        .isEqualTo(RequestProcessingError.DER_ERROR);
  }
}
