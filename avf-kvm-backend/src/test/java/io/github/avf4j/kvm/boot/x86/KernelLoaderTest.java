package io.github.avf4j.kvm.boot.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.kvm.boot.BootState;
import io.github.avf4j.kvm.boot.ImageCache;
import io.github.avf4j.kvm.boot.ImageFile;
import io.github.avf4j.kvm.boot.Initrd;
import io.github.avf4j.kvm.testing.GuestCode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelLoaderTest {
  private static final long MEMORY = 4 << 20;

  @TempDir Path folder;

  @Test
  void entersElfKernelsByPvhIfTheyHaveTheNote() throws Exception {
    GuestCode code = new GuestCode().halt();
    assertThat(load(code.pvhElf())).isEqualTo(new PvhBoot(GuestCode.LOAD_ADDRESS));
    assertThat(load(code.elf())).isEqualTo(new LinuxBoot(GuestCode.LOAD_ADDRESS));
    assertThat(load(code.bzImage())).isEqualTo(new LinuxBoot(GuestCode.LOAD_ADDRESS + 0x200));
  }

  @Test
  void entersA32BitElfKernelByPvhOnly() throws Exception {
    ByteBuffer b = ByteBuffer.allocate(0x100).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(0, 0x464C457F).put(4, (byte) 1).put(5, (byte) 1).put(6, (byte) 1);
    b.putShort(16, (short) 2).putShort(18, (short) 3).putInt(24, 0x100000).putInt(28, 52);
    b.putShort(42, (short) 32).putShort(44, (short) 2);
    b.putInt(52, 1).putInt(56, 0xC0).putInt(64, 0x100000).putInt(68, 0x40).putInt(72, 0x80);
    b.putInt(84, 4).putInt(88, 0xE0).putInt(100, 20);
    b.putInt(0xE0, 4).putInt(0xE4, 4).putInt(0xE8, 18).putInt(0xEC, 0x006E6558);
    b.putInt(0xF0, 0x100010);
    assertThat(load(b.array())).isEqualTo(new PvhBoot(0x100010));
    assertRejected(
        changed(b.array(), bytes -> bytes.putInt(84, 0)), "is a 32-bit ELF file without a PVH");
  }

  @Test
  void saysWhatIsWrongWithAFile() throws Exception {
    byte[] elf = new GuestCode().halt().elf();
    assertRejected(new byte[0], "is empty");
    assertRejected(new byte[] {0x7F, 'E', 'L', 'F'}, "ends inside its ELF header");
    assertRejected(Arrays.copyOf(elf, elf.length - 1), "ends before the end of a segment");
    assertRejected(Arrays.copyOf(elf, 100), "ends before its program headers");
    assertRejected("not a kernel".getBytes(), "is neither an ELF file nor a bzImage: give an");
    assertRejected(new byte[] {0x1F, (byte) 0x8B, 8, 0}, "but gzip data");
    assertRejected(changed(elf, b -> b.putShort(18, (short) 183)), "for another processor");
    assertRejected(changed(elf, b -> b.putLong(24, 0xFFFFFFFF81000000L)), "has its entry");
    assertRejected(changed(elf, b -> b.putLong(64 + 24, 0x1000)), "0x100000 and above");
    assertRejected(changed(elf, b -> b.putLong(64 + 40, 1L << 40)), "ends above 3 GiB");
    assertRejected(changed(elf, b -> b.putLong(64 + 40, MEMORY)), "give the machine more memory");
    assertRejected(changed(elf, b -> b.putShort(56, (short) 0)), "has 0 program headers");
    assertRejected(changed(elf, b -> b.putInt(64, 6)), "has nothing to load");
    assertThatThrownBy(() -> loadFile(folder.resolve("missing"), Optional.empty()))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("missing does not exist");
    assertThatThrownBy(() -> loadFile(folder, Optional.empty()))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("is not a regular file");
  }

  @Test
  void saysThatAnInitrdIsMissingEmptyOrTooLarge() throws Exception {
    Path kernel = Files.write(folder.resolve("k"), new GuestCode().halt().elf());
    Path large = Files.write(folder.resolve("large"), new byte[(int) MEMORY]);
    Path empty = Files.write(folder.resolve("empty"), new byte[0]);
    assertThatThrownBy(() -> loadFile(kernel, Optional.of(large)))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("large does not fit: 4 MiB of initrd");
    assertThatThrownBy(() -> loadFile(kernel, Optional.of(empty)))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("the initrd " + empty + " is empty");
  }

  @Test
  void mapsLargeSegmentsAndCopiesTheirEdges() throws Exception {
    byte[] text = new byte[ImageCache.SMALL + 5000];
    new Random(1).nextBytes(text);
    GuestCode code = new GuestCode();
    for (byte b : text) {
      code.raw(b);
    }
    byte[] elf = code.elf(); // the segment begins at 0x80 in the file: no page can be mapped
    byte[] aligned = alignedElf(text, 0x1234);
    for (byte[] file : new byte[][] {elf, aligned, aligned}) {
      Path path = Files.write(folder.resolve("large" + file.length), file);
      try (MachineMemory memory = new MachineMemory(MEMORY)) {
        KernelLoader.load(memory, path, Optional.empty(), "");
        long at = file == elf ? GuestCode.LOAD_ADDRESS : 0x102234;
        byte[] loaded = new byte[text.length];
        memory.guest().read(at, loaded, 0, loaded.length);
        assertThat(Arrays.equals(loaded, text)).as("loaded").isTrue();
        assertThat(memory.guest().loadLong(at + text.length)).as("zeros follow").isZero();
        assertThat(memory.guest().loadLong(at - 8)).as("zeros come before").isZero();
        memory.guest().storeLong(at + 8192, 42);
      }
    }
  }

  @Test
  void readsAFileAgainWhenItHasChanged() throws Exception {
    byte[] text = new byte[ImageCache.SMALL + 5000];
    Path path = folder.resolve("kernel");
    for (byte marker = 1; marker <= 5; marker++) {
      Arrays.fill(text, marker);
      Path fresh = Files.write(folder.resolve("fresh"), alignedElf(text, 0));
      Files.move(fresh, path, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      try (MachineMemory memory = new MachineMemory(MEMORY)) {
        KernelLoader.load(memory, path, Optional.empty(), "");
        assertThat(memory.guest().loadByte(0x101000)).isEqualTo(marker);
      }
    }
  }

  @Test
  void rejectsOrLoadsWhateverIsInAFile() throws Exception {
    GuestCode code = new GuestCode().print("some code").halt();
    Random random = new Random(20260101);
    for (byte[] good : new byte[][] {code.elf(), code.pvhElf(), code.bzImage()}) {
      for (int i = 0; i < 3000; i++) {
        byte[] bad = Arrays.copyOf(good, 1 + random.nextInt(good.length));
        if (random.nextInt(3) > 0) {
          bad = good.clone();
        }
        int header = Math.min(bad.length, i % 2 == 0 ? 0x280 : bad.length);
        for (int n = random.nextInt(6); n >= 0; n--) {
          int value = random.nextInt(4) == 0 ? -1 : random.nextInt(256);
          bad[random.nextInt(header)] = (byte) value;
        }
        tryToLoad(bad);
      }
    }
  }

  @Test
  void rejectsTheNextToEndlessNote() throws Exception {
    byte[] elf = new GuestCode().halt().pvhElf();
    tryToLoad(changed(elf, b -> b.putInt(0xC0, -1)));
    tryToLoad(changed(elf, b -> b.putInt(0xC4, -1)));
    tryToLoad(changed(elf, b -> b.putInt(0xC0, 0).putInt(0xC4, 0)));
    tryToLoad(changed(elf, b -> b.putLong(120 + 32, Long.MAX_VALUE)));
  }

  private void tryToLoad(byte[] file) {
    ImageFile image = new ImageFile(Path.of("fuzz"), ByteBuffer.wrap(file), null);
    try (MachineMemory memory = new MachineMemory(MEMORY)) {
      if (ElfKernel.isElf(image)) {
        ElfKernel kernel = ElfKernel.parse(image);
        if (kernel.end() <= memory.lowEnd()) {
          kernel.load(image, memory);
        }
      } else if (BzImage.isBzImage(image)) {
        BzImage kernel = BzImage.parse(image);
        if (kernel.end() <= memory.lowEnd()) {
          kernel.load(image, memory);
          LinuxBoot.prepare(memory, Initrd.NONE, 1, image, kernel);
        }
      }
    } catch (InvalidImageException e) {
      assertThat(e).hasMessageContaining("fuzz ").hasMessageContaining(": ");
    } catch (RuntimeException e) {
      fail("a damaged file must be rejected: " + java.util.HexFormat.of().formatHex(file), e);
    }
  }

  private interface Change {
    void apply(ByteBuffer bytes);
  }

  private static byte[] changed(byte[] file, Change change) {
    byte[] copy = file.clone();
    change.apply(ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN));
    return copy;
  }

  /** An ELF file whose segment has the same offset in its page as its address. */
  private static byte[] alignedElf(byte[] text, int inPage) {
    byte[] small = new GuestCode().halt().elf();
    int offset = 0x1000 + inPage;
    ByteBuffer b = ByteBuffer.allocate(offset + text.length).order(ByteOrder.LITTLE_ENDIAN);
    b.put(0, small, 0, 0x80);
    b.putLong(24, 0x100000 + offset).putLong(64 + 8, offset).putLong(64 + 24, 0x100000 + offset);
    b.putLong(64 + 32, text.length).putLong(64 + 40, text.length + 100_000);
    b.put(offset, text);
    return b.array();
  }

  private void assertRejected(byte[] file, String why) throws Exception {
    assertThatThrownBy(() -> load(file))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining(why);
  }

  private BootState load(byte[] file) throws Exception {
    return loadFile(Files.write(folder.resolve("kernel"), file), Optional.empty());
  }

  private static BootState loadFile(Path kernel, Optional<Path> initrd) {
    try (MachineMemory memory = new MachineMemory(MEMORY)) {
      return KernelLoader.load(memory, kernel, initrd, "quiet");
    }
  }
}
