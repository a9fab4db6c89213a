package io.github.avf4j.microdroid.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.ExecutablePayload;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.Payload;
import io.github.avf4j.StoreException;
import io.github.avf4j.microdroid.Tool;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PayloadDiskTest {
  @TempDir Path folder;
  private Path store;
  private PayloadDisk disk;

  @BeforeEach
  void setUp() throws IOException {
    store = Files.createDirectory(folder.resolve("vm"));
    disk = new PayloadDisk(store.resolve("payload.img"));
  }

  /** An executable for x86-64 with one segment, which is the whole file. */
  private static byte[] elf(int size) {
    ByteBuffer elf = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
    elf.putShort(0x10, (short) 2).putShort(0x12, (short) 62).putLong(0x20, 64);
    elf.putShort(0x36, (short) 56).putShort(0x38, (short) 1);
    elf.putInt(64, 1).putLong(64 + 0x20, size);
    return elf.array();
  }

  private ExecutablePayload payload(byte[] content) throws IOException {
    return Payload.executable(Files.write(folder.resolve("program"), content));
  }

  @Test
  void holdsExecutableArgumentsAndEnvironment() throws Exception {
    byte[] elf = elf(100_001);
    ExecutablePayload payload =
        payload(elf)
            .withArguments("one", "", "ä")
            .withEnvironment("B", "2")
            .withEnvironment("A", "");
    byte[] image = Files.readAllBytes(disk.write(payload));
    assertThat(image.length % 512).isZero();
    assertThat(extract(image, "payload")).isEqualTo(elf);
    assertThat(extract(image, "args")).asString(StandardCharsets.UTF_8).isEqualTo("one\0\0ä\0");
    assertThat(extract(image, "env")).asString(StandardCharsets.UTF_8).isEqualTo("A=\0B=2\0");
  }

  private byte[] extract(byte[] image, String name) throws Exception {
    return Tool.run(folder, image, "cpio", "-i", "--to-stdout", "--quiet", name);
  }

  @Test
  void isAtLeastOnePage() throws Exception {
    byte[] image = Files.readAllBytes(disk.write(payload(elf(120))));
    assertThat(image).hasSize(4096);
    assertThat(new String(image, 0, 110 + 7, StandardCharsets.US_ASCII))
        .startsWith("070701")
        .endsWith("payload");
    assertThat(image[4095]).isZero();
  }

  @Test
  void isWrittenAgainOnlyWhenThePayloadChanges() throws IOException {
    ExecutablePayload payload = payload(elf(120));
    Object first = key(disk.write(payload));
    assertThat(key(disk.write(payload))).isEqualTo(first);
    assertThat(key(disk.write(payload.withArguments("x")))).isNotEqualTo(first);
    Files.delete(store.resolve("payload.img"));
    assertThat(disk.write(payload.withArguments("x"))).exists();
    payload(elf(121));
    assertThat(Files.readAllBytes(disk.write(payload)))
        .containsSequence("00000079".getBytes(StandardCharsets.US_ASCII));
  }

  private static Object key(Path file) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
    return attributes.fileKey() + " " + attributes.lastModifiedTime();
  }

  @Test
  void refusesWhatTheGuestCannotRun() throws IOException {
    assertRefused("#!/bin/sh\necho\n".getBytes(StandardCharsets.US_ASCII), "but a script");
    assertRefused(
        "text, and long enough to be looked at as a header, or is it".getBytes(), "no ELF");
    assertRefused(Arrays.copyOf(elf(120), 63), "is truncated");
    assertRefused(Arrays.copyOf(elf(5000), 4999), "is truncated");
    assertRefused(
        changed(0x12, 183),
        "is for arm64 but the guest is 64-bit x86-64: build it for x86_64-unknown-linux");
    assertRefused(changed(4, 1), "is for x86-64 but the guest is 64-bit");
    assertRefused(changed(0x10, 1), "no executable (type 1)");
    assertRefused(changed(64, 3), "is linked dynamically");
    assertRefused(changed(64, 4), "has nothing to load");
    assertRefused(changed(0x38, 0xff), "no program headers");
    assertRefused(changed(0x27, 0xff), "no program headers");
    assertThat(list()).isEmpty();
  }

  private static byte[] changed(int at, int value) {
    byte[] elf = elf(120);
    elf[at] = (byte) value;
    return elf;
  }

  @Test
  void refusesADynamicExecutableOfThisHost() throws IOException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    assumeTrue(Files.exists(java), java + " is not there");
    assertThatThrownBy(() -> disk.write(Payload.executable(java)))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("is linked dynamically")
        .hasMessageContaining("-static");
  }

  @Test
  void refusesMoreThanAnArchiveCanHold() throws IOException {
    ExecutablePayload payload = payload(elf(120));
    // A file with a hole, which takes no room on the disk.
    try (FileChannel file = FileChannel.open(payload.executable(), StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(new byte[1]), 1L << 32);
    }
    assertThatThrownBy(() -> disk.write(payload))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("must have at most 4294967295 bytes but has 4294967297");
    assertThat(list()).isEmpty();
  }

  @Test
  void refusesTooManyArguments() throws IOException {
    ExecutablePayload payload = payload(elf(120)).withArguments("x".repeat(128 << 10));
    assertThatThrownBy(() -> disk.write(payload))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("arguments must have at most 131072 bytes");
  }

  @Test
  void leavesNothingBehindWhenTheStoreIsGone() throws IOException {
    ExecutablePayload payload = payload(elf(120));
    Files.delete(store);
    assertThatThrownBy(() -> disk.write(payload)).isInstanceOf(StoreException.class);
  }

  private void assertRefused(byte[] content, String why) throws IOException {
    ExecutablePayload payload = payload(content);
    assertThatThrownBy(() -> disk.write(payload))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining(payload.executable().toString())
        .hasMessageContaining(why);
  }

  private Stream<Path> list() throws IOException {
    return Files.list(store);
  }
}
