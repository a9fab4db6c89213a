package io.github.avf4j.microdroid.apex;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbAlgorithm;
import io.github.avf4j.attestation.avb.HashtreeFooter;
import io.github.avf4j.attestation.avb.VbmetaBuilder;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.VerityHash;
import io.github.avf4j.microdroid.apk.TestKeys;
import io.github.avf4j.microdroid.erofs.ErofsTree;
import io.github.avf4j.microdroid.erofs.ErofsWriter;
import io.github.avf4j.microdroid.image.Progress;
import io.github.avf4j.microdroid.internal.ProtobufWriter;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ApexVerifierTest {
  @TempDir static Path folder;
  private byte[] good = new byte[0];
  private byte[] outerSigned = new byte[0];
  private Map<String, byte[]> parts = Map.of();

  @BeforeAll
  void makeGoodOnes() throws Exception {
    good = Apexes.unsigned(folder);
    parts = Apexes.entries(good);
    Path signed = folder.resolve("signed.apex");
    new ApexWriter(Apexes.MANIFEST, Apexes.key())
        .outerSignedBy(TestKeys.of("secp256r1"))
        .write(folder.resolve("payload"), signed, Progress.NONE);
    outerSigned = Files.readAllBytes(signed);
  }

  private String outcome(Map<String, byte[]> entries) throws Exception {
    return Apexes.outcome(Apexes.zip(folder, entries), false);
  }

  private Map<String, byte[]> with(String name, byte[] content) {
    Map<String, byte[]> changed = new LinkedHashMap<>(parts);
    changed.put(name, content);
    return changed;
  }

  @Test
  void takesAGoodOne() throws Exception {
    assertThat(Apexes.outcome(good, false)).isEqualTo("valid");
    assertThat(outcome(parts)).isEqualTo("valid");
    assertThat(Apexes.outcome(outerSigned, true)).isEqualTo("valid");
  }

  @Test
  void insistsOnAnOuterSignatureOnRequest() throws Exception {
    assertThat(Apexes.outcome(good, true)).isEqualTo("NO_OUTER_SIGNATURE");
  }

  @ParameterizedTest
  @ValueSource(strings = {ApexFile.MANIFEST, ApexFile.PUBLIC_KEY, ApexFile.PAYLOAD})
  void needsAllThreeEntries(String name) throws Exception {
    Map<String, byte[]> fewer = new LinkedHashMap<>(parts);
    fewer.remove(name);
    assertThat(outcome(fewer)).isEqualTo("MISSING_ENTRY");
  }

  @Test
  void refusesACompressedApexByName() throws Exception {
    assertThat(outcome(Map.of("original_apex", good))).isEqualTo("COMPRESSED");
    assertThat(outcome(with("original_apex", new byte[1]))).isEqualTo("COMPRESSED");
    byte[] manifest =
        new ProtobufWriter().text(1, "a").number(2, 1).message(12, new byte[0]).toByteArray();
    assertThat(outcome(with(ApexFile.MANIFEST, manifest))).isEqualTo("COMPRESSED");
  }

  private static byte[] manifest(String name, long version) {
    return new ProtobufWriter().text(1, name).number(2, version).toByteArray();
  }

  @ParameterizedTest
  @CsvSource({
    "'', 1", "a, 0", "a, -1", "../a, 1", "a/b, 1", ".., 1", ".a, 1", "a b, 1", "a@1, 1", "ä, 1"
  })
  void needsAUsableNameAndVersion(String name, long version) throws Exception {
    assertThat(outcome(with(ApexFile.MANIFEST, manifest(name, version)))).isEqualTo("MANIFEST");
  }

  @Test
  void refusesADamagedManifest() throws Exception {
    byte[] whole = parts.get(ApexFile.MANIFEST);
    for (int length = 0; length < whole.length; length++) {
      assertThat(outcome(with(ApexFile.MANIFEST, Arrays.copyOf(whole, length))))
          .as("cut to %d", length)
          .isIn("MANIFEST", "INNER_MANIFEST");
    }
    byte[] large = new ProtobufWriter().text(1, "a".repeat(1 << 20)).toByteArray();
    assertThat(outcome(with(ApexFile.MANIFEST, large))).isEqualTo("ZIP");
  }

  @Test
  void refusesAManifestThatIsNotThatOfThePayload() throws Exception {
    assertThat(outcome(with(ApexFile.MANIFEST, manifest("com.example.module", 8))))
        .isEqualTo("INNER_MANIFEST");
  }

  @Test
  void refusesAnotherKey() throws Exception {
    byte[] other = Apexes.key("testkey_rsa4096.pem").publicKey().blob().toByteArray();
    assertThat(outcome(with(ApexFile.PUBLIC_KEY, other))).isEqualTo("OTHER_KEY");
    byte[] key = parts.get(ApexFile.PUBLIC_KEY).clone();
    // rr is not used to verify, but it is part of what is compared.
    key[key.length - 1] ^= 1;
    assertThat(outcome(with(ApexFile.PUBLIC_KEY, key))).isEqualTo("OTHER_KEY");
    assertThat(outcome(with(ApexFile.PUBLIC_KEY, new byte[100]))).isEqualTo("PUBLIC_KEY");
    assertThat(outcome(with(ApexFile.PUBLIC_KEY, new byte[0]))).isEqualTo("PUBLIC_KEY");
  }

  @Test
  void refusesAPayloadThatCannotBeMapped() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> part : parts.entrySet()) {
        zip.putNextEntry(new ZipEntry(part.getKey()));
        zip.write(part.getValue());
        zip.closeEntry();
      }
    }
    assertThat(Apexes.outcome(bytes.toByteArray(), false)).as("compressed").isEqualTo("PLACE");
    Map<String, byte[]> shifted = new LinkedHashMap<>();
    shifted.put("x", new byte[1]);
    shifted.putAll(parts);
    assertThat(outcome(shifted)).isEqualTo("valid");
    assertThat(Apexes.outcome(Apexes.unaligned(folder, parts), false)).isEqualTo("PLACE");
  }

  private byte[] payload(VbmetaBuilder vbmeta, HashtreeFooter footer, ErofsTree tree)
      throws Exception {
    Path image = folder.resolve("image");
    new ErofsWriter().write(tree, image, Progress.NONE);
    footer.addTo(image, vbmeta);
    return Files.readAllBytes(image);
  }

  private ErofsTree tree() {
    return new ErofsTree().file(ApexFile.MANIFEST, Apexes.MANIFEST.encode(), 0644, 0, 0);
  }

  private static VbmetaBuilder signed() {
    return new VbmetaBuilder().signedBy(Apexes.key(), AvbAlgorithm.SHA256_RSA2048);
  }

  private static HashtreeFooter footer() {
    return HashtreeFooter.forPartition("").salt(ByteSlice.ofHex("00"));
  }

  @Test
  void refusesPayloadsThatAreSignedOtherwise() throws Exception {
    byte[] plain = payload(signed(), footer(), tree());
    assertThat(outcome(with(ApexFile.PAYLOAD, plain))).isEqualTo("valid");
    byte[] unsigned = payload(new VbmetaBuilder(), footer(), tree());
    assertThat(outcome(with(ApexFile.PAYLOAD, unsigned))).isEqualTo("NOT_SIGNED");
    byte[] flags = payload(signed().flags(1), footer(), tree());
    assertThat(outcome(with(ApexFile.PAYLOAD, flags))).isEqualTo("VBMETA");
    byte[] withoutTree = payload(signed(), footer().withoutTree(), large());
    assertThat(outcome(with(ApexFile.PAYLOAD, withoutTree))).isEqualTo("DESCRIPTOR");
    byte[] persistent = payload(signed(), footer().persistentDigest(), tree());
    assertThat(outcome(with(ApexFile.PAYLOAD, persistent))).isEqualTo("HASH_TREE");
    byte[] blocks = payload(signed(), footer().blockSize(8192), large());
    assertThat(outcome(with(ApexFile.PAYLOAD, blocks))).isEqualTo("DESCRIPTOR");
  }

  private ErofsTree large() {
    return tree().file("large", new byte[100_000], 0644, 0, 0);
  }

  @Test
  void takesSha512AndRemarksOnSha1() throws Exception {
    byte[] strong = payload(signed(), footer().hash(VerityHash.SHA512), large());
    assertThat(outcome(with(ApexFile.PAYLOAD, strong))).isEqualTo("valid");
    byte[] weak = payload(signed(), footer().hash(VerityHash.SHA1), large());
    VerifiedApex apex =
        ApexVerifier.verify(
            ImageSource.of(Apexes.zip(folder, with(ApexFile.PAYLOAD, weak))), false);
    assertThat(apex.remarks()).anyMatch(remark -> remark.contains("SHA-1"));
  }

  @Test
  void refusesAPayloadWithoutTheManifest() throws Exception {
    byte[] none = payload(signed(), footer(), new ErofsTree());
    assertThat(outcome(with(ApexFile.PAYLOAD, none))).isEqualTo("INNER_MANIFEST");
    byte[] link =
        payload(signed(), footer(), new ErofsTree().symlink(ApexFile.MANIFEST, "/x", 0, 0));
    assertThat(outcome(with(ApexFile.PAYLOAD, link))).isEqualTo("INNER_MANIFEST");
  }

  /** An image with nothing but a magic. */
  private byte[] foreign(int magicAt, String magic) throws Exception {
    Path image = folder.resolve("foreign");
    byte[] bytes = new byte[8192];
    byte[] wanted = java.util.HexFormat.of().parseHex(magic);
    System.arraycopy(wanted, 0, bytes, magicAt, wanted.length);
    Files.write(image, bytes);
    footer().addTo(image, signed());
    return Files.readAllBytes(image);
  }

  @Test
  void tellsFileSystemsByTheirMagic() throws Exception {
    assertThat(outcome(with(ApexFile.PAYLOAD, foreign(1080, "53ef")))).isEqualTo("valid");
    assertThat(outcome(with(ApexFile.PAYLOAD, foreign(1024, "1020f5f2")))).isEqualTo("valid");
    assertThat(outcome(with(ApexFile.PAYLOAD, foreign(1024, "0000")))).isEqualTo("FILE_SYSTEM");
    assertThat(outcome(with(ApexFile.PAYLOAD, foreign(1024, "e2e1f5e0"))))
        .as("no more than the magic")
        .isEqualTo("FILE_SYSTEM");
  }

  @Test
  void refusesPayloadsWithoutFooter() throws Exception {
    assertThat(outcome(with(ApexFile.PAYLOAD, new byte[0]))).isEqualTo("FOOTER");
    assertThat(outcome(with(ApexFile.PAYLOAD, new byte[63]))).isEqualTo("FOOTER");
    assertThat(outcome(with(ApexFile.PAYLOAD, new byte[8192]))).isEqualTo("FOOTER");
  }

  @Test
  void refusesWhatIsCutOff() throws Exception {
    Random random = new Random(5);
    for (int i = 0; i < 60; i++) {
      int length = i < 30 ? good.length - 1 - i * 3 : random.nextInt(good.length);
      assertThat(Apexes.outcome(Arrays.copyOf(good, length), false)).isEqualTo("ZIP");
    }
  }
}
