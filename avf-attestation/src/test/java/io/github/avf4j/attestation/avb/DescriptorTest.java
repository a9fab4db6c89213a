package io.github.avf4j.attestation.avb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.avb.AvbException.Kind;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DescriptorTest {
  @ParameterizedTest
  @ValueSource(strings = {"chain_partition", "hash", "hashtree", "kernel_commandline", "property"})
  void writesWhatItRead(String kind) {
    byte[] bytes = Vectors.bytes("avb/descriptors/" + kind + "_descriptor.bin");
    AvbDescriptor descriptor = DescriptorList.readOne(ByteSlice.copyOf(bytes));
    assertThat(descriptor.encode()).isEqualTo(bytes);
    assertThat(descriptor).isNotInstanceOf(UnknownDescriptor.class);
  }

  @Test
  void readsTheFieldsOfAHashDescriptor() {
    HashDescriptor hash = (HashDescriptor) read("hash");
    assertThat(hash.imageSize()).isEqualTo(0x4000);
    assertThat(hash.hashAlgorithm()).isEqualTo("sha256");
    assertThat(hash.partitionName()).isEqualTo("test_part");
    assertThat(hash.salt().length()).isEqualTo(2);
    assertThat(hash.digest().length()).isEqualTo(32);
  }

  @Test
  void readsTheFieldsOfAChainDescriptor() {
    ChainPartitionDescriptor chain = (ChainPartitionDescriptor) read("chain_partition");
    assertThat(chain.partitionName()).isEqualTo("test_part_2");
    assertThat(chain.rollbackIndexLocation()).isEqualTo(4);
    assertThat(AvbPublicKey.parse(chain.publicKey()).bits()).isEqualTo(8192);
  }

  @Test
  void refusesALengthThatIsNoMultipleOfEight() {
    assertFault("hash", 15, 0xa1, Kind.DESCRIPTOR_HEADER);
  }

  @Test
  void refusesALengthBeyondTheList() {
    assertFault("hash", 15, 0xa8, Kind.DESCRIPTOR_HEADER);
  }

  @Test
  void refusesPartsThatDoNotFit() {
    assertFault("hash", 63, 0x7f, Kind.DESCRIPTOR_SIZE);
    assertFault("property", 16, 0x80, Kind.DESCRIPTOR_SIZE);
  }

  @Test
  void refusesPartsThatLeaveRoom() {
    assertFault("hash", 67, 0x08, Kind.DESCRIPTOR_SIZE);
  }

  @Test
  void refusesAPropertyWithoutNul() {
    assertFault("property", 32 + 13, 'x', Kind.DESCRIPTOR_CONTENTS);
  }

  @Test
  void refusesANameThatIsNotUtf8() {
    assertFault("hash", 132, 0xff, Kind.DESCRIPTOR_UTF8);
  }

  @Test
  void refusesAChainToLocationZero() {
    assertFault("chain_partition", 19, 0, Kind.DESCRIPTOR_VALUE);
  }

  @Test
  void keepsAnUnknownKindAsItIs() {
    byte[] bytes = ByteBuffer.allocate(24).putLong(77).putLong(8).putLong(5).array();
    assertThat(DescriptorList.readOne(ByteSlice.copyOf(bytes)).encode()).isEqualTo(bytes);
  }

  @Test
  void listsWhatStandsBeforeAFault() {
    byte[] good = Vectors.bytes("avb/descriptors/property_descriptor.bin");
    DescriptorList list =
        DescriptorList.read(ByteSlice.takeOver(ByteBuffer.allocate(72).put(good).array()));
    assertThat(list.descriptors()).hasSize(1);
    assertThat(list.fault()).isPresent();
    assertThat(list.fault().orElseThrow().position()).hasValue(64);
  }

  private static AvbDescriptor read(String kind) {
    return DescriptorList.readOne(Vectors.slice("avb/descriptors/" + kind + "_descriptor.bin"));
  }

  private static void assertFault(String kind, int at, int value, Kind fault) {
    byte[] bytes = Vectors.bytes("avb/descriptors/" + kind + "_descriptor.bin");
    bytes[at] = (byte) value;
    assertThatThrownBy(() -> DescriptorList.readOne(ByteSlice.copyOf(bytes)))
        .isInstanceOfSatisfying(AvbException.class, e -> assertThat(e.kind()).isEqualTo(fault));
  }
}
