package io.github.avf4j.microdroid.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.pvmfw.PvmfwError;
import io.github.avf4j.attestation.pvmfw.PvmfwException;
import io.github.avf4j.attestation.pvmfw.VerifiedPayload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BootRecordTest {
  @TempDir Path folder;

  private Path file() {
    return folder.resolve(BootRecord.FILE_NAME);
  }

  private void accept(AvbPublicKey key, long rollbackIndex) throws IOException {
    new BootRecord(file())
        .accept(
            new VerifiedPayload(
                false,
                ByteSlice.EMPTY,
                Optional.empty(),
                key,
                0,
                Set.of(),
                rollbackIndex,
                OptionalInt.empty(),
                Optional.empty(),
                ByteSlice.EMPTY));
  }

  private void assertRefused(AvbPublicKey key, long rollbackIndex, PvmfwError error)
      throws IOException {
    byte[] before = Files.readAllBytes(file());
    assertThatThrownBy(() -> accept(key, rollbackIndex))
        .isInstanceOfSatisfying(PvmfwException.class, e -> assertThat(e.error()).isEqualTo(error));
    assertThat(file()).hasBinaryContent(before);
  }

  @Test
  void theIndexOfOneSignerOnlyRises() throws IOException {
    AvbPublicKey key = TestKey.publicKey();
    accept(key, 1);
    accept(key, 1);
    accept(key, 5);
    assertRefused(key, 4, PvmfwError.AVB_ROLLBACK_INDEX);
    accept(key, -1);
    assertThat(file()).content().endsWith("rollback_index 18446744073709551615\n");
    assertRefused(key, Long.MAX_VALUE, PvmfwError.AVB_ROLLBACK_INDEX);
  }

  @Test
  void anotherSignerIsRefusedWhateverItsIndex() throws IOException {
    accept(DevelopmentKey.publicKey(), 1);
    assertRefused(TestKey.publicKey(), 9, PvmfwError.INSTANCE_RECORDED_AUTH_HASH_MISMATCH);
    accept(DevelopmentKey.publicKey(), 2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "avf4j base image 1\n", "avf4j base image 2\nkey 00\nrollback_index 1\n"})
  void aDamagedRecordIsRefused(String text) throws IOException {
    Files.writeString(file(), text);
    assertRefused(TestKey.publicKey(), 1, PvmfwError.INSTANCE_INVALID_RECORD);
  }

  @Test
  void anIndexOfMoreThan64BitsIsDamage() throws IOException {
    accept(TestKey.publicKey(), 1);
    String text = Files.readString(file());
    Files.writeString(file(), text.replace("index 1", "index 99999999999999999999"));
    assertRefused(TestKey.publicKey(), 1, PvmfwError.INSTANCE_INVALID_RECORD);
    Files.writeString(file(), text + " ".repeat(1000));
    assertRefused(TestKey.publicKey(), 1, PvmfwError.INSTANCE_INVALID_RECORD);
  }
}
