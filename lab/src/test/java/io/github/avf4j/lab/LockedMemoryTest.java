package io.github.avf4j.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import io.github.avf4j.DataSize;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.kvm.testing.Arm64Code;
import io.github.avf4j.kvm.testing.RunningMachine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A protected machine of a user who may not lock memory. */
@Tag("pkvm")
class LockedMemoryTest {
  private static final NativeLibrary LIBC = NativeLibrary.getInstance("c");
  private static final int RLIMIT_MEMLOCK = 8;
  private static final int CAP_IPC_LOCK = 14;
  private static final int CAP_SYS_RESOURCE = 24;
  private static final int CAPABILITY_VERSION_3 = 0x20080522;

  @TempDir Path folder;

  @Test
  void saysWhichLimitToRaise() throws Exception {
    byte[] image = new Arm64Code().print("hello").powerOff().image();
    Path kernel = Files.write(folder.resolve("Image"), image);
    Memory before = limit(0, 0);
    assertThat(call("getrlimit", RLIMIT_MEMLOCK, before)).isZero();
    FutureTask<String> ended = new FutureTask<>(() -> runWithoutRights(kernel));
    try {
      assertThat(call("setrlimit", RLIMIT_MEMLOCK, limit(0, 0))).isZero();
      // Rights are a thread's own: this one can raise the limit again.
      Thread thread = new Thread(ended, "without-rights");
      thread.setDaemon(true);
      thread.start();
      assertThat(ended.get(120, TimeUnit.SECONDS))
          .contains("INFRASTRUCTURE_ERROR ioctl(KVM_RUN) of vCPU 0 failed: ENOMEM (12)")
          .contains("this process may lock 0 KiB: raise the limit of locked memory to 4096 KiB");
    } finally {
      assertThat(call("setrlimit", RLIMIT_MEMLOCK, before)).isZero();
    }
  }

  /** The threads of the machine have what rights the thread has that makes them. */
  private static String runWithoutRights(Path kernel) throws Exception {
    drop(CAP_IPC_LOCK);
    drop(CAP_SYS_RESOURCE);
    try (RunningMachine machine =
        RunningMachine.create(
            spec ->
                spec.kernel(kernel)
                    .memory(DataSize.ofMebibytes(4))
                    .protection(ProtectionLevel.HARDWARE))) {
      return machine.start().awaitStop().toString();
    }
  }

  /** capset(2): effective and permitted are the first words of each half. */
  private static void drop(int capability) {
    Memory header = new Memory(8);
    header.setInt(0, CAPABILITY_VERSION_3);
    header.setInt(4, 0);
    Memory rights = new Memory(24);
    assertThat(call("capget", header, rights)).isZero();
    int half = 12 * (capability / Integer.SIZE);
    for (int set : new int[] {half, half + 4}) {
      rights.setInt(set, rights.getInt(set) & ~(1 << capability % Integer.SIZE));
    }
    assertThat(call("capset", header, rights)).isZero();
  }

  /** struct rlimit. */
  private static Memory limit(long soft, long hard) {
    Memory limit = new Memory(16);
    limit.setLong(0, soft);
    limit.setLong(8, hard);
    return limit;
  }

  private static int call(String function, Object... arguments) {
    return LIBC.getFunction(function).invokeInt(arguments);
  }
}
