package io.github.avf4j.benchmarks;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A dm-verity tree over 1 GiB, synced to the disk, against veritysetup on the same file. */
final class AttestationVerity implements Benchmark {
  private static final int ROUNDS = 5;
  private static final long LIMIT_SECONDS = 300;
  private static final Pattern ROOT = Pattern.compile("Root hash:\\s+([0-9a-f]+)");

  @Override
  public String name() {
    return "attestation.verity";
  }

  @Override
  public Result measure() throws Exception {
    String tool = tool();
    Samples ours = new Samples();
    Samples theirs = new Samples();
    try (TemporaryFolder folder = new TemporaryFolder(VerityTree.SIZE)) {
      Path data = folder.random("data", VerityTree.SIZE);
      Path theirTree = folder.resolve("theirs");
      Path ourTree = folder.resolve("ours");
      for (int round = -1; round < ROUNDS; round++) {
        long start = System.nanoTime();
        String theirRoot = format(tool, data, theirTree);
        long middle = System.nanoTime();
        String ourRoot = VerityTree.make(data, ourTree).toHex();
        sync(ourTree);
        long end = System.nanoTime();
        if (!ourRoot.equals(theirRoot)) {
          throw new IllegalStateException(
              "the root hash is " + ourRoot + " but veritysetup's is " + theirRoot);
        }
        if (round >= 0) {
          theirs.add(VerityTree.mebibytesPerSecond((middle - start) / 1e9));
          ours.add(VerityTree.mebibytesPerSecond((end - middle) / 1e9));
        }
      }
    }
    return new Result(
        name(), ours.median(), "MiB/s", theirs.median(), "at least 1.50 (veritysetup)");
  }

  // As veritysetup does.
  private static void sync(Path tree) throws IOException {
    try (FileChannel file = FileChannel.open(tree, StandardOpenOption.WRITE)) {
      file.force(true);
    }
  }

  private static String tool() throws Unavailable {
    String tool = System.getProperty("avf.bench.veritysetup", "");
    if (tool.isEmpty() || !Files.isExecutable(Path.of(tool))) {
      throw new Unavailable(
          "veritysetup is missing: install Debian's package cryptsetup-bin and run bin/bench again");
    }
    return tool;
  }

  /** Makes the tree by the tool and returns the root hash. */
  private static String format(String tool, Path data, Path tree)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                tool,
                "format",
                "--hash=sha256",
                "--data-block-size=" + VerityTree.BLOCK,
                "--hash-block-size=" + VerityTree.BLOCK,
                "--salt=" + VerityTree.SALT.toHex(),
                data.toString(),
                tree.toString())
            .redirectErrorStream(true)
            .start();
    // Ends what hangs, and with it the reading below.
    process
        .onExit()
        .orTimeout(LIMIT_SECONDS, TimeUnit.SECONDS)
        .exceptionally(late -> process.destroyForcibly());
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Matcher root = ROOT.matcher(output);
    if (process.waitFor() != 0 || !root.find()) {
      throw new IOException("veritysetup failed: " + output);
    }
    return root.group(1);
  }
}
