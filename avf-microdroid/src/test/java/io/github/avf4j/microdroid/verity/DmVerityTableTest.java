package io.github.avf4j.microdroid.verity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.TreeSink;
import io.github.avf4j.microdroid.Tool;
import io.github.avf4j.microdroid.apk.Vectors;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DmVerityTableTest {
  private static final ByteSlice ROOT = ByteSlice.ofHex("ab".repeat(32));

  @TempDir Path folder;

  @Test
  void saysWhatTheKernelReads() {
    DmVerityTable table =
        new DmVerityTable("/dev/loop0", "/dev/loop1", 45056, ROOT, ByteSlice.EMPTY);
    assertThat(table.sectors()).isEqualTo(88);
    assertThat(table.parameters())
        .isEqualTo("1 /dev/loop0 /dev/loop1 4096 4096 11 0 sha256 " + "ab".repeat(32) + " -");
  }

  @Test
  void fillsASaltUpAsFsVerityDoes() throws Exception {
    byte[] tree = new byte[12288];
    ByteSlice salt = ByteSlice.ofHex("010203040506");
    FsVerityDescriptor descriptor =
        FsVerityDescriptor.of(Vectors.source("input.1M"), salt, TreeSink.into(tree));
    DmVerityTable table = new DmVerityTable("d", "h", 1 << 20, descriptor.rootHash(), salt);
    String filled = table.parameters().substring(table.parameters().lastIndexOf(' ') + 1);
    assertThat(filled).hasSize(128).startsWith("010203040506").endsWith("00");
    Path data = Files.write(folder.resolve("data"), Vectors.bytes("input.1M"));
    Path hashes = Files.write(folder.resolve("hashes"), tree);
    Tool.run(
        folder,
        new byte[0],
        "veritysetup",
        "verify",
        "--no-superblock",
        "--hash=sha256",
        "--salt=" + filled,
        data.toString(),
        hashes.toString(),
        descriptor.rootHash().toHex());
  }

  @Test
  void needsWholeBlocks() {
    assertThatThrownBy(() -> new DmVerityTable("d", "h", 4097, ROOT, ByteSlice.EMPTY))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4097");
  }
}
