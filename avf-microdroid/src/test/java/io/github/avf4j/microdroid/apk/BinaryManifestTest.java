package io.github.avf4j.microdroid.apk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BinaryManifestTest {
  private static final String ANDROID = "http://schemas.android.com/apk/res/android";

  @TempDir Path folder;

  /** Writes binary XML with one element. */
  private static final class Xml {
    final List<String> strings = new ArrayList<>();
    final LittleEndianWriter attributes = new LittleEndianWriter();
    int count;
    boolean utf8;
    String element = "manifest";
    String namespace = "";

    Xml text(String namespace, String name, String value) {
      return attribute(namespace, name, id(value), 3, id(value));
    }

    Xml number(String name, int type, long value) {
      return attribute(ANDROID, name, 0xffffffffL, type, value);
    }

    Xml attribute(String space, String name, long raw, int type, long data) {
      attributes.u32(id(space)).u32(id(name)).u32(raw).u32(8L | (long) type << 24).u32(data);
      count++;
      return this;
    }

    private long id(String text) {
      if (text.isEmpty()) {
        return 0xffffffffL;
      }
      if (!strings.contains(text)) {
        strings.add(text);
      }
      return strings.indexOf(text);
    }

    byte[] bytes() {
      byte[] start =
          new LittleEndianWriter()
              .u32(1)
              .u32(0xffffffffL)
              .u32(id(namespace))
              .u32(id(element))
              .u32(20 | 20 << 16)
              .u32(count)
              .u32(0)
              .bytes(attributes.toByteArray())
              .toByteArray();
      byte[] body =
          new LittleEndianWriter()
              .bytes(pool())
              .bytes(chunk(0x0180, 8, new byte[8]))
              .bytes(chunk(0x0100, 16, new byte[16]))
              .bytes(chunk(0x0102, 16, start))
              .bytes(new byte[] {'r', 'e', 's', 't'})
              .toByteArray();
      return chunk(0x0003, 8, body);
    }

    private byte[] pool() {
      LittleEndianWriter offsets = new LittleEndianWriter();
      ByteArrayOutputStream data = new ByteArrayOutputStream();
      for (String text : strings) {
        offsets.u32(data.size());
        byte[] bytes = text.getBytes(utf8 ? StandardCharsets.UTF_8 : StandardCharsets.UTF_16LE);
        if (utf8) {
          data.write(text.length());
          data.write(bytes.length);
        } else {
          data.write(text.length());
          data.write(text.length() >> 8);
        }
        data.writeBytes(bytes);
        data.writeBytes(new byte[utf8 ? 1 : 2]);
      }
      while (data.size() % 4 != 0) {
        data.write(0);
      }
      return chunk(
          0x0001,
          28,
          new LittleEndianWriter()
              .u32(strings.size())
              .u32(0)
              .u32(utf8 ? 1 << 8 : 0)
              .u32(28 + 4L * strings.size())
              .u32(0)
              .bytes(offsets.toByteArray())
              .bytes(data.toByteArray())
              .toByteArray());
    }

    private static byte[] chunk(int type, int header, byte[] body) {
      return new LittleEndianWriter()
          .u32(type | header << 16)
          .u32(8L + body.length)
          .bytes(body)
          .toByteArray();
    }

    ManifestInfo parse() {
      return BinaryManifest.parse(ByteSlice.takeOver(bytes()));
    }
  }

  private static Xml xml() {
    return new Xml().text("", "package", "com.example");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void readsBothEncodings(boolean utf8) {
    Xml xml = xml().number("versionCode", 0x10, 7).number("versionCodeMajor", 0x11, 1);
    xml.utf8 = utf8;
    assertThat(xml.parse()).isEqualTo(new ManifestInfo("com.example", 1L << 32 | 7));
  }

  @ParameterizedTest
  @CsvSource({"7, 7", "0x10, 16", "0XfF, 255", "010, 8", "0, 0", "4294967295, 4294967295"})
  void readsNumbersAsCWritesThem(String text, long value) {
    assertThat(xml().text(ANDROID, "versionCode", text).parse().versionCode()).isEqualTo(value);
  }

  @ParameterizedTest
  @ValueSource(strings = {"4294967296", "-1", "+1", "09", "0x", "1.0", "one", "0x1 "})
  void refusesTextThatIsNoNumber(String text) {
    assertThatThrownBy(() -> xml().text(ANDROID, "versionCode", text).parse())
        .isInstanceOf(ApkException.class)
        .hasMessageContaining("versionCode");
  }

  @Test
  void takesAbsentAttributesAsNothing() {
    assertThat(new Xml().parse()).isEqualTo(ManifestInfo.UNKNOWN);
  }

  @Test
  void looksOnlyAtTheRightNamespaces() {
    Xml xml =
        new Xml()
            .text(ANDROID, "package", "wrong")
            .text("", "versionCode", "1")
            .text("urn:other", "versionCodeMajor", "1");
    assertThat(xml.parse()).isEqualTo(ManifestInfo.UNKNOWN);
  }

  @Test
  void refusesWhatContradictsItself() {
    Xml two = new Xml();
    two.strings.addAll(List.of("one", "two"));
    two.attribute("", "package", 0, 3, 1);
    Xml number = new Xml().attribute("", "package", 0xffffffffL, 0x10, 7);
    Xml reference = xml().number("versionCode", 0x01, 7);
    Xml element = xml();
    element.element = "application";
    Xml namespace = xml();
    namespace.namespace = ANDROID;
    for (Xml wrong : List.of(two, number, reference, element, namespace)) {
      assertThatThrownBy(wrong::parse)
          .isInstanceOfSatisfying(
              ApkException.class,
              refusal -> assertThat(refusal.error()).isEqualTo(ApkError.MANIFEST));
    }
  }

  @Test
  void neverFailsInAnotherWay() {
    byte[] whole = xml().number("versionCode", 0x10, 7).bytes();
    for (int at = 0; at < whole.length; at++) {
      for (int value : new int[] {0, 1, 0x7f, 0x80, 0xff}) {
        byte[] changed = whole.clone();
        changed[at] = (byte) value;
        parse(changed);
      }
      parse(Arrays.copyOf(whole, at));
    }
  }

  private static void parse(byte[] bytes) {
    try {
      BinaryManifest.parse(ByteSlice.takeOver(bytes));
    } catch (ApkException e) {
      assertThat(e.error()).isEqualTo(ApkError.MANIFEST);
    }
  }

  @Test
  void countsAnUnreadableManifestAsUnknown() throws Exception {
    Zips zip = Zips.ofPackage("a", "b");
    byte[] apk = Apksig.sign(folder, zip.bytes(), builder -> builder, TestKeys.of("secp256r1"));
    VerifiedApk good = ApkVerifier.verify(ImageSource.of(apk), ApkPolicy.DEFAULT);
    assertThat(good.manifest().packageName()).isEqualTo("com.example.avf.sample");
    byte[] without =
        Apksig.sign(
            folder, Zips.of("a", "b").bytes(), builder -> builder, TestKeys.of("secp256r1"));
    VerifiedApk unknown = ApkVerifier.verify(ImageSource.of(without), ApkPolicy.DEFAULT);
    assertThat(unknown.manifest()).isEqualTo(ManifestInfo.UNKNOWN);
    assertThat(unknown.manifestFault()).contains("there is no AndroidManifest.xml");
  }
}
