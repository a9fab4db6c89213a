package io.github.avf4j.attestation.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNoException;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Vectors;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class AttestationExtensionTest {
  private static final byte[] VECTOR = Vectors.bytes("avf/attestation_extension_computed.der");
  private static final ByteSlice HASH = ByteSlice.takeOver(new byte[64]);

  private static VmComponent component(String name, BigInteger version) {
    return new VmComponent(name, version, HASH.slice(0, 32), HASH);
  }

  private static void assertRefused(byte[] der) {
    assertThatExceptionOfType(RemoteAttestationException.class)
        .isThrownBy(() -> AttestationExtension.decode(ByteSlice.copyOf(der)));
  }

  @Test
  void isTheVectorByteForByte() {
    AttestationExtension decoded = AttestationExtension.decode(ByteSlice.copyOf(VECTOR));
    assertThat(decoded.encode()).isEqualTo(VECTOR);
    assertThat(decoded.vmSecure()).isTrue();
    assertThat(decoded.challenge().toHex()).isEqualTo("b366fa7292322cd499cb001f0ee0c741");
    assertThat(decoded.components())
        .extracting(VmComponent::name)
        .containsExactly("apk:com.example.vm", "apex:com.android.virt");
    assertThat(decoded.components().get(1).securityVersion()).isEqualTo(350000000);
  }

  @Test
  void carriesVersionsOf64Bits() {
    BigInteger greatest = BigInteger.TWO.pow(64).subtract(BigInteger.ONE);
    AttestationExtension extension =
        new AttestationExtension(ByteSlice.EMPTY, false, List.of(component("apk:a", greatest)));
    assertThat(AttestationExtension.decode(ByteSlice.takeOver(extension.encode())))
        .isEqualTo(extension);
    assertThatExceptionOfType(RemoteAttestationException.class)
        .isThrownBy(() -> component("apk:a", greatest.add(BigInteger.ONE)));
    assertThatExceptionOfType(RemoteAttestationException.class)
        .isThrownBy(() -> component("apk:a", BigInteger.ONE.negate()));
  }

  @Test
  void refusesAComponentThatIsNamedTwice() {
    VmComponent one = component("apk:a", BigInteger.ONE);
    assertRefused(new AttestationExtension(ByteSlice.EMPTY, true, List.of(one, one)).encode());
  }

  @Test
  void refusesHashesOfOtherLengths() {
    for (int size : new int[] {0, 19, 65}) {
      VmComponent odd =
          new VmComponent("apk:a", BigInteger.ONE, ByteSlice.takeOver(new byte[size]), HASH);
      assertRefused(new AttestationExtension(ByteSlice.EMPTY, true, List.of(odd)).encode());
    }
  }

  @Test
  void refusesALongChallenge() {
    assertRefused(Der.sequence(Der.octets(new byte[65]), Der.bool(true), Der.sequence()));
    assertThatNoException()
        .isThrownBy(
            () ->
                AttestationExtension.decode(
                    ByteSlice.takeOver(
                        Der.sequence(Der.octets(new byte[64]), Der.bool(true), Der.sequence()))));
  }

  @Test
  void refusesWhatIsNotStrictDer() {
    byte[] challenge = Der.octets(new byte[1]);
    assertRefused(Der.sequence(challenge, new byte[] {1, 1, 1}, Der.sequence()));
    assertRefused(Der.sequence(challenge, Der.bool(true), Der.sequence(), Der.integer(1)));
    assertRefused(new byte[] {0x30, (byte) 0x80, 0, 0});
    assertRefused(new byte[] {0x30, (byte) 0x81, 5, 4, 0, 1, 1, 0});
    assertRefused(Arrays.copyOf(VECTOR, VECTOR.length + 1));
    for (int length = 0; length < VECTOR.length; length++) {
      assertRefused(Arrays.copyOf(VECTOR, length));
    }
  }
}
