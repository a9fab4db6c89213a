package io.github.avf4j.benchmarks;

import io.github.avf4j.microdroid.erofs.ErofsTree;
import io.github.avf4j.microdroid.erofs.ErofsWriter;
import io.github.avf4j.microdroid.image.Progress;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What making an EROFS image of 4 GiB adds to the peak of a JVM's resident memory, from the first
 * line of its program on: heap, buffers, classes, compiled code and threads. The heap is not
 * limited, so nothing is collected only because it must be.
 *
 * <p>Most of the image are zeros of files with holes, which the writer reads and checks as any
 * other bytes.
 */
final class MicrodroidImage implements Benchmark {
  private static final double LIMIT_MEBIBYTES = 64;
  private static final int ROUNDS = 3;
  private static final int FILES = 4;
  private static final long SIZE = 1L << 30;
  private static final long RANDOM = 64L << 20;

  @Override
  public String name() {
    return "microdroid.image";
  }

  @Override
  public Result measure() throws Exception {
    Samples peaks = new Samples();
    try (TemporaryFolder folder = new TemporaryFolder(2 * RANDOM)) {
      Path source = Files.createDirectory(folder.resolve("source"));
      folder.random("source/file0", RANDOM);
      for (int i = 0; i < FILES; i++) {
        try (RandomAccessFile file =
            new RandomAccessFile(source.resolve("file" + i).toFile(), "rw")) {
          file.setLength(SIZE);
        }
      }
      Path image = folder.resolve("image");
      for (int round = 0; round < ROUNDS; round++) {
        peaks.add(PeakMemory.ofChild(Child.class, source, image));
        if (Files.size(image) < FILES * SIZE) {
          throw new IllegalStateException("the image has only " + Files.size(image) + " bytes");
        }
        Files.delete(image);
      }
    }
    return new Result(
        name(),
        peaks.median(),
        "MiB",
        LIMIT_MEBIBYTES,
        "at most 1.00 (64 MiB besides the bare JVM)");
  }

  /** The other JVM: makes the image and prints in MiB what that added to the peak. */
  static final class Child {
    private Child() {}

    /** Takes the source folder and where the image goes. */
    public static void main(String[] arguments) throws IOException {
      double before = PeakMemory.mebibytes();
      new ErofsWriter()
          .write(ErofsTree.of(Path.of(arguments[0])), Path.of(arguments[1]), Progress.NONE);
      System.out.println(PeakMemory.mebibytes() - before);
    }
  }
}
