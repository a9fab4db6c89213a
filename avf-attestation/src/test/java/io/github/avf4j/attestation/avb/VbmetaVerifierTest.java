package io.github.avf4j.attestation.avb;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.avb.VbmetaVerifier.Status;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VbmetaVerifierTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "known_hash_sha256.vbmeta",
        "known_hashtree_sha1.vbmeta",
        "hashtree_sha256.vbmeta",
        "kernel_microdroid_style.vbmeta"
      })
  void acceptsWhatAvbtoolSigned(String name) {
    VbmetaVerifier.Result result = VbmetaVerifier.verify(Vectors.slice("avb/images/" + name));
    assertThat(result.status()).as(result.reason()).isEqualTo(Status.OK);
  }

  @ParameterizedTest
  @CsvSource({
    "0, INVALID_VBMETA_HEADER",
    "7, UNSUPPORTED_VERSION",
    "11, UNSUPPORTED_VERSION",
    "19, INVALID_VBMETA_HEADER",
    "12, INVALID_VBMETA_HEADER",
    "20, INVALID_VBMETA_HEADER",
    "32, INVALID_VBMETA_HEADER",
    "56, INVALID_VBMETA_HEADER",
    "64, INVALID_VBMETA_HEADER",
    "88, INVALID_VBMETA_HEADER",
    "175, INVALID_VBMETA_HEADER",
    "30, INVALID_VBMETA_HEADER",
    "47, INVALID_VBMETA_HEADER",
    "31, INVALID_VBMETA_HEADER",
    "119, HASH_MISMATCH",
    "200, HASH_MISMATCH",
    "256, HASH_MISMATCH",
    "300, SIGNATURE_MISMATCH",
    "900, HASH_MISMATCH",
  })
  void saysWhatLibavbSaysOfADamagedByte(int at, Status expected) {
    byte[] image = Vectors.bytes("avb/images/kernel_microdroid_style.vbmeta");
    image[at] ^= (byte) 0x84;
    assertThat(VbmetaVerifier.verify(ByteSlice.copyOf(image)).status()).isEqualTo(expected);
  }

  @Test
  void refusesEveryTruncation() {
    byte[] image = Vectors.bytes("avb/images/known_hash_sha256.vbmeta");
    for (int length = 0; length < image.length; length++) {
      assertThat(VbmetaVerifier.verify(ByteSlice.copyOf(Arrays.copyOf(image, length))).status())
          .isEqualTo(Status.INVALID_VBMETA_HEADER);
    }
  }

  @Test
  void tellsAnUnsignedImage() {
    assertThat(VbmetaVerifier.verify(new VbmetaBuilder().build()).status())
        .isEqualTo(Status.OK_NOT_SIGNED);
  }

  @Test
  void ignoresBytesAfterTheImage() {
    byte[] image = Vectors.bytes("avb/images/known_hash_sha256.vbmeta");
    byte[] longer = Arrays.copyOf(image, 65536);
    longer[60000] = 1;
    assertThat(VbmetaVerifier.verify(ByteSlice.copyOf(longer)).isOk()).isTrue();
  }
}
