package io.github.avf4j.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.payload.PayloadServiceException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.Signature;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The key and its certificate are openssl's, the key in the form of SEC 1. */
class AttestationTest {
  private static byte[] resource(String name) throws IOException {
    try (InputStream in = AttestationTest.class.getResourceAsStream("/attestation/" + name)) {
      return in.readAllBytes();
    }
  }

  private static ByteBuffer fields(byte[] key, byte[]... certificates) {
    ByteBuffer fields = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
    fields.putInt(key.length).put(key).putInt(certificates.length);
    for (byte[] certificate : certificates) {
      fields.putInt(certificate.length).put(certificate);
    }
    return fields.flip();
  }

  @Test
  void signsWhatTheCertificateVerifies() throws Exception {
    byte[] certificate = resource("certificate.der");
    ByteBuffer fields = fields(resource("key.der"), certificate, certificate);
    Attestation attestation = Attestation.parse(fields);
    assertThat(attestation.certificates()).hasSize(2);
    assertThat(attestation.certificates().get(0).getEncoded()).isEqualTo(certificate);
    Signature verifier = Signature.getInstance("SHA256withECDSA");
    verifier.initVerify(attestation.certificates().get(0));
    verifier.update(new byte[] {1, 2, 3});
    assertThat(verifier.verify(attestation.sign(new byte[] {1, 2, 3}))).isTrue();
    assertThat(fields.array()).as("overwritten").containsOnly(0);
  }

  @Test
  void refusesEveryPartOfAnAnswer() throws Exception {
    ByteBuffer whole = fields(resource("key.der"), resource("certificate.der"));
    byte[] bytes = Arrays.copyOf(whole.array(), whole.limit());
    for (int length = 0; length < bytes.length; length++) {
      assertRefused(Arrays.copyOf(bytes, length));
    }
    assertRefused(Arrays.copyOf(bytes, bytes.length + 1));
  }

  @Test
  void refusesWhatIsNoKeyOrCertificate() throws Exception {
    byte[] key = resource("key.der");
    byte[] certificate = resource("certificate.der");
    assertRefused(fields(new byte[0], certificate));
    assertRefused(fields(certificate, certificate));
    assertRefused(fields(key));
    assertRefused(fields(key, key));
    assertRefused(fields(key, new byte[0]));
    assertRefused(fields(key, new byte[65][0]));
  }

  private static void assertRefused(ByteBuffer fields) {
    assertRefused(Arrays.copyOf(fields.array(), fields.limit()));
  }

  private static void assertRefused(byte[] fields) {
    ByteBuffer copy = ByteBuffer.wrap(fields.clone()).order(ByteOrder.LITTLE_ENDIAN);
    assertThatThrownBy(() -> Attestation.parse(copy))
        .isInstanceOfSatisfying(
            PayloadServiceException.class, e -> assertThat(e.reason()).isEqualTo(Reason.PROTOCOL));
  }
}
