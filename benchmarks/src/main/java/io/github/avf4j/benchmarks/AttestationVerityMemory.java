package io.github.avf4j.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What making a dm-verity tree over 1 GiB adds to the peak of a JVM's resident memory, from the
 * first line of its program on: heap, buffers, classes, compiled code and threads. The heap is not
 * limited, so nothing is collected only because it must be.
 */
final class AttestationVerityMemory implements Benchmark {
  private static final double LIMIT_MEBIBYTES = 64;
  private static final int ROUNDS = 3;
  private static final long LIMIT_SECONDS = 300;
  private static final Pattern PEAK = Pattern.compile("(?m)^VmHWM:\\s+(\\d+) kB$");

  @Override
  public String name() {
    return "attestation.verity.memory";
  }

  @Override
  public Result measure() throws Exception {
    Samples peaks = new Samples();
    try (TemporaryFolder folder = new TemporaryFolder(VerityTree.SIZE)) {
      Path data = folder.random("data", VerityTree.SIZE);
      for (int round = 0; round < ROUNDS; round++) {
        peaks.add(peakOfChild(data, folder.resolve("tree")));
      }
    }
    return new Result(
        name(),
        peaks.median(),
        "MiB",
        LIMIT_MEBIBYTES,
        "at most 1.00 (64 MiB besides the bare JVM)");
  }

  private static double peakOfChild(Path data, Path tree) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                data.toString(),
                tree.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    // Ends what hangs, and with it the reading below.
    process
        .onExit()
        .orTimeout(LIMIT_SECONDS, TimeUnit.SECONDS)
        .exceptionally(late -> process.destroyForcibly());
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    if (process.waitFor() != 0) {
      throw new IOException("the JVM that makes a tree in little memory failed: " + output);
    }
    return Double.parseDouble(output.strip());
  }

  /** The other JVM: makes the tree and prints in MiB what that added to the peak. */
  static final class Child {
    private Child() {}

    /** Takes the data and where the tree goes. */
    public static void main(String[] arguments) throws IOException {
      double before = peakMebibytes();
      VerityTree.make(Path.of(arguments[0]), Path.of(arguments[1]));
      System.out.println(peakMebibytes() - before);
    }

    private static double peakMebibytes() throws IOException {
      Matcher peak = PEAK.matcher(Files.readString(Path.of("/proc/self/status")));
      if (!peak.find()) {
        throw new IOException("the kernel does not say VmHWM in /proc/self/status");
      }
      return Long.parseLong(peak.group(1)) / 1024.0;
    }
  }
}
