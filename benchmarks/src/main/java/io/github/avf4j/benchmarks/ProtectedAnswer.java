package io.github.avf4j.benchmarks;

import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DataSize;
import io.github.avf4j.HostReport;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.Virtualization;
import io.github.avf4j.VsockChannel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * From the making of a machine to the first answer of a payload without an operating system:
 * protected, against the same machine and payload without protection.
 */
final class ProtectedAnswer implements Benchmark {
  private static final String PAYLOAD = "/io/github/avf4j/examples/protect/protected-payload.bin";
  private static final int ROUNDS = 15;
  private static final int WARM_UP = 3;
  private static final int PORT = 5000;
  private static final int CHALLENGE = 32;
  private static final Duration LIMIT = Duration.ofMinutes(1);

  @Override
  public String name() {
    return "protected.answer";
  }

  @Override
  public Result measure() throws Exception {
    for (HostReport.Protection protection : Virtualization.probe().protection()) {
      if (protection.level() == ProtectionLevel.HARDWARE && !protection.available()) {
        throw new Unavailable(protection.reason());
      }
    }
    Samples isolated = new Samples();
    Samples ordinary = new Samples();
    try (TemporaryFolder folder = new TemporaryFolder(1 << 20);
        VirtualMachineManager manager = VirtualMachineManager.open(folder.resolve("store"))) {
      Path payload = payload(folder.resolve("payload.bin"));
      for (int round = -WARM_UP; round < ROUNDS; round++) {
        double with = answer(manager, payload, ProtectionLevel.HARDWARE);
        double without = answer(manager, payload, ProtectionLevel.NONE);
        if (round >= 0) {
          isolated.add(with);
          ordinary.add(without);
        }
      }
    }
    return new Result(name(), isolated.median(), "ms", ordinary.median(), "at most 1.50");
  }

  private static Path payload(Path file) throws IOException, Unavailable {
    try (InputStream in = ProtectedAnswer.class.getResourceAsStream(PAYLOAD)) {
      if (in == null) {
        throw new Unavailable("the example's payload is missing: run this through bin/bench");
      }
      Files.copy(in, file);
    }
    return file;
  }

  /** Returns milliseconds. */
  private static double answer(VirtualMachineManager manager, Path payload, ProtectionLevel level)
      throws IOException, InterruptedException {
    long start = System.nanoTime();
    VirtualMachine vm =
        manager.create(
            "bench",
            VirtualMachineConfig.builder()
                .customImage(CustomImageConfig.builder().kernel(payload).commandLine("").build())
                .memory(DataSize.ofMebibytes(64))
                .protectionLevel(level)
                .build());
    vm.run();
    long end;
    try (VsockChannel channel = vm.connectVsock(PORT)) {
      ByteBuffer question = ByteBuffer.allocate(5 + CHALLENGE).order(ByteOrder.LITTLE_ENDIAN);
      question.putInt(1 + CHALLENGE).put((byte) 1).clear();
      while (question.hasRemaining()) {
        channel.write(question);
      }
      int length = Channels.newInputStream(channel).readNBytes(question.capacity()).length;
      end = System.nanoTime();
      if (length != question.capacity()) {
        throw new IOException("the payload answered " + length + " bytes");
      }
    }
    vm.stop();
    if (vm.awaitStopped(LIMIT).isEmpty()) {
      throw new IOException("the machine does not stop");
    }
    manager.delete("bench");
    return (end - start) / 1e6;
  }
}
