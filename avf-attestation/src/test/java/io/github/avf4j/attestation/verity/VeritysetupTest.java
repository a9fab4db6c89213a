package io.github.avf4j.attestation.verity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.attestation.ByteSlice;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Compares with veritysetup of cryptsetup, which is the kernel's own tool. */
class VeritysetupTest {
  private static final Pattern ROOT = Pattern.compile("Root hash:\\s+([0-9a-f]+)");

  @TempDir Path directory;
  private String tool = "";

  @BeforeEach
  void findTool() {
    Optional<Path> found =
        Stream.of("/usr/sbin/veritysetup", "/sbin/veritysetup", "/usr/bin/veritysetup")
            .map(Path::of)
            .filter(Files::isExecutable)
            .findFirst();
    assumeTrue(
        found.isPresent(), "veritysetup is missing: install package cryptsetup-bin to compare");
    tool = found.orElseThrow().toString();
  }

  @ParameterizedTest
  @CsvSource({
    "SHA256, 4096, 32, 1", "SHA256, 4096, 32, 128", "SHA256, 4096, 32, 129",
    "SHA256, 4096, 0, 16385", "SHA1, 4096, 20, 300", "SHA512, 4096, 64, 300",
    "SHA256, 1024, 7, 5000"
  })
  void makesTheTreeThatVeritysetupMakes(VerityHash hash, int block, int saltSize, int blocks)
      throws Exception {
    Path data = random(blocks * block);
    Path theirs = directory.resolve("theirs");
    ByteSlice salt = ByteSlice.takeOver(new byte[saltSize]);
    String output =
        run(
            "format",
            "--no-superblock",
            "--hash=" + hash.kernelName(),
            "--data-block-size=" + block,
            "--hash-block-size=" + block,
            "--salt=" + (saltSize == 0 ? "-" : salt.toHex()),
            data.toString(),
            theirs.toString());
    MerkleParameters parameters = MerkleParameters.dmVerity(hash, block, block, salt);
    byte[] tree = new byte[(int) MerkleLayout.of(parameters, (long) blocks * block).treeSize()];
    ByteSlice root;
    try (FileChannel file = FileChannel.open(data)) {
      root = MerkleTree.build(ImageSource.of(file), parameters, TreeSink.into(tree));
    }
    assertThat(root.toHex()).isEqualTo(group(ROOT, output));
    assertThat(Files.readAllBytes(theirs)).startsWith(tree);
  }

  @Test
  void makesATreeThatVeritysetupVerifies() throws Exception {
    Path data = random(700 * 4096);
    Path tree = directory.resolve("ours");
    ByteSlice salt = ByteSlice.ofHex("aa55");
    MerkleParameters parameters = MerkleParameters.dmVerity(VerityHash.SHA256, 4096, 4096, salt);
    ByteSlice root;
    try (FileChannel in = FileChannel.open(data);
        FileChannel out =
            FileChannel.open(tree, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      root = MerkleTree.build(ImageSource.of(in), parameters, TreeSink.into(out, 0));
    }
    run(
        "verify",
        "--no-superblock",
        "--hash=sha256",
        "--data-block-size=4096",
        "--hash-block-size=4096",
        "--data-blocks=700",
        "--salt=" + salt.toHex(),
        data.toString(),
        tree.toString(),
        root.toHex());
  }

  @ParameterizedTest
  @CsvSource({"19, 2", "300, 2", "254, 24", "1000, 7"})
  void makesTheParityThatVeritysetupMakes(int blocks, int roots) throws Exception {
    Path data = random(blocks * 4096);
    Path tree = directory.resolve("tree");
    Path fec = directory.resolve("fec");
    run(
        "format",
        "--no-superblock",
        "--salt=-",
        "--fec-device=" + fec,
        "--fec-roots=" + roots,
        data.toString(),
        tree.toString());
    byte[] both = concat(Files.readAllBytes(data), Files.readAllBytes(tree));
    byte[] parity = new byte[(int) ForwardErrorCorrection.paritySize(both.length, roots)];
    ForwardErrorCorrection.encode(ImageSource.of(both), roots, TreeSink.into(parity));
    assertThat(Files.readAllBytes(fec)).isEqualTo(parity);
  }

  private String run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(tool));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    return output;
  }

  private Path random(int size) throws IOException {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return Files.write(directory.resolve("data"), bytes);
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static String group(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    assertThat(matcher.find()).as(text).isTrue();
    return matcher.group(1);
  }
}
