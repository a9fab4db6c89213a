package io.github.avf4j.attestation.pvmfw;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.Fuzzing;
import io.github.avf4j.attestation.SecretBytes;
import java.util.Arrays;

class PvmfwFuzzTest {
  @FuzzTest(maxDuration = "5m")
  void readsConfiguration(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          try (PvmfwConfig config = PvmfwConfig.parse(bytes);
              PvmfwConfig again = PvmfwConfig.parse(config.encode().toByteArray())) {
            for (PvmfwConfig.Entry entry : PvmfwConfig.Entry.values()) {
              if (!config.blob(entry).equals(again.blob(entry))) {
                throw new AssertionError("a blob changes when it is written and read");
              }
            }
            config
                .blob(PvmfwConfig.Entry.RESERVED_MEMORY)
                .map(SecretBytes::toByteArray)
                .ifPresent(ReservedMemory::parse);
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void readsInstanceImages(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          byte[] disk = Arrays.copyOf(bytes, bytes.length);
          InstanceImage image = InstanceImage.open(InstanceStorage.of(disk));
          for (InstanceImage.Record record : image.records()) {
            image.payload(record);
          }
          image.append(InstanceImage.PVMFW, new byte[221]);
        });
  }

  @FuzzTest(maxDuration = "5m")
  void opensRecords(byte[] data) {
    Fuzzing.parse(data, PvmfwRecord::decode);
  }
}
