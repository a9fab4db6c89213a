package io.github.avf4j.service;

import io.github.avf4j.KernelImage;
import io.github.avf4j.Payload;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.GuestImages;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A store, a kernel, a payload and a fake backend in a temporary folder. */
final class Fixture {
  final FakeBackend backend = new FakeBackend();
  final LocalVirtualization service;
  final Path folder;
  final Path store;
  final KernelImage kernel;
  final Path payload;

  Fixture(Path folder) throws IOException {
    this.folder = folder;
    this.store = folder.resolve("store");
    this.service =
        new LocalVirtualization(
            new Backends(List.of(backend), List.of()),
            new GuestImages(new CacheFolder(folder.resolve("cache"))),
            new MicrodroidHost(new CacheFolder(folder.resolve("cache")), folder.resolve("data")));
    this.kernel =
        KernelImage.of(
            Files.write(folder.resolve("vmlinux"), tinyElf()),
            Files.createDirectories(folder.resolve("modules")));
    this.payload = Files.write(folder.resolve("payload"), tinyElf());
  }

  VirtualMachineManager open() {
    return service.openManager(store);
  }

  VirtualMachineConfig.Builder config() {
    return VirtualMachineConfig.builder().kernel(kernel).payload(Payload.executable(payload));
  }

  /** A static x86-64 executable of one segment that loads the file's own headers. */
  static byte[] tinyElf() {
    return ByteBuffer.allocate(120)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
        .putShort((short) 2)
        .putShort((short) 62)
        .putInt(1)
        .putLong(0x400078)
        .putLong(64)
        .putLong(0)
        .putInt(0)
        .putShort((short) 64)
        .putShort((short) 56)
        .putShort((short) 1)
        .putShort((short) 0)
        .putShort((short) 0)
        .putShort((short) 0)
        .putInt(1)
        .putInt(5)
        .putLong(0)
        .putLong(0x400000)
        .putLong(0x400000)
        .putLong(120)
        .putLong(120)
        .putLong(4096)
        .array();
  }
}
