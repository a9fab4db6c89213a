package io.github.avf4j.microdroid.verity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.MerkleLayout;
import io.github.avf4j.attestation.verity.TreeSink;
import io.github.avf4j.microdroid.apk.Vectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FsVerityDescriptorTest {
  private static final ByteSlice SALT = ByteSlice.ofHex("010203040506");

  static Stream<JsonNode> vectors() {
    return StreamSupport.stream(Vectors.json("fsverity.json").spliterator(), false);
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void digestsLikeTheKernel(JsonNode vector) throws IOException {
    byte[] data = new byte[vector.required("size").intValue()];
    Arrays.fill(data, (byte) vector.required("byte").intValue());
    FsVerityDescriptor descriptor =
        FsVerityDescriptor.of(ImageSource.of(data), ByteSlice.EMPTY, TreeSink.DISCARD);
    assertThat(descriptor.rootHash()).isEqualTo(Vectors.hex(vector, "merkle_root"));
    assertThat(descriptor.digest()).isEqualTo(Vectors.hex(vector, "fsverity_digest_sha256"));
    assertThat(
            MerkleLayout.of(FsVerityDescriptor.parameters(ByteSlice.EMPTY), data.length).treeSize())
        .isEqualTo(vector.required("merkle_tree_size").longValue());
  }

  @ParameterizedTest
  @ValueSource(strings = {"input.4K", "input.1M"})
  void encodesTheDescriptorWithItsSalt(String name) throws IOException {
    FsVerityDescriptor descriptor =
        FsVerityDescriptor.of(Vectors.source(name), SALT, TreeSink.DISCARD);
    assertThat(descriptor.encode()).isEqualTo(Vectors.bytes(name + ".descriptor"));
  }

  @Test
  void handsOutTheTree() throws IOException {
    byte[] tree = new byte[12288];
    FsVerityDescriptor.of(Vectors.source("input.1M"), SALT, TreeSink.into(tree));
    assertThat(tree).isEqualTo(Vectors.bytes("input.1M.hash"));
  }

  @Test
  void refusesASaltThatIsTooLong() {
    assertThatThrownBy(
            () ->
                FsVerityDescriptor.of(
                    ImageSource.of(new byte[0]),
                    ByteSlice.takeOver(new byte[33]),
                    TreeSink.DISCARD))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at most 32 bytes but has 33");
  }
}
