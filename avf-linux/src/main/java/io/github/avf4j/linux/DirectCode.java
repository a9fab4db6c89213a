package io.github.avf4j.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/**
 * The instructions of {@link DirectCalls} on a processor. A static native method gets the JVM's
 * environment, the class, then its arguments. Not changed by anybody.
 *
 * @param ioctl those of {@code ioctl(fd, request, argument)}
 * @param call those of {@code call(number, a, b, c, d)}
 * @param copyIn the number of {@code pwrite64}, which copies from this process's memory
 * @param copyOut the number of {@code pread64}, which copies to it
 */
record DirectCode(byte[] ioctl, byte[] call, int copyIn, int copyOut) {
  /** Arguments are in RDI, RSI, RDX, RCX, R8, R9, then on the stack; system calls want R10. */
  private static final DirectCode X86_64 =
      new DirectCode(
          hex(
              "89d7" // mov edi, edx
                  + "4889ce" // mov rsi, rcx
                  + "4c89c2" // mov rdx, r8
                  + "b810000000" // mov eax, 16 (ioctl)
                  + "0f05" // syscall: the result or the negated error number in RAX
                  + "c3"), // ret
          hex(
              "4889d0" // mov rax, rdx
                  + "4889cf" // mov rdi, rcx
                  + "4c89c6" // mov rsi, r8
                  + "4c89ca" // mov rdx, r9
                  + "4c8b542408" // mov r10, [rsp+8]
                  + "0f05" // syscall
                  + "c3"), // ret
          18,
          17);

  /** Arguments are in X0 to X7; the number of a system call is in X8. */
  private static final DirectCode AARCH64 =
      new DirectCode(
          words(
              0x2A0203E0, // mov w0, w2
              0xAA0303E1, // mov x1, x3
              0xAA0403E2, // mov x2, x4
              0xD28003A8, // mov x8, #29 (ioctl)
              0xD4000001, // svc #0: the result or the negated error number in X0
              0xD65F03C0), // ret
          words(
              0xAA0203E8, // mov x8, x2
              0xAA0303E0, // mov x0, x3
              0xAA0403E1, // mov x1, x4
              0xAA0503E2, // mov x2, x5
              0xAA0603E3, // mov x3, x6
              0xD4000001, // svc #0
              0xD65F03C0), // ret
          68,
          67);

  /** By the names that JVMs have for processors. */
  private static final Map<String, DirectCode> BY_PROCESSOR =
      Map.of("amd64", X86_64, "aarch64", AARCH64);

  /** Returns the instructions of this JVM's processor, if they are known. */
  static Optional<DirectCode> ofThisProcessor() {
    return Optional.ofNullable(BY_PROCESSOR.get(System.getProperty("os.arch")));
  }

  private static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits);
  }

  private static byte[] words(int... instructions) {
    ByteBuffer bytes =
        ByteBuffer.allocate(instructions.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(instructions);
    return bytes.array();
  }
}
