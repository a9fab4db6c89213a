package io.github.avf4j.attestation.avb;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Fuzzing;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

class AvbFuzzTest {
  @FuzzTest(maxDuration = "5m")
  void readsVbmeta(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          VbmetaImage image = VbmetaImage.parse(ByteSlice.copyOf(bytes));
          VbmetaVerifier.verify(image);
          for (AvbDescriptor descriptor : image.descriptors()) {
            AvbDescriptor again = DescriptorList.readOne(ByteSlice.copyOf(descriptor.encode()));
            if (!Arrays.equals(again.encode(), descriptor.encode())) {
              throw new AssertionError("a descriptor changes when it is written and read");
            }
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void readsFooters(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          try {
            VbmetaImage.find(ImageSource.of(bytes)).descriptorList();
          } catch (IOException e) {
            throw new AssertionError("the range was not checked", e);
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void verifiesSlots(byte[] data) {
    Fuzzing.parse(
        data,
        bytes ->
            SlotVerifier.of(name -> Optional.of(ImageSource.of(bytes)), (key, metadata) -> true)
                .verify(Set.of("boot", "initrd_normal")));
  }

  @FuzzTest(maxDuration = "5m")
  void readsDescriptors(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          AvbDescriptor descriptor = DescriptorList.readOne(ByteSlice.copyOf(bytes));
          if (!descriptor.equals(DescriptorList.readOne(ByteSlice.takeOver(descriptor.encode())))) {
            throw new AssertionError("a descriptor changes when it is written and read");
          }
          if (descriptor instanceof HashtreeDescriptor tree) {
            KernelCommandLineDescriptor.forRoot(tree).forEach(AvbDescriptor::encode);
            tree.merkleParameters();
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void readsKeys(byte[] data) {
    Fuzzing.parse(data, RsaKeyFile::publicKey);
    Fuzzing.parse(data, RsaKeyFile::signer);
  }
}
