package io.github.avf4j.attestation.pvmfw;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Fuzzing;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.devicetree.DeviceTree;
import java.util.Arrays;
import java.util.List;

class PvmfwFuzzTest {
  private static final DeviceAssignmentTest.Hypervisor HYPERVISOR =
      new DeviceAssignmentTest.Hypervisor();

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

  @FuzzTest(maxDuration = "5m")
  void opensMicrodroidRecords(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          MicrodroidRecord record = MicrodroidRecord.decode(bytes);
          if (!MicrodroidRecord.decode(record.encode()).equals(record)) {
            throw new AssertionError("a record changes when it is written and read");
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void readsReservedMemory(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          List<ReservedMemory> all = ReservedMemory.parse(bytes);
          byte[] written = ReservedMemory.encode(all).toByteArray();
          if (!ReservedMemory.parse(written).equals(all)) {
            throw new AssertionError("reserved memory changes when it is written and read");
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void readsReservedNames(byte[] data) {
    Fuzzing.parse(data, bytes -> ReservedName.parse(ByteSlice.copyOf(bytes)));
  }

  @FuzzTest(maxDuration = "5m")
  void assignsDevices(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          DeviceTree tree = DeviceTrees.parse(ByteSlice.copyOf(bytes));
          HYPERVISOR
              .assign(DeviceTrees.parse(Vectors.slice("fdt/host_devices.dtb")), tree)
              .ifPresent(assignment -> assignment.applyTo(new DeviceTree(), 96));
          HYPERVISOR.assign(tree, DeviceTrees.parse(Vectors.slice("fdt/vm_dtbo.dtb")));
        });
  }

  @FuzzTest(maxDuration = "5m")
  void checksHostTrees(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          HostTree host =
              HostTree.parse(
                  DeviceTrees.parse(ByteSlice.copyOf(bytes)), PvmfwRevision.MARCH_2025, 4096);
          GuestMachine.make(host).encode();
        });
  }
}
