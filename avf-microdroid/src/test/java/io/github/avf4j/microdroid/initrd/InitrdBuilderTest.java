package io.github.avf4j.microdroid.initrd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.KernelImage;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.Tool;
import io.github.avf4j.microdroid.kernel.ModuleFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InitrdBuilderTest {
  private static final byte[] INIT = {1, 2, 3};

  @TempDir Path folder;
  private KernelImage kernel;
  private InitrdBuilder builder;
  private int inits;

  @BeforeEach
  void setUp() throws IOException {
    Path modules = Files.createDirectory(folder.resolve("modules"));
    for (String name : InitrdBuilder.MODULES) {
      Files.write(modules.resolve(name + ".ko"), ModuleFiles.of("depends=virtio", "name=" + name));
    }
    Files.write(modules.resolve("virtio.ko"), ModuleFiles.of("depends=", "name=virtio"));
    kernel = KernelImage.of(folder.resolve("vmlinux"), modules);
    builder = builder();
  }

  private InitrdBuilder builder() {
    return new InitrdBuilder(
        new CacheFolder(folder.resolve("cache")),
        () -> {
          inits++;
          return INIT;
        });
  }

  private List<String> list(Path initrd) throws Exception {
    byte[] names = Tool.run(folder, Files.readAllBytes(initrd), "cpio", "-it", "--quiet");
    return List.of(new String(names, StandardCharsets.UTF_8).split("\n"));
  }

  private byte[] extract(Path initrd, String name) throws Exception {
    return Tool.run(
        folder, Files.readAllBytes(initrd), "cpio", "-i", "--to-stdout", "--quiet", name);
  }

  @Test
  void holdsInitFoldersConsoleAndModulesInLoadOrder() throws Exception {
    Path initrd = builder.build(kernel);
    assertThat(list(initrd))
        .contains("init", "dev", "dev/console", "proc", "sys", "run", "tmp", "payload")
        .contains("lib/modules/virtio.ko", "lib/modules/virtio_mmio.ko");
    assertThat(extract(initrd, "init")).isEqualTo(INIT);
    assertThat(new String(extract(initrd, "lib/modules/load"), StandardCharsets.UTF_8).lines())
        .startsWith("/lib/modules/virtio.ko", "/lib/modules/virtio_mmio.ko")
        .hasSize(InitrdBuilder.MODULES.size() + 1);
    assertThat(extract(initrd, "lib/modules/virtio.ko"))
        .isEqualTo(Files.readAllBytes(kernel.modules().resolve("virtio.ko")));
  }

  @Test
  void isMadeOncePerKernel() {
    Path first = builder.build(kernel);
    assertThat(builder.build(kernel)).isEqualTo(first);
    assertThat(inits).isEqualTo(1);
    assertThat(builder().build(kernel)).isEqualTo(first);
  }

  @Test
  void isMadeAgainWhenAModuleChangesOrTheCacheIsEmptied() throws IOException {
    Path first = builder.build(kernel);
    Files.delete(first);
    assertThat(builder.build(kernel)).isEqualTo(first).exists();
    Files.write(
        kernel.modules().resolve("virtio.ko"), ModuleFiles.of("depends=", "name=virtio", "x=1"));
    assertThat(builder.build(kernel)).isNotEqualTo(first);
  }

  @Test
  void saysWhichModuleIsMissing() throws IOException {
    Files.delete(kernel.modules().resolve("virtio.ko"));
    assertThatThrownBy(() -> builder.build(kernel))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("module virtio,");
  }

  @Test
  void theGuestsInitIsBuiltIntoThisLibraryAndStatic() {
    byte[] init = GuestBinary.INIT.read();
    assertThat(Arrays.copyOf(init, 5)).containsExactly(0x7f, 'E', 'L', 'F', 2);
    assertThat(new String(init, StandardCharsets.ISO_8859_1)).doesNotContain("/lib64/ld-linux");
  }

  @Test
  void theLauncherOfPayloadsAndTheirLibraryAreBuiltInAndNeedTheGuestsRuntime() {
    String launcher = new String(GuestBinary.LAUNCHER.read(), StandardCharsets.ISO_8859_1);
    assertThat(launcher).contains("/lib64/ld-linux-x86-64.so.2", "libc.so.6", "AVmPayload_main");
    String library = new String(GuestBinary.PAYLOAD_LIBRARY.read(), StandardCharsets.ISO_8859_1);
    assertThat(library)
        .contains(
            "libc.so.6",
            "AVmPayload_notifyPayloadReady",
            "AVmPayload_runVsockRpcServer",
            "libvm_payload.so",
            "libbinder_ndk.so");
    String binder = new String(GuestBinary.BINDER_LIBRARY.read(), StandardCharsets.ISO_8859_1);
    assertThat(binder).contains("libc.so.6", "AIBinder_Class_define", "libbinder_ndk.so");
  }
}
