package io.github.avf4j.microdroid.disk;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.Fuzzing;
import io.github.avf4j.microdroid.image.Progress;

class DiskFuzzTest {
  @FuzzTest(maxDuration = "5m")
  void readsCompositeDisks(byte[] data) {
    Fuzzing.read(
        data,
        bytes -> {
          CompositeDisk disk = CompositeDisk.parse(ByteSlice.copyOf(bytes));
          if (!CompositeDisk.parse(ByteSlice.takeOver(disk.encode())).equals(disk)) {
            throw new AssertionError("a descriptor changes when it is written and read");
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void readsPartitionTables(byte[] data) {
    Fuzzing.read(data, bytes -> PartitionTable.read(ImageSource.of(bytes)));
  }

  @FuzzTest(maxDuration = "5m")
  void readsMetadata(byte[] data) {
    Fuzzing.read(
        data,
        bytes -> {
          PayloadMetadata metadata = PayloadMetadata.parse(ByteSlice.copyOf(bytes));
          ByteSlice again = ByteSlice.takeOver(metadata.encode());
          if (!PayloadMetadata.parse(again).equals(metadata)) {
            throw new AssertionError("metadata changes when it is written and read");
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void readsSparseImages(byte[] data) {
    Fuzzing.read(
        data,
        bytes -> {
          SparseImage image = SparseImage.open(ImageSource.of(bytes));
          image.readRange(0, (int) Math.min(image.size(), 1 << 16));
          image.verify(Progress.NONE);
        });
  }
}
