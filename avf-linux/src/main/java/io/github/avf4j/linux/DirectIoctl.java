package io.github.avf4j.linux;

import com.sun.jna.Function;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The system call {@code ioctl} as six instructions that the JVM calls without a detour.
 *
 * <p>JNA's way to a C function costs a vCPU's exit loop a sixth of its time, most of it after the
 * processor has come back from a guest and predicts no branch. So the instructions are put into
 * memory of their own, which is then made executable and no longer writable, and registered as the
 * native method of this class through the JVM's own interface (JNI specification, chapters 4 and 5:
 * GetEnv and RegisterNatives). Where any of that is not possible, on another processor or JVM or
 * where the system forbids it, {@link #AVAILABLE} is false and {@link Ioctl} goes through JNA.
 * Thread-safe.
 */
final class DirectIoctl {
  /** The system property that switches this off when it is {@code false}. */
  static final String PROPERTY = "io.github.avf4j.directIoctl";

  /** Whether {@link #ioctl} can be called. */
  static final boolean AVAILABLE = register();

  private static final long CODE_SIZE = MemoryMapping.PAGE_SIZE;
  private static final int JNI_VERSION_1_6 = 0x00010006;
  private static final int GET_ENV = 6;
  private static final int REGISTER_NATIVES = 215;

  private DirectIoctl() {}

  /** Returns the result, or the negated error number. */
  static native int ioctl(int fd, long request, long argument);

  /** A native method gets the JVM's environment, the class, then its arguments: RDI, RSI, RDX… */
  private static byte[] code() {
    return new byte[] {
      (byte) 0x89,
      (byte) 0xD7, // mov edi, edx
      0x48,
      (byte) 0x89,
      (byte) 0xCE, // mov rsi, rcx
      0x4C,
      (byte) 0x89,
      (byte) 0xC2, // mov rdx, r8
      (byte) 0xB8,
      0x10,
      0,
      0,
      0, // mov eax, 16 (ioctl)
      0x0F,
      0x05, // syscall: the result or the negated error number in RAX
      (byte) 0xC3 // ret
    };
  }

  private static boolean register() {
    if (!"amd64".equals(System.getProperty("os.arch"))
        || "false".equals(System.getProperty(PROPERTY))) {
      return false;
    }
    Logger log = LoggerFactory.getLogger(DirectIoctl.class);
    long code = LibC.MAP_FAILED;
    try {
      code = executable(code());
      registerNative(new Pointer(code));
      return true;
    } catch (RuntimeException | LinkageError e) {
      log.debug("ioctl goes through JNA", e);
      if (code != LibC.MAP_FAILED) {
        LibC.munmap(code, CODE_SIZE);
      }
      return false;
    }
  }

  private static long executable(byte[] code) {
    int flags = LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS;
    long address =
        Errno.check(
            "mmap()", LibC.mmap(0, CODE_SIZE, LibC.PROT_READ | LibC.PROT_WRITE, flags, -1, 0));
    new Pointer(address).write(0, code, 0, code.length);
    if (LibC.mprotect(address, CODE_SIZE, LibC.PROT_READ | LibC.PROT_EXEC) != 0) {
      int errno = Errno.last();
      LibC.munmap(address, CODE_SIZE);
      throw Errno.failure("mprotect(PROT_EXEC)", errno);
    }
    return address;
  }

  private static void registerNative(Pointer code) {
    Pointer environment = environment();
    try (Memory name = cString("ioctl");
        Memory signature = cString("(IJJ)I");
        Memory method = new Memory(3L * Long.BYTES)) {
      method.setPointer(0, name);
      method.setPointer(Long.BYTES, signature);
      method.setPointer(2L * Long.BYTES, code);
      Object result =
          entry(environment, REGISTER_NATIVES)
              .invoke(
                  int.class,
                  new Object[] {environment, DirectIoctl.class, method, 1},
                  Map.of(Library.OPTION_ALLOW_OBJECTS, Boolean.TRUE));
      if (!Integer.valueOf(0).equals(result)) {
        throw new IllegalStateException("RegisterNatives returned " + result);
      }
    }
  }

  /** Returns this thread's {@code JNIEnv *}. */
  private static Pointer environment() {
    NativeLibrary jvm =
        NativeLibrary.getInstance(System.getProperty("java.home") + "/lib/server/libjvm.so");
    try (Memory pointer = new Memory(Long.BYTES);
        Memory count = new Memory(Long.BYTES)) {
      jvm.getFunction("JNI_GetCreatedJavaVMs").invokeInt(new Object[] {pointer, 1, count});
      Pointer machine = pointer.getPointer(0);
      int result =
          entry(machine, GET_ENV).invokeInt(new Object[] {machine, pointer, JNI_VERSION_1_6});
      if (result != 0) {
        throw new IllegalStateException("GetEnv returned " + result);
      }
      return pointer.getPointer(0);
    }
  }

  /** Returns an entry of an object's table of functions. */
  private static Function entry(Pointer object, int index) {
    return Function.getFunction(object.getPointer(0).getPointer((long) index * Long.BYTES));
  }

  private static Memory cString(String text) {
    Memory memory = new Memory(text.length() + 1L);
    memory.setString(0, text);
    return memory;
  }
}
