package io.github.avf4j.microdroid.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.GuestArchitecture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What tests have in common that unpack kernels for one architecture. */
abstract class UnpackingTest {
  /** The size of a large kernel in bytes. */
  static final int SIZE = 9 << 20;

  @TempDir Path folder;
  KernelUnpacker unpacker;
  private final GuestArchitecture architecture;

  UnpackingTest(GuestArchitecture architecture) {
    this.architecture = architecture;
  }

  @BeforeEach
  void setUp() {
    unpacker = unpackerFor(architecture);
  }

  /** Returns another unpacker with the same cache. */
  KernelUnpacker unpackerFor(GuestArchitecture other) {
    return new KernelUnpacker(new CacheFolder(folder.resolve("cache")), other);
  }

  /** Writes a kernel file; there is one at a time. */
  Path image(byte[] content) throws IOException {
    return Files.write(folder.resolve("vmlinuz"), content);
  }

  void assertAccepted(Path image) {
    KernelUnpacker.check(image, architecture);
  }

  void assertRefused(Path image, String why) {
    assertThatThrownBy(() -> unpacker.unpack(image))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining(image.toString())
        .hasMessageContaining(why);
    assertThatThrownBy(() -> KernelUnpacker.check(image, architecture))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining(image.toString())
        .hasMessageContaining(why);
  }

  void assertNothingLeft() throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
      assertThat(files.filter(Files::isRegularFile)).isEmpty();
    }
  }
}
