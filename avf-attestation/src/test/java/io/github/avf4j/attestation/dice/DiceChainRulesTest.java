package io.github.avf4j.attestation.dice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborInteger;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.dice.TestChain.Layer;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One rule of hwtrust at a time, on chains made for it. */
class DiceChainRulesTest {
  private static final DiceChainRules DEFAULT = DiceChainRules.DEFAULT;
  private static final DiceChainRules VSR_13 = DiceChainRules.vsr(13);
  private static final Consumer<Layer> GOOD = layer -> {};

  private static VerifiedDiceChain accepts(TestChain chain, DiceChainRules rules) {
    return chain.build().verify(rules);
  }

  private static void refuses(
      TestChain chain, DiceChainRules rules, DiceRule rule, int certificate) {
    DiceException e = catchThrowableOfType(DiceException.class, () -> chain.build().verify(rules));
    assertThat(e).as("chain was accepted").isNotNull();
    assertThat(e.rule()).as(e.getMessage()).isEqualTo(rule);
    assertThat(e.certificate().orElse(-1)).isEqualTo(certificate);
  }

  private static TestChain first(Consumer<Layer> change) {
    return new TestChain().add(change);
  }

  private static TestChain second(Consumer<Layer> change) {
    return new TestChain().add(GOOD).add(change);
  }

  @Test
  void acceptsAChainThatSatisfiesEveryRule() {
    DiceChainRules strict =
        DEFAULT
            .withProfiles(AndroidProfile.ANDROID_16, AndroidProfile.ANDROID_16)
            .withDerivedIds(true);
    assertThat(accepts(second(GOOD), strict).warnings()).isEmpty();
  }

  @Test
  void acceptsAChainOfDifferentAlgorithms() {
    accepts(
        new TestChain(CoseAlgorithm.ES256)
            .add(CoseAlgorithm.ED25519, GOOD)
            .add(CoseAlgorithm.ES384, GOOD)
            .add(CoseAlgorithm.ES256, GOOD),
        DEFAULT);
  }

  @Test
  void acceptsMlDsaOnlyWhereTheProfileHasIt() {
    DiceChainRules newest =
        DEFAULT.withProfiles(AndroidProfile.ANDROID_14, AndroidProfile.ANDROID_18);
    Consumer<Layer> eighteen = layer -> layer.profile("android.18");
    TestChain chain =
        new TestChain(CoseAlgorithm.ML_DSA_65)
            .add(CoseAlgorithm.ML_DSA_87, eighteen)
            .add(CoseAlgorithm.ML_DSA_65, eighteen);
    accepts(chain, newest);
    refuses(chain, DEFAULT, DiceRule.KEY, -1);
    refuses(first(GOOD).add(CoseAlgorithm.ML_DSA_65, GOOD), newest, DiceRule.KEY, 1);
  }

  // Profile

  @Test
  void takesAMissingProfileNameForTheOldestProfile() {
    Consumer<Layer> none =
        layer -> layer.remove(DiceLabels.PROFILE_NAME).remove(DiceLabels.CONFIG_HASH);
    accepts(second(none), DEFAULT);
    accepts(new TestChain().add(none).add(none), VSR_13);
    refuses(
        second(none),
        DEFAULT.withProfiles(AndroidProfile.ANDROID_15, AndroidProfile.ANDROID_16),
        DiceRule.PROFILE,
        1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"android.13", "android.17", "android.18", "opendice.example", ""})
  void refusesProfilesThatAreUnknownOrOutOfRange(String name) {
    refuses(second(layer -> layer.profile(name)), DEFAULT, DiceRule.PROFILE, 1);
  }

  @Test
  void refusesAProfileNewerThanTheRange() {
    refuses(first(GOOD), DiceChainRules.vsr(15), DiceRule.PROFILE, 0);
  }

  @Test
  void warnsOfProfilesThatFall() {
    VerifiedDiceChain verified = accepts(second(layer -> layer.profile("android.14")), DEFAULT);
    assertThat(verified.warnings()).extracting(DiceWarning::rule).containsExactly(DiceRule.PROFILE);
  }

  // Fields

  @ParameterizedTest
  @ValueSource(
      longs = {
        DiceLabels.ISSUER,
        DiceLabels.SUBJECT,
        DiceLabels.CODE_HASH,
        DiceLabels.AUTHORITY_HASH,
        DiceLabels.MODE,
        DiceLabels.KEY_USAGE
      })
  void refusesAMissingField(long label) {
    refuses(second(layer -> layer.remove(label)), DEFAULT, DiceRule.REQUIRED_FIELD, 1);
  }

  @Test
  void refusesAMissingConfigurationOrKey() {
    refuses(
        second(layer -> layer.remove(DiceLabels.CONFIG_DESCRIPTOR)),
        DEFAULT,
        DiceRule.REQUIRED_FIELD,
        1);
    refuses(
        second(layer -> layer.remove(DiceLabels.SUBJECT_PUBLIC_KEY)),
        DEFAULT,
        DiceRule.STRUCTURE,
        1);
  }

  @Test
  void refusesEmptyIds() {
    refuses(
        second(layer -> layer.put(DiceLabels.SUBJECT, CborValue.of(""))),
        DEFAULT,
        DiceRule.REQUIRED_FIELD,
        1);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 3, -1, -4670544, -4670555})
  void refusesUnknownLabels(long label) {
    refuses(second(layer -> layer.bytes(label, "00")), DEFAULT, DiceRule.STRUCTURE, 1);
  }

  @Test
  void refusesFieldsOfTheWrongType() {
    refuses(
        second(layer -> layer.put(DiceLabels.CODE_HASH, CborValue.of("text"))),
        DEFAULT,
        DiceRule.STRUCTURE,
        1);
    refuses(second(layer -> layer.bytes(DiceLabels.ISSUER, "00")), DEFAULT, DiceRule.STRUCTURE, 1);
  }

  // Hashes

  @ParameterizedTest
  @ValueSource(ints = {32, 48})
  void acceptsOtherHashesOfTheFamily(int size) {
    String config = "a13a0001117401";
    byte[] hash = io.github.avf4j.attestation.internal.Digests.sha2(size, ByteSlice.ofHex(config));
    accepts(
        second(
            layer ->
                layer
                    .put(DiceLabels.CODE_HASH, CborValue.of(new byte[size]))
                    .put(DiceLabels.CONFIG_HASH, CborValue.of(hash))
                    .put(DiceLabels.AUTHORITY_HASH, CborValue.of(new byte[size]))),
        DEFAULT);
  }

  @Test
  void refusesHashesOfDifferentSizes() {
    CborValue shorter = CborValue.of(new byte[32]);
    refuses(
        second(layer -> layer.put(DiceLabels.AUTHORITY_HASH, shorter)),
        DEFAULT,
        DiceRule.HASH_SIZE,
        1);
    refuses(
        second(layer -> layer.put(DiceLabels.CONFIG_HASH, shorter).profile("android.15")),
        DEFAULT,
        DiceRule.HASH_SIZE,
        1);
    refuses(
        second(layer -> layer.put(DiceLabels.CODE_HASH, CborValue.of(new byte[20]))),
        DEFAULT,
        DiceRule.HASH_SIZE,
        1);
  }

  @Test
  void letsTheFirstAuthorityHashDifferInAndroid14Only() {
    CborValue shorter = CborValue.of(new byte[20]);
    accepts(
        first(layer -> layer.put(DiceLabels.AUTHORITY_HASH, shorter).profile("android.14")),
        DEFAULT);
    refuses(
        first(layer -> layer.put(DiceLabels.AUTHORITY_HASH, shorter).profile("android.15")),
        DEFAULT,
        DiceRule.HASH_SIZE,
        0);
    refuses(
        second(layer -> layer.put(DiceLabels.AUTHORITY_HASH, shorter).profile("android.14")),
        DEFAULT,
        DiceRule.HASH_SIZE,
        1);
  }

  @ParameterizedTest
  @CsvSource({"android.14, true", "android.15, true", "android.16, false"})
  void comparesTheConfigurationHashFromAndroid16On(String profile, boolean accepted) {
    TestChain wrong =
        second(
            layer ->
                layer.put(DiceLabels.CONFIG_HASH, CborValue.of(new byte[64])).profile(profile));
    TestChain missing = second(layer -> layer.remove(DiceLabels.CONFIG_HASH).profile(profile));
    if (accepted) {
      accepts(wrong, DEFAULT);
      accepts(missing, DEFAULT);
    } else {
      refuses(wrong, DEFAULT, DiceRule.CONFIG_HASH, 1);
      refuses(missing, DEFAULT, DiceRule.CONFIG_HASH, 1);
    }
  }

  // Configuration descriptor

  @ParameterizedTest
  @ValueSource(strings = {"", "80", "a13a000111700a", "a13a0001117101", "a0", "ff"})
  void refusesABadDescriptorExceptInTheFirstCertificate(String hex) {
    refuses(second(layer -> layer.config(hex)), DEFAULT, DiceRule.CONFIG_DESCRIPTOR, 1);
    VerifiedDiceChain verified = accepts(first(layer -> layer.config(hex)), DEFAULT);
    assertThat(verified.warnings())
        .extracting(DiceWarning::rule)
        .containsExactly(DiceRule.CONFIG_DESCRIPTOR);
  }

  @Test
  void doesNotCompareTheHashOfADescriptorThatItIgnores() {
    accepts(
        first(layer -> layer.config("80").put(DiceLabels.CONFIG_HASH, CborValue.of(new byte[64]))),
        DEFAULT);
  }

  @Test
  void refusesABadFirstDescriptorWhereAndroid14IsOutOfRange() {
    refuses(
        first(layer -> layer.config("80")),
        DEFAULT.withProfiles(AndroidProfile.ANDROID_15, AndroidProfile.ANDROID_16),
        DiceRule.CONFIG_DESCRIPTOR,
        0);
  }

  @Test
  void asksForTheSecurityVersionFromAndroid16On() {
    accepts(second(layer -> layer.config("a0").profile("android.15")), DEFAULT);
    refuses(second(layer -> layer.config("a0")), DEFAULT, DiceRule.CONFIG_DESCRIPTOR, 1);
  }

  @Test
  void asksForANumberAsVersionInAndroid13() {
    Consumer<Layer> text =
        layer -> layer.config("a13a00011172626131").remove(DiceLabels.PROFILE_NAME);
    TestChain chain = first(layer -> layer.remove(DiceLabels.PROFILE_NAME)).add(text);
    accepts(chain, DEFAULT);
    refuses(chain, VSR_13, DiceRule.CONFIG_DESCRIPTOR, 1);
  }

  // Key usage

  @ParameterizedTest
  @CsvSource({
    "20, true, true", "2000, true, true", "200000, true, true", "0020, true, false",
    "000020, true, false", "'', false, false", "00, false, false", "21, false, false",
    "2001, false, false", "10, false, false", "203040, false, false", "0120, false, false"
  })
  void checksTheKeyUsage(String hex, boolean android14, boolean android16) {
    TestChain old = second(layer -> layer.bytes(DiceLabels.KEY_USAGE, hex).profile("android.14"));
    TestChain recent = second(layer -> layer.bytes(DiceLabels.KEY_USAGE, hex));
    if (android14) {
      accepts(old, DEFAULT);
    } else {
      refuses(old, DEFAULT, DiceRule.KEY_USAGE, 1);
    }
    if (android16) {
      accepts(recent, DEFAULT);
    } else {
      refuses(recent, DEFAULT, DiceRule.KEY_USAGE, 1);
    }
  }

  // Mode

  @ParameterizedTest
  @ValueSource(ints = {0, 2, 3, 4, 255})
  void refusesModesThatAreNotNormalUnlessAnyIsAllowed(int mode) {
    TestChain chain = second(layer -> layer.mode(mode));
    refuses(chain, DEFAULT, DiceRule.MODE, 1);
    assertThat(accepts(chain, DEFAULT.withAnyMode(true)).isNormalMode()).isFalse();
  }

  @Test
  void letsTheFirstCertificateOfAndroid14BeInDebugMode() {
    accepts(first(layer -> layer.mode(2).profile("android.14")), DEFAULT);
    refuses(first(layer -> layer.mode(3).profile("android.14")), DEFAULT, DiceRule.MODE, 0);
    refuses(first(layer -> layer.mode(2).profile("android.15")), DEFAULT, DiceRule.MODE, 0);
  }

  @Test
  void takesAnIntegerAsModeInAndroid14Only() {
    Consumer<Layer> integer = layer -> layer.put(DiceLabels.MODE, CborValue.of(1));
    accepts(second(integer.andThen(layer -> layer.profile("android.14"))), DEFAULT);
    refuses(second(integer), DEFAULT.withAnyMode(true), DiceRule.MODE, 1);
  }

  @Test
  void refusesAModeOfTwoBytes() {
    refuses(second(layer -> layer.bytes(DiceLabels.MODE, "0001")), DEFAULT, DiceRule.STRUCTURE, 1);
  }

  // Keys

  private static CborValue integerKeyOps(CborValue key) {
    CborMap.Builder map = CborMap.builder();
    for (CborMap.Entry entry : key.asMap().entries()) {
      boolean ops = entry.key() instanceof CborInteger label && label.is(4);
      map.put(entry.key(), ops ? CborValue.of(2) : entry.value());
    }
    return map.build();
  }

  @Test
  void takesAnIntegerAsKeyOpsInAndroid13Only() {
    CborValue root =
        integerKeyOps(
            CborReader.decode(TestChain.key(CoseAlgorithm.ED25519, 0).publicKey().encode()));
    Consumer<Layer> old = layer -> layer.remove(DiceLabels.PROFILE_NAME);
    accepts(new TestChain().rootKey(root).add(old), VSR_13);
    refuses(new TestChain().rootKey(root).add(old), DEFAULT, DiceRule.KEY, -1);
    CborValue subject =
        integerKeyOps(
            CborReader.decode(TestChain.key(CoseAlgorithm.ED25519, 2).publicKey().encode()));
    Consumer<Layer> oldKey =
        layer ->
            layer
                .remove(DiceLabels.PROFILE_NAME)
                .put(DiceLabels.SUBJECT_PUBLIC_KEY, CborValue.of(subject.encoded()));
    accepts(new TestChain().add(old).add(oldKey), VSR_13);
    refuses(new TestChain().add(old).add(oldKey), DEFAULT, DiceRule.KEY, 1);
  }

  // The chain as a whole

  @Test
  void comparesIssuersFromTheSecondCertificateOn() {
    Consumer<Layer> other = layer -> layer.put(DiceLabels.ISSUER, CborValue.of("other"));
    accepts(first(other), DEFAULT);
    refuses(first(other), DEFAULT.withDerivedIds(true), DiceRule.DERIVED_ID, 0);
    refuses(second(other), DEFAULT, DiceRule.ISSUER, 1);
  }

  @Test
  void refusesASubjectThatOccursTwice() {
    CborValue same = CborValue.of("same");
    refuses(
        first(layer -> layer.put(DiceLabels.SUBJECT, same))
            .add(layer -> layer.put(DiceLabels.ISSUER, same).put(DiceLabels.SUBJECT, same)),
        DEFAULT,
        DiceRule.REPEATED_SUBJECT,
        1);
  }

  @Test
  void refusesAKeyThatOccursTwice() {
    refuses(
        new TestChain()
            .add(GOOD)
            .add(
                TestChain.key(CoseAlgorithm.ED25519, 0),
                layer -> layer.put(DiceLabels.SUBJECT, CborValue.of("other"))),
        DEFAULT,
        DiceRule.REPEATED_KEY,
        1);
  }

  @Test
  void refusesADegenerateChainUnlessItIsAllowed() {
    TestChain chain =
        new TestChain()
            .add(
                TestChain.key(CoseAlgorithm.ED25519, 0),
                layer ->
                    layer
                        .remove(DiceLabels.CODE_HASH)
                        .remove(DiceLabels.CONFIG_DESCRIPTOR)
                        .remove(DiceLabels.CONFIG_HASH)
                        .remove(DiceLabels.AUTHORITY_HASH)
                        .remove(DiceLabels.MODE)
                        .remove(DiceLabels.PROFILE_NAME));
    refuses(chain, DEFAULT, DiceRule.DEGENERATE, 0);
    assertThat(accepts(chain, DEFAULT.withDegenerate(true)).isDegenerate()).isTrue();
  }

  @Test
  void asksForARunOfMarkersUpToTheLeafOfTheServiceVm() {
    Consumer<Layer> marker = layer -> layer.config("a23a00011174013a00011175f6");
    DiceChainRules avf = DEFAULT.withInstance(RkpInstance.AVF);
    TestChain serviceVm = first(GOOD).add(marker).add(marker);
    accepts(serviceVm, avf);
    refuses(serviceVm, DEFAULT, DiceRule.RKP_VM_MARKER, 2);
    refuses(first(GOOD).add(marker), avf, DiceRule.RKP_VM_MARKER, 1);
    refuses(first(GOOD), avf, DiceRule.RKP_VM_MARKER, 0);
    TestChain microdroid = first(GOOD).add(marker).add(marker).add(GOOD);
    accepts(microdroid, DEFAULT);
    refuses(microdroid, avf, DiceRule.RKP_VM_MARKER, 3);
    refuses(first(marker).add(GOOD).add(marker).add(marker), avf, DiceRule.RKP_VM_MARKER, 1);
  }

  @Test
  void doesNotCountAMarkerInADescriptorThatItIgnores() {
    Consumer<Layer> ignored = layer -> layer.config("a13a00011175f6");
    Consumer<Layer> marker = layer -> layer.config("a23a00011174013a00011175f6");
    refuses(
        first(ignored).add(marker),
        DEFAULT.withInstance(RkpInstance.AVF),
        DiceRule.RKP_VM_MARKER,
        1);
  }

  @Test
  void refusesMoreCertificatesThanTheLimit() {
    TestChain chain = new TestChain();
    for (int i = 0; i < 257; i++) {
      chain.add(GOOD);
    }
    assertThatThrownBy(chain::build)
        .isInstanceOf(DiceException.class)
        .hasMessageContaining("1 to 256 certificates");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "80", "81a0", "82a0a0", "a0", "8101", "f6", "9f"})
  void refusesWhatIsNotAChain(String hex) {
    DiceException e =
        catchThrowableOfType(DiceException.class, () -> DiceChain.decode(ByteSlice.ofHex(hex)));
    assertThat(e.rule()).isEqualTo(DiceRule.STRUCTURE);
  }
}
