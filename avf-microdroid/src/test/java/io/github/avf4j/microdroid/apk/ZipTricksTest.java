package io.github.avf4j.microdroid.apk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.verity.ImageSource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ZipTricksTest {
  private static final int UNIX = 3 << 8;

  private static Arguments trick(String name, ApkError error, Consumer<Zips> change) {
    return Arguments.of(name, error, change);
  }

  static Stream<Arguments> tricks() {
    return Stream.of(
        trick("two entries of one name", ApkError.DUPLICATE_ENTRY, zip -> zip.add("a", "other")),
        trick("a file and a folder", ApkError.DUPLICATE_ENTRY, zip -> zip.add("a/", "")),
        trick("a file as a folder", ApkError.DUPLICATE_ENTRY, zip -> zip.add("a/b", "")),
        trick(
            "a file as a folder, further on",
            ApkError.DUPLICATE_ENTRY,
            zip -> {
              zip.add("a!", "");
              zip.add("a/b/c", "");
            }),
        trick(
            "two records for one local header",
            ApkError.OVERLAPPING_ENTRIES,
            zip -> {
              Zips.Entry entry = zip.add("c", "");
              entry.offset = 0;
              entry.withoutLocal = true;
            }),
        trick(
            "a local header inside another entry",
            ApkError.OVERLAPPING_ENTRIES,
            zip -> {
              Zips.Entry entry = zip.add("c", "");
              entry.offset = 31;
              entry.withoutLocal = true;
            }),
        trick(
            "content that reaches into the directory",
            ApkError.OVERLAPPING_ENTRIES,
            zip -> {
              Zips.Entry entry = zip.add("c", "");
              entry.centralSize = 1;
              entry.localSize = 1;
            }),
        trick(
            "a local header behind the directory",
            ApkError.OVERLAPPING_ENTRIES,
            zip -> zip.add("c", "").offset = 10_000),
        trick("a parent folder", ApkError.UNSAFE_NAME, zip -> zip.add("x/../y", "")),
        trick("a parent folder at the end", ApkError.UNSAFE_NAME, zip -> zip.add("x/..", "")),
        trick("an absolute name", ApkError.UNSAFE_NAME, zip -> zip.add("/etc/passwd", "")),
        trick("a backslash", ApkError.UNSAFE_NAME, zip -> zip.add("x\\y", "")),
        trick("a NUL", ApkError.UNSAFE_NAME, zip -> zip.add("x\0y", "")),
        trick("no name", ApkError.UNSAFE_NAME, zip -> zip.add("", "")),
        trick("a double slash", ApkError.UNSAFE_NAME, zip -> zip.add("x//y", "")),
        trick("a long name", ApkError.UNSAFE_NAME, zip -> zip.add("x".repeat(4096), "")),
        trick(
            "a symbolic link",
            ApkError.SPECIAL_FILE,
            zip -> {
              Zips.Entry entry = zip.add("link", "/etc/passwd");
              entry.madeBy = UNIX;
              entry.attributes = 0120777 << 16;
            }),
        trick(
            "a device",
            ApkError.SPECIAL_FILE,
            zip -> {
              Zips.Entry entry = zip.add("device", "");
              entry.madeBy = UNIX;
              entry.attributes = 0020666 << 16;
            }),
        trick("an encrypted entry", ApkError.UNSUPPORTED_ENTRY, zip -> zip.add("c", "").flags = 1),
        trick("another method", ApkError.UNSUPPORTED_ENTRY, zip -> zip.add("c", "").method = 12),
        trick(
            "another name in the local header",
            ApkError.LOCAL_HEADER,
            zip -> zip.add("cc", "").localName = "dd"),
        trick(
            "another method in the local header",
            ApkError.LOCAL_HEADER,
            zip -> zip.add("c", "").localMethod = 8),
        trick(
            "another size in the local header",
            ApkError.LOCAL_HEADER,
            zip -> zip.add("c", "content").localSize = 3),
        trick(
            "another checksum in the local header",
            ApkError.LOCAL_HEADER,
            zip -> zip.add("c", "content").localCrc = 3),
        trick(
            "a wrong descriptor",
            ApkError.LOCAL_HEADER,
            zip -> {
              Zips.Entry entry = zip.add("c", "content");
              entry.flags = 8;
              entry.descriptor = new byte[16];
            }),
        trick("too few entries counted", ApkError.CENTRAL_DIRECTORY, zip -> zip.count = 1),
        trick("too many entries counted", ApkError.CENTRAL_DIRECTORY, zip -> zip.count = 3),
        trick(
            "something behind the records",
            ApkError.CENTRAL_DIRECTORY,
            zip -> {
              zip.betweenDirectoryAndEnd = new byte[4];
              zip.directoryOffset = directoryOffset(zip) + 4;
            }),
        trick(
            "something between directory and end",
            ApkError.ZIP_LAYOUT,
            zip -> zip.betweenDirectoryAndEnd = new byte[4]),
        trick("another disk", ApkError.ZIP_LAYOUT, zip -> zip.disk = 1),
        trick("a wrong directory offset", ApkError.ZIP_LAYOUT, zip -> zip.directoryOffset = 3),
        trick("entries in ZIP64", ApkError.ZIP64, zip -> zip.count = 0xffff),
        trick(
            "a second end record in the comment",
            ApkError.AMBIGUOUS_END,
            zip -> zip.comment = Zips.of("evil", "content").bytes()),
        trick(
            "the start of an end record in the comment",
            ApkError.AMBIGUOUS_END,
            zip -> zip.comment = Arrays.copyOf(new byte[] {'P', 'K', 5, 6}, 40)),
        trick("data behind the end", ApkError.NOT_A_ZIP, zip -> zip.after = new byte[] {0, 1}),
        trick(
            "a second zip behind the end",
            ApkError.ZIP_LAYOUT,
            zip -> zip.after = Zips.of("evil", "content").bytes()));
  }

  private static int directoryOffset(Zips zip) {
    return zip.entries.stream().mapToInt(e -> 30 + e.name.length() + e.content.length).sum();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("tricks")
  void refuses(String name, ApkError error, Consumer<Zips> change) {
    Zips zip = Zips.of("a", "first", "b/c", "second");
    change.accept(zip);
    assertThatThrownBy(() -> ApkFile.open(ImageSource.of(zip.bytes())))
        .isInstanceOfSatisfying(
            ApkException.class, refusal -> assertThat(refusal.error()).isEqualTo(error));
  }

  @Test
  void takesAnOrdinaryZipWithCommentZerosAndDescriptors() throws IOException {
    Zips zip = Zips.of("a", "first", "b/c", "second", "b/", "");
    zip.comment = "PK, but not more".getBytes(StandardCharsets.UTF_8);
    zip.after = new byte[5000];
    zip.entries.add(described("d", true));
    zip.entries.add(described("e", false));
    ZipDirectory directory = ApkFile.open(ImageSource.of(zip.bytes())).directory();
    assertThat(directory.entries())
        .map(io.github.avf4j.microdroid.apk.ZipEntry::name)
        .containsExactly("a", "b/c", "b/", "d", "e");
    assertThat(directory.find("a").orElseThrow().dataOffset()).isEqualTo(31);
  }

  private static Zips.Entry described(String name, boolean withSignature) {
    Zips.Entry entry = new Zips.Entry(name, "content");
    CRC32 crc = new CRC32();
    crc.update(entry.content);
    ByteBuffer buffer = ByteBuffer.allocate(withSignature ? 16 : 12).order(ByteOrder.LITTLE_ENDIAN);
    if (withSignature) {
      buffer.putInt(0x08074b50);
    }
    entry.descriptor = buffer.putInt((int) crc.getValue()).putInt(7).putInt(7).array();
    entry.flags = 8;
    entry.localSize = 0;
    entry.localCrc = 0;
    return entry;
  }

  @Test
  void takesAsManyEntriesAsAZipCanHave() throws IOException {
    assertThat(ApkFile.open(ImageSource.of(many(65_534))).directory().entries()).hasSize(65_534);
  }

  @Test
  void refusesAHundredThousandEntriesWhichNeedZip64() {
    assertThatThrownBy(() -> ApkFile.open(ImageSource.of(many(100_000))))
        .isInstanceOfSatisfying(
            ApkException.class, refusal -> assertThat(refusal.error()).isEqualTo(ApkError.ZIP64));
  }

  @Test
  void refusesAHundredThousandEntriesThatAreCountedModulo65536() {
    Zips zip = new Zips();
    for (int i = 0; i < 100_000; i++) {
      zip.add("f" + i, "");
    }
    assertThatThrownBy(() -> ApkFile.open(ImageSource.of(zip.bytes())))
        .isInstanceOfSatisfying(
            ApkException.class,
            refusal -> assertThat(refusal.error()).isEqualTo(ApkError.CENTRAL_DIRECTORY));
  }

  private static byte[] many(int count) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(bytes)) {
      out.setLevel(1);
      for (int i = 0; i < count; i++) {
        out.putNextEntry(new ZipEntry("assets/" + i));
      }
    }
    return bytes.toByteArray();
  }

  @Test
  void refusesADirectoryThatIsTooLargeWithoutReadingIt() {
    ImageSource huge =
        new ImageSource() {
          private static final long SIZE = 3L << 30;

          @Override
          public long size() {
            return SIZE;
          }

          @Override
          public void read(long position, byte[] target, int offset, int length) {
            assertThat(length).isLessThan(1 << 20);
            ByteBuffer end =
                ByteBuffer.allocate(22)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(0x06054b50)
                    .putInt(0)
                    .putShort((short) 1)
                    .putShort((short) 1)
                    .putInt((int) (SIZE - 22))
                    .putInt(0)
                    .putShort((short) 0);
            for (int i = 0; i < length; i++) {
              long at = position + i - (SIZE - 22);
              target[offset + i] = at < 0 ? 0 : end.array()[(int) at];
            }
          }
        };
    assertThatThrownBy(() -> ApkFile.open(huge))
        .isInstanceOfSatisfying(
            ApkException.class,
            refusal -> assertThat(refusal.error()).isEqualTo(ApkError.TOO_LARGE));
  }

  @Test
  void refusesWhatIsNoZip() {
    for (byte[] bytes :
        new byte[][] {{}, {1}, new byte[100], "PK\5\6".getBytes(StandardCharsets.ISO_8859_1)}) {
      assertThatThrownBy(() -> ApkFile.open(ImageSource.of(bytes)))
          .isInstanceOfSatisfying(
              ApkException.class,
              refusal -> assertThat(refusal.error()).isEqualTo(ApkError.NOT_A_ZIP));
    }
  }
}
