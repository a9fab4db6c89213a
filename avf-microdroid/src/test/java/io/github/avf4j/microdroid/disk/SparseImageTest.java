package io.github.avf4j.microdroid.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.Foreign;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.Progress;
import io.github.avf4j.microdroid.internal.Crc32Math;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SparseImageTest {
  @TempDir Path folder;

  /** Raw data, zeros, a pattern, and a tail that is no whole block. */
  private static byte[] content() {
    byte[] content = new byte[40 * 4096 + 1000];
    new Random(1).nextBytes(content);
    Arrays.fill(content, 3 * 4096, 20 * 4096, (byte) 0);
    for (int i = 20 * 4096; i < 25 * 4096; i++) {
      content[i] = (byte) (i & 3);
    }
    return content;
  }

  private static byte[] padded(byte[] content) {
    return Arrays.copyOf(content, (content.length + 4095) / 4096 * 4096);
  }

  private SparseImage open(byte[] bytes) throws IOException {
    return SparseImage.open(ImageSource.of(bytes));
  }

  private static byte[] image(int blocks, int chunks, byte[]... parts) {
    SparseHeader header = new SparseHeader(28, 12, 4096, blocks, chunks, 0);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(header.encode());
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  private static byte[] chunk(int type, int blocks, int total, int... words) {
    ByteBuffer out = ByteBuffer.allocate(12 + 4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    out.putShort((short) type).putShort((short) 0).putInt(blocks).putInt(total);
    for (int word : words) {
      out.putInt(word);
    }
    return out.array();
  }

  @Test
  void readsWhatItWrites() throws Exception {
    Path file = folder.resolve("a.simg");
    byte[] content = content();
    new SparseWriter(4096, true).write(ImageSource.of(content), file, Progress.NONE);
    assertThat(Files.size(file)).isLessThan(content.length / 2 + 20000);
    try (FileChannel channel = FileChannel.open(file)) {
      SparseImage image = SparseImage.open(ImageSource.of(channel));
      assertThat(image.readRange(0, (int) image.size())).isEqualTo(padded(content));
      assertThat(image.readRange(3 * 4096 - 5, 17 * 4096 + 17))
          .isEqualTo(Arrays.copyOfRange(content, 3 * 4096 - 5, 20 * 4096 + 12));
      assertThat(image.verify(Progress.NONE)).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void isExpandedBySimg2img(boolean checksum) throws Exception {
    Path file = folder.resolve("a.simg");
    Path raw = folder.resolve("a.img");
    new SparseWriter(4096, checksum).write(ImageSource.of(content()), file, Progress.NONE);
    Foreign.run("android-sdk-libsparse-utils", "simg2img", file, raw);
    assertThat(raw).hasBinaryContent(padded(content()));
  }

  @Test
  void readsWhatImg2simgWrites() throws Exception {
    Path raw = folder.resolve("a.img");
    Path file = folder.resolve("a.simg");
    Files.write(raw, content());
    Foreign.run("android-sdk-libsparse-utils", "img2simg", raw, file);
    SparseImage image = open(Files.readAllBytes(file));
    assertThat(image.readRange(0, (int) image.size())).isEqualTo(padded(content()));
    image.verify(Progress.NONE);
  }

  @Test
  void checksChecksumsOverRawFillAndHoles() throws Exception {
    byte[] content = new byte[3 * 4096];
    for (int i = 0; i < 4096; i += 4) {
      content[i] = 7;
    }
    CRC32 crc = new CRC32();
    crc.update(content);
    byte[] fill = chunk(0xcac2, 1, 16, 7);
    byte[] hole = chunk(0xcac3, 2, 12);
    byte[] good = chunk(0xcac4, 0, 16, (int) crc.getValue());
    assertThat(open(image(3, 3, fill, hole, good)).verify(Progress.NONE)).isEqualTo(1);
    byte[] bad = chunk(0xcac4, 0, 16, 1);
    assertThatThrownBy(() -> open(image(3, 3, fill, hole, bad)).verify(Progress.NONE))
        .isInstanceOf(ImageException.class)
        .hasMessage("sparse image: the checksum of the content is another (at byte 68)");
  }

  @Test
  void verifiesAnEnormousHoleAtOnce() throws Exception {
    SparseHeader header = new SparseHeader(28, 12, 64 << 20, 0xffff_ffffL, 1, 1);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(header.encode());
    out.writeBytes(chunk(0xcac3, -1, 12));
    SparseImage image = open(out.toByteArray());
    assertThat(image.readRange(image.size() - 10, 10)).containsOnly(0);
    assertThatThrownBy(() -> image.verify(Progress.NONE)).hasMessageContaining("checksum");
  }

  @Test
  void joinsChecksumsAsIfOverTheWhole() {
    Random random = new Random(2);
    for (int length : new int[] {0, 1, 7, 4096, 100_000}) {
      byte[] a = new byte[33];
      byte[] b = new byte[length];
      random.nextBytes(a);
      random.nextBytes(b);
      CRC32 all = new CRC32();
      all.update(a);
      all.update(b);
      assertThat(Crc32Math.joined(crc(a), crc(b), length)).isEqualTo((int) all.getValue());
    }
    byte[] repeated = new byte[33 * 11];
    Arrays.fill(repeated, (byte) 9);
    assertThat(Crc32Math.repeated(crc(Arrays.copyOf(repeated, 11)), 11, 33))
        .isEqualTo(crc(repeated));
  }

  private static int crc(byte[] bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  @Test
  void skipsOverLargerHeaders() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new SparseHeader(32, 16, 4096, 1, 1, 0).encode());
    out.writeBytes(new byte[4]);
    out.writeBytes(chunk(0xcac2, 1, 20, 0, 5));
    assertThat(open(out.toByteArray()).readRange(0, 8)).containsExactly(5, 0, 0, 0, 5, 0, 0, 0);
  }

  @Test
  void refusesWhatDoesNotAddUp() {
    byte[] hole = chunk(0xcac3, 1, 12);
    assertRefused("make 1 blocks but the header says 2", image(2, 1, hole));
    assertRefused("goes beyond the 1 blocks", image(1, 2, hole, hole));
    assertRefused("the header of chunk 1", image(2, 2, hole));
    assertRefused("unknown type 0xcac5", image(1, 1, chunk(0xcac5, 1, 12)));
    assertRefused("must have 12 bytes but says 13", image(1, 1, chunk(0xcac3, 1, 13)));
    assertRefused("chunk 0 has 4108 bytes", image(1, 1, chunk(0xcac1, 1, 4108, 1)));
    assertRefused("at most 2097152 chunks", image(1, 1 << 22, hole));
    assertRefused("multiple of 4", new SparseHeader(28, 12, 6, 0, 0, 0).encode());
    assertRefused("multiple of 4", new SparseHeader(28, 12, 128 << 20, 0, 0, 0).encode());
    assertRefused("at least 28 and 12", new SparseHeader(27, 12, 4096, 0, 0, 0).encode());
    assertRefused("the header has 28 bytes", new byte[10]);
  }

  private void assertRefused(String reason, byte[] image) {
    assertThatThrownBy(() -> open(image))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining(reason)
        .hasMessageContaining("at byte");
  }
}
