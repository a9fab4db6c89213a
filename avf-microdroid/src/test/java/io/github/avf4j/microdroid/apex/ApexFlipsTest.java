package io.github.avf4j.microdroid.apex;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.apk.PackageZip;
import io.github.avf4j.microdroid.apk.TestKeys;
import io.github.avf4j.microdroid.apk.ZipEntry;
import io.github.avf4j.microdroid.image.Progress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** One bit changed in each class of bytes that an APEX has. */
class ApexFlipsTest {
  /** So many bytes of a class are changed; a smaller one is changed in every byte. */
  private static final int FLIPS = 40;

  @TempDir static Path folder;
  private static byte[] good = new byte[0];
  private static byte[] outerSigned = new byte[0];

  @BeforeAll
  static void makeGoodOnes() throws Exception {
    good = Apexes.unsigned(folder);
    Path signed = folder.resolve("signed.apex");
    new ApexWriter(Apexes.MANIFEST, Apexes.key())
        .outerSignedBy(TestKeys.of("secp256r1"))
        .write(folder.resolve("payload"), signed, Progress.NONE);
    outerSigned = Files.readAllBytes(signed);
  }

  /** A class of bytes, and the outcomes of which each change must have one. */
  private record Bytes(String name, long from, long to, Set<String> outcomes) {
    static Bytes of(String name, long from, long length, String... outcomes) {
      return new Bytes(name, from, from + length, Set.of(outcomes));
    }
  }

  private static List<Bytes> classes() throws Exception {
    List<Bytes> all = new ArrayList<>();
    PackageZip zip = PackageZip.open(ImageSource.of(good));
    ZipEntry entry = zip.find(ApexFile.PAYLOAD).orElseThrow();
    long header = entry.headerOffset();
    int name = entry.name().length();
    all.add(Bytes.of("local signature", header, 4, "ZIP"));
    all.add(Bytes.of("local version", header + 4, 2, "valid"));
    // Most flags say how well it was compressed.
    all.add(Bytes.of("local flags", header + 6, 2, "ZIP", "valid"));
    all.add(Bytes.of("local method", header + 8, 2, "ZIP"));
    all.add(Bytes.of("local time", header + 10, 4, "valid"));
    all.add(Bytes.of("local checksum and sizes", header + 14, 12, "ZIP"));
    all.add(Bytes.of("local name length", header + 26, 2, "ZIP"));
    all.add(Bytes.of("local extra length", header + 28, 2, "ZIP", "PLACE", "FOOTER"));
    all.add(Bytes.of("local name", header + 30, name, "ZIP"));
    long extra = header + 30 + name;
    all.add(Bytes.of("alignment", extra, entry.dataOffset() - extra, "valid"));
    for (String small : List.of(ApexFile.MANIFEST, ApexFile.PUBLIC_KEY)) {
      ZipEntry other = zip.find(small).orElseThrow();
      all.add(Bytes.of(small, other.dataOffset(), other.size(), "ZIP"));
    }
    ZipEntry android = zip.find("AndroidManifest.xml").orElseThrow();
    all.add(Bytes.of("what nobody signed", android.dataOffset(), android.size(), "valid"));
    payload(all, entry.dataOffset(), entry.dataOffset() + entry.size());
    directory(all);
    return all;
  }

  private static void payload(List<Bytes> all, long start, long end) throws Exception {
    ApexPayload payload = ApexFile.open(ImageSource.of(good)).payload();
    long data = payload.hashtree().imageSize();
    all.add(Bytes.of("before the superblock", start, 1024, "HASH_TREE"));
    all.add(Bytes.of("magic", start + 1024, 4, "FILE_SYSTEM"));
    all.add(Bytes.of("superblock", start + 1028, 124, "HASH_TREE"));
    all.add(Bytes.of("files", start + 4096, data - 4096, "HASH_TREE"));
    all.add(
        Bytes.of(
            "tree",
            start + payload.hashtree().treeOffset(),
            payload.hashtree().treeSize(),
            "HASH_TREE"));
    long vbmeta = start + payload.vbmetaOffset();
    int length = payload.vbmeta().bytes().length();
    String[] refusals = {"VBMETA", "SIGNATURE", "NOT_SIGNED", "DESCRIPTOR"};
    all.add(Bytes.of("vbmeta header", vbmeta, 256, refusals));
    long authentication = payload.vbmeta().header().authenticationSize();
    // What fills a block up to 64 bytes is not signed, but the checksum of the zip covers it.
    all.add(
        Bytes.of("vbmeta authentication", vbmeta + 256, authentication, "SIGNATURE", "CHECKSUM"));
    long auxiliary = vbmeta + 256 + authentication;
    all.add(Bytes.of("vbmeta auxiliary", auxiliary, vbmeta + length - auxiliary, refusals));
    all.add(Bytes.of("after vbmeta", vbmeta + length, end - 64 - vbmeta - length, "CHECKSUM"));
    all.add(Bytes.of("footer magic", end - 64, 4, "FOOTER"));
    all.add(Bytes.of("footer version", end - 60, 8, "FOOTER", "CHECKSUM"));
    all.add(Bytes.of("footer image size", end - 52, 8, "CHECKSUM"));
    all.add(Bytes.of("footer vbmeta place", end - 44, 16, "VBMETA", "CHECKSUM"));
    all.add(Bytes.of("footer reserved", end - 28, 28, "CHECKSUM"));
  }

  private static void directory(List<Bytes> all) {
    ByteBuffer apex = ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN);
    int end = good.length - 22;
    all.add(Bytes.of("end record", end, 22, "ZIP"));
    int at = apex.getInt(end + 16);
    while (at < end) {
      int name = apex.getShort(at + 28);
      all.add(Bytes.of("central signature", at, 4, "ZIP"));
      all.add(Bytes.of("central versions", at + 4, 4, "valid"));
      all.add(Bytes.of("central flags", at + 8, 2, "ZIP", "valid"));
      all.add(Bytes.of("central method", at + 10, 2, "ZIP"));
      all.add(Bytes.of("central time", at + 12, 4, "valid"));
      all.add(Bytes.of("central checksum and sizes", at + 16, 12, "ZIP"));
      all.add(Bytes.of("central lengths and disk", at + 28, 8, "ZIP"));
      all.add(Bytes.of("central attributes", at + 36, 6, "valid"));
      all.add(Bytes.of("central place", at + 42, 4, "ZIP"));
      all.add(Bytes.of("central name", at + 46, name, "ZIP"));
      at += 46 + name;
    }
  }

  @TestFactory
  List<DynamicTest> findsEveryChangeThatMatters() throws Exception {
    Random random = new Random(9);
    return classes().stream()
        .map(
            bytes ->
                DynamicTest.dynamicTest(
                    bytes.name() + " at byte " + bytes.from(), () -> flip(bytes, random)))
        .toList();
  }

  private static void flip(Bytes bytes, Random random) throws Exception {
    long length = bytes.to() - bytes.from();
    assertThat(length).isPositive();
    for (int i = 0; i < Math.min(length, FLIPS); i++) {
      int at = (int) (bytes.from() + (length <= FLIPS ? i : random.nextLong(length)));
      byte[] changed = good.clone();
      changed[at] ^= (byte) (1 << random.nextInt(8));
      assertThat(Apexes.outcome(changed, false)).as("byte %d", at).isIn(bytes.outcomes());
    }
  }

  /** The signing block is not signed itself: it may hold signatures that nobody looks at. */
  @Test
  void findsEveryChangeUnderAnOuterSignature() throws Exception {
    ByteBuffer apex = ByteBuffer.wrap(outerSigned).order(ByteOrder.LITTLE_ENDIAN);
    int end = outerSigned.length - 22;
    // A comment fills the file up to whole pages.
    while (apex.getInt(end) != 0x06054b50) {
      end--;
    }
    int directory = apex.getInt(end + 16);
    int block = directory - 8 - (int) apex.getLong(directory - 24);
    Random random = new Random(4);
    for (int i = 0; i < 200; i++) {
      int at =
          switch (i % 3) {
            case 0 -> random.nextInt(8192);
            case 1 -> directory + random.nextInt(outerSigned.length - directory);
            default -> random.nextInt(block);
          };
      byte[] changed = outerSigned.clone();
      changed[at] ^= (byte) (1 << random.nextInt(8));
      assertThat(Apexes.outcome(changed, true)).as("byte %d", at).isNotEqualTo("valid");
    }
  }

  @Test
  void refusesAnOuterSignatureThatWasDamaged() throws Exception {
    byte[] changed = outerSigned.clone();
    // A byte of the Android manifest: no other rule looks at it.
    PackageZip zip = PackageZip.open(ImageSource.of(changed));
    changed[(int) zip.find("AndroidManifest.xml").orElseThrow().dataOffset() + 20] ^= 1;
    assertThat(Apexes.outcome(changed, false)).isEqualTo("OUTER_SIGNATURE");
  }
}
