package io.github.avf4j.benchmarks;

import io.github.avf4j.attestation.avb.AvbAlgorithm;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.HashFooter;
import io.github.avf4j.attestation.avb.ImageReport;
import io.github.avf4j.attestation.avb.ImageVerifier;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import io.github.avf4j.attestation.avb.SlotVerification;
import io.github.avf4j.attestation.avb.SlotVerifier;
import io.github.avf4j.attestation.avb.VbmetaBuilder;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.util.Base64;
import java.util.Optional;
import java.util.Set;

/**
 * AVB verification of a kernel of 64 MiB with a hash descriptor and a signed footer, against
 * reading the same file and hashing it with SHA-256; the slower of an image's and a slot's verifier
 * counts.
 */
final class AttestationAvb implements Benchmark {
  private static final int ROUNDS = 31;
  private static final int WARM_UP = 5;
  private static final long SIZE = 64L << 20;
  private static final String PARTITION = "boot";

  @Override
  public String name() {
    return "attestation.avb";
  }

  @Override
  public Result measure() throws Exception {
    Samples plain = new Samples();
    Samples image = new Samples();
    Samples slot = new Samples();
    AvbSigner signer = signer();
    try (TemporaryFolder folder = new TemporaryFolder(SIZE)) {
      Path kernel = folder.random(PARTITION + ".img", SIZE);
      HashFooter.forPartition(PARTITION)
          .addTo(kernel, new VbmetaBuilder().signedBy(signer, AvbAlgorithm.SHA256_RSA4096));
      for (int round = -WARM_UP; round < ROUNDS; round++) {
        double baseline = PlainSha256.seconds(kernel, SIZE);
        long start = System.nanoTime();
        verifyImage(kernel, signer);
        long middle = System.nanoTime();
        verifySlot(kernel, signer);
        long end = System.nanoTime();
        if (round >= 0) {
          plain.add(baseline * 1e3);
          image.add((middle - start) / 1e6);
          slot.add((end - middle) / 1e6);
        }
      }
    }
    double slower = Math.max(image.median(), slot.median());
    return new Result(
        name(), slower, "ms", plain.median(), "at most 1.10 (reading and hashing the file)");
  }

  private static void verifyImage(Path kernel, AvbSigner signer) throws IOException {
    ImageReport report = new ImageVerifier().expectedKey(signer.publicKey()).verify(kernel);
    if (!report.isOk()) {
      throw new IllegalStateException("the image does not verify: " + report.decisive());
    }
  }

  private static void verifySlot(Path kernel, AvbSigner signer) throws IOException {
    try (FileChannel file = FileChannel.open(kernel)) {
      ImageSource source = ImageSource.of(file);
      SlotVerification result =
          SlotVerifier.of(
                  name -> name.equals(PARTITION) ? Optional.of(source) : Optional.empty(),
                  (key, metadata) -> key.equals(signer.publicKey().blob()))
              .verify(Set.of(PARTITION));
      if (!result.isOk() || result.partitions().size() != 1) {
        throw new IllegalStateException("the slot does not verify: " + result.reason());
      }
    }
  }

  private static AvbSigner signer() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(AvbAlgorithm.SHA256_RSA4096.keyBits());
    byte[] key = generator.generateKeyPair().getPrivate().getEncoded();
    String pem =
        "-----BEGIN PRIVATE KEY-----\n"
            + Base64.getMimeEncoder().encodeToString(key)
            + "\n-----END PRIVATE KEY-----\n";
    return RsaKeyFile.signer(pem.getBytes(StandardCharsets.US_ASCII));
  }
}
