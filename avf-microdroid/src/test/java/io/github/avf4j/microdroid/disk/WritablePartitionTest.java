package io.github.avf4j.microdroid.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.pvmfw.InstanceImage;
import io.github.avf4j.attestation.pvmfw.InstanceStorage;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.Vectors;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WritablePartitionTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "ANDROID_VM_INSTANCE, instance-empty.img",
    "ENCRYPTEDSTORE, encryptedstore-empty.img",
    "RAW, zero.img"
  })
  void writesTheBytesOfTheVector(WritablePartition kind, String vector) throws Exception {
    Path file = folder.resolve("p.img");
    assertThat(kind.create(file, 1000)).isEqualTo(4096);
    assertThat(file).hasBinaryContent(Vectors.bytes(vector));
  }

  @Test
  void makesAnInstanceImageThatOpens() throws Exception {
    Path file = folder.resolve("instance.img");
    WritablePartition.ANDROID_VM_INSTANCE.create(file, 10 << 20);
    assertThat(Files.size(file)).isEqualTo(10 << 20);
    try (FileChannel channel = FileChannel.open(file)) {
      assertThat(InstanceImage.open(InstanceStorage.of(channel)).records()).isEmpty();
    }
  }

  @Test
  void tellsNewStoresFromFormattedOnes() throws Exception {
    byte[] store = Vectors.bytes("encryptedstore-empty.img");
    assertThat(WritablePartition.isUnformattedStore(ImageSource.of(store))).isTrue();
    store[3] ^= 1;
    assertThat(WritablePartition.isUnformattedStore(ImageSource.of(store))).isFalse();
    assertThatThrownBy(() -> WritablePartition.isUnformattedStore(ImageSource.of(new byte[100])))
        .hasMessageContaining("multiple of 4096 but is 100");
  }

  @Test
  void refusesSizesBelowOne() {
    assertThatThrownBy(() -> WritablePartition.RAW.create(folder.resolve("x"), -1))
        .hasMessageContaining("-1");
  }
}
