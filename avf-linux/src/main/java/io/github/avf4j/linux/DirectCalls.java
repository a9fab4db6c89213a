package io.github.avf4j.linux;

import com.sun.jna.Function;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * System calls as a few instructions that the JVM calls without a detour.
 *
 * <p>JNA's way to a C function costs a vCPU's exit loop a sixth of its time, most of it after the
 * processor has come back from a guest and predicts no branch. So the instructions are put into
 * memory of their own, which is then made executable and no longer writable, and registered as the
 * native methods of this class through the JVM's own interface (JNI specification, chapters 4 and
 * 5: GetEnv and RegisterNatives). Where any of that is not possible, on another processor or JVM or
 * where the system forbids it, {@link #AVAILABLE} is false and callers go through JNA. Thread-safe.
 */
final class DirectCalls {
  /** The system property that switches this off when it is {@code false}. */
  static final String PROPERTY = "io.github.avf4j.directIoctl";

  private static final long CODE_SIZE = MemoryMapping.PAGE_SIZE;
  private static final int JNI_VERSION_1_6 = 0x00010006;
  private static final int GET_ENV = 6;
  private static final int REGISTER_NATIVES = 215;

  /** How far the instructions of the second method are from those of the first. */
  private static final int SECOND = 64;

  /** Whether the methods can be called. The last constant: it needs those above. */
  static final boolean AVAILABLE = register();

  private DirectCalls() {}

  /** {@code ioctl}: returns the result, or the negated error number. */
  static native int ioctl(int fd, long request, long argument);

  /** A system call by its number: returns the result, or the negated error number. */
  static native long call(long number, long a, long b, long c, long d);

  private static boolean register() {
    Optional<DirectCode> instructions = DirectCode.ofThisProcessor();
    if (instructions.isEmpty() || "false".equals(System.getProperty(PROPERTY))) {
      return false;
    }
    Logger log = LoggerFactory.getLogger(DirectCalls.class);
    long code = LibC.MAP_FAILED;
    try {
      code = executable(instructions.get());
      registerNatives(new Pointer(code));
      return true;
    } catch (RuntimeException | LinkageError e) {
      log.debug("system calls go through JNA", e);
      if (code != LibC.MAP_FAILED) {
        LibC.munmap(code, CODE_SIZE);
      }
      return false;
    }
  }

  /**
   * The kernel makes written instructions visible to the processor when it makes them executable.
   */
  private static long executable(DirectCode code) {
    int flags = LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS;
    long address =
        Errno.check(
            "mmap()", LibC.mmap(0, CODE_SIZE, LibC.PROT_READ | LibC.PROT_WRITE, flags, -1, 0));
    new Pointer(address).write(0, code.ioctl(), 0, code.ioctl().length);
    new Pointer(address).write(SECOND, code.call(), 0, code.call().length);
    if (LibC.mprotect(address, CODE_SIZE, LibC.PROT_READ | LibC.PROT_EXEC) != 0) {
      int errno = Errno.last();
      LibC.munmap(address, CODE_SIZE);
      throw Errno.failure("mprotect(PROT_EXEC)", errno);
    }
    return address;
  }

  private static void registerNatives(Pointer code) {
    Pointer environment = environment();
    // struct JNINativeMethod: name, signature, code.
    try (Memory ioctl = cString("ioctl");
        Memory ioctlSignature = cString("(IJJ)I");
        Memory call = cString("call");
        Memory callSignature = cString("(JJJJJ)J");
        Memory methods = new Memory(6L * Long.BYTES)) {
      methods.setPointer(0, ioctl);
      methods.setPointer(Long.BYTES, ioctlSignature);
      methods.setPointer(2L * Long.BYTES, code);
      methods.setPointer(3L * Long.BYTES, call);
      methods.setPointer(4L * Long.BYTES, callSignature);
      methods.setPointer(5L * Long.BYTES, code.share(SECOND));
      Object result =
          entry(environment, REGISTER_NATIVES)
              .invoke(
                  int.class,
                  new Object[] {environment, DirectCalls.class, methods, 2},
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
