package io.github.avf4j.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** An ELF kernel of a few instructions of 64-bit code at 1 MiB. */
final class TinyKernel implements AutoCloseable {
  /** {@code cli; hlt; jmp} back: sleeps for ever. */
  static final byte[] SLEEPS = {(byte) 0xFA, (byte) 0xF4, (byte) 0xEB, (byte) 0xFC};

  /** {@code mov al,0xFE; out 0x64,al}: asks for a reset, its first and only exit. */
  static final byte[] RESETS = {
    (byte) 0xB0, (byte) 0xFE, (byte) 0xE6, 0x64, (byte) 0xF4, (byte) 0xEB, (byte) 0xFD
  };

  private static final int HEADER = 64;
  private static final int PROGRAM_HEADER = 56;
  private static final int CODE_OFFSET = 4096;
  private static final long ADDRESS = 0x100000;

  private final Path file;

  TinyKernel(byte[] code) throws IOException {
    ByteBuffer elf = ByteBuffer.allocate(CODE_OFFSET + 4096).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(new byte[] {0x7F, 'E', 'L', 'F', 2, 1, 1});
    elf.putShort(16, (short) 2).putShort(18, (short) 62).putInt(20, 1);
    elf.putLong(24, ADDRESS).putLong(32, HEADER);
    elf.putShort(52, (short) HEADER).putShort(54, (short) PROGRAM_HEADER).putShort(56, (short) 1);
    elf.putInt(HEADER, 1).putInt(HEADER + 4, 5).putLong(HEADER + 8, CODE_OFFSET);
    elf.putLong(HEADER + 16, ADDRESS).putLong(HEADER + 24, ADDRESS);
    elf.putLong(HEADER + 32, 4096).putLong(HEADER + 40, 4096).putLong(HEADER + 48, 4096);
    elf.put(CODE_OFFSET, code);
    file = Files.createTempFile("avf-bench", ".elf");
    Files.write(file, elf.array());
  }

  Path file() {
    return file;
  }

  @Override
  public void close() throws IOException {
    Files.delete(file);
  }
}
