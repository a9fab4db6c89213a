package io.github.avf4j.microdroid.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.KernelImage;
import io.github.avf4j.microdroid.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModuleFolderTest {
  @TempDir Path folder;

  private void module(String path, String... modinfo) throws IOException {
    file(path, ModuleFiles.of(modinfo));
  }

  private void file(String path, byte[] content) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Files.write(file, content);
  }

  private List<String> resolve(String... names) {
    return ModuleFolder.open(folder).resolve(List.of(names)).stream()
        .map(KernelModule::name)
        .toList();
  }

  @Test
  void putsEachModuleAfterWhatItNeeds() throws IOException {
    module("kernel/a.ko", "license=GPL", "depends=b,c", "name=a");
    module("kernel/b.ko", "depends=c,d", "name=b");
    module("kernel/c.ko", "depends=d", "name=c");
    module("kernel/d.ko", "depends=", "name=d");
    module("kernel/e.ko", "name=e");
    assertThat(resolve("e", "a", "c")).containsExactly("e", "d", "c", "b", "a");
  }

  @Test
  void leavesOutWhatIsNotThereWhereThatIsFine() throws IOException {
    module("kernel/a.ko", "depends=b", "name=a");
    module("kernel/b.ko", "depends=", "name=b");
    module("kernel/c.ko", "depends=gone", "name=c");
    ModuleFolder modules = ModuleFolder.open(folder);
    assertThat(modules.resolveAvailable(List.of("none", "a")))
        .extracting(KernelModule::name)
        .containsExactly("b", "a");
    assertThatThrownBy(() -> modules.resolveAvailable(List.of("c")))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("module gone,");
  }

  @Test
  void takesDashesAndUnderscoresAsTheSame() throws IOException {
    module("kernel/virtio-rng.ko", "depends=rng-core", "name=virtio_rng");
    module("kernel/rng-core.ko", "depends=", "name=rng_core");
    assertThat(resolve("virtio_rng")).containsExactly("rng_core", "virtio_rng");
  }

  @Test
  void readsCompressedModules() throws Exception {
    byte[] plain = ModuleFiles.of("depends=b,c", "name=a");
    file("a.ko.xz", Tool.run(folder, plain, "xz", "--check=crc32"));
    byte[] second = ModuleFiles.of("depends=", "name=b");
    file("b.ko.zst", Tool.run(folder, second, "zstd", "--quiet"));
    file("c.ko.gz", Tool.run(folder, ModuleFiles.of("name=c"), "gzip"));
    List<KernelModule> modules = ModuleFolder.open(folder).resolve(List.of("a"));
    assertThat(modules).extracting(KernelModule::name).containsExactly("b", "c", "a");
    assertThat(modules.get(2).content()).isEqualTo(plain);
    assertThat(modules.get(0).content()).isEqualTo(second);
  }

  @Test
  void leavesOutWhatIsBuiltIn() throws IOException {
    module("kernel/a.ko", "depends=virtio_ring", "name=a");
    Files.writeString(
        folder.resolve("modules.builtin"),
        "kernel/drivers/virtio/virtio_ring.ko\nkernel/drivers/block/virtio-blk.ko\n");
    assertThat(resolve("a", "virtio_blk")).containsExactly("a");
  }

  @Test
  void takesAnEmptyFolderAsAllBuiltIn() {
    assertThat(resolve("virtio_mmio")).isEmpty();
  }

  @Test
  void saysWhichModuleIsMissing() throws IOException {
    module("kernel/a.ko", "depends=gone", "name=a");
    assertThatThrownBy(() -> resolve("a"))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("module gone, which its module a needs, is neither in " + folder);
    assertThatThrownBy(() -> resolve("virtio_mmio"))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("module virtio_mmio, which the guest needs");
  }

  @Test
  void saysWhenTheFolderIsMissing() {
    assertThatThrownBy(() -> ModuleFolder.open(folder.resolve("none")))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("does not exist")
        .hasMessageContaining("bin/setup");
  }

  @Test
  void refusesACircle() throws IOException {
    module("a.ko", "depends=b", "name=a");
    module("b.ko", "depends=a", "name=b");
    assertThatThrownBy(() -> resolve("a"))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("a, b")
        .hasMessageContaining("circle");
  }

  @Test
  void refusesDamagedModules() throws IOException {
    byte[] whole = ModuleFiles.of("depends=", "name=a");
    for (int length = 0; length < whole.length - 64; length += 13) {
      file("a.ko", Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> resolve("a"))
          .as("length %s", length)
          .isInstanceOf(InvalidImageException.class);
    }
    for (int at : new int[] {0x28, 0x29, 0x2f, 0x3e}) {
      byte[] wrong = whole.clone();
      wrong[at] = (byte) 0x7f;
      file("a.ko", wrong);
      assertThatThrownBy(() -> resolve("a"))
          .as("byte %s", at)
          .isInstanceOf(InvalidImageException.class);
    }
  }

  @Test
  void resolvesTheInstalledKernelsModules() {
    Path modules = KernelImage.installed().modules();
    assumeTrue(Files.isDirectory(modules), modules + " is not there: run bin/setup");
    List<String> names =
        ModuleFolder.open(modules)
            .resolve(List.of("virtio_mmio", "virtio_blk", "vmw_vsock_virtio_transport"))
            .stream()
            .map(KernelModule::name)
            .toList();
    assertThat(names)
        .containsSubsequence("virtio_ring", "virtio", "virtio_mmio")
        .containsSubsequence(
            "vsock", "vmw_vsock_virtio_transport_common", "vmw_vsock_virtio_transport")
        .doesNotHaveDuplicates();
  }
}
