package io.github.avf4j.qemu.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.avf4j.HypervisorException;
import io.github.avf4j.qemu.qmp.QmpConnection;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds QEMU and tries it out with a tiny guest, which also tells how fast the guests' time-stamp
 * counter runs.
 *
 * <p>Blocks for some 100 ms. Thread-safe.
 */
public final class QemuProbe {
  /** The system property with the path of the executable to use instead of that on PATH. */
  public static final String BINARY_PROPERTY = "avf.qemu.binary";

  private static final String EXECUTABLE = "qemu-system-x86_64";
  private static final String INSTALL = "install the package qemu-system-x86";
  private static final String OR_SET =
      ", or name another executable by the property " + BINARY_PROPERTY;
  private static final int OLDEST_MAJOR = 7;
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final Pattern VERSION = Pattern.compile("version (\\d{1,4})(\\.\\d{1,4}){1,3}");
  private static final List<String> DEVICES =
      List.of(
          "vhost-user-vsock-device",
          "virtio-serial-device",
          "virtconsole",
          "virtio-rng-device",
          "virtio-blk-device",
          "i8042");

  private QemuProbe() {}

  /**
   * Looks for QEMU and tries it.
   *
   * @throws QemuUnavailableException if there is none that can be used
   */
  public static QemuBinary run() throws QemuUnavailableException {
    requireHost(System.getProperty("os.arch"));
    Path path = find();
    String version = version(path);
    try (PrivateFolder folder = PrivateFolder.create()) {
      return tryOut(new QemuBinary(path, version, 0), folder);
    } catch (IOException | HypervisorException e) {
      throw new QemuUnavailableException(
          "QEMU " + version + " (" + path + ") does not run a tiny guest: " + e.getMessage(),
          INSTALL + OR_SET);
    }
  }

  /** Guests are built for the processor of their host, and this backend has machines for one. */
  static void requireHost(String processor) throws QemuUnavailableException {
    if (!processor.equals("amd64")) {
      throw new QemuUnavailableException(
          "it runs x86-64 guests only, and those of this host are for " + processor,
          "use the backend kvm");
    }
  }

  private static Path find() throws QemuUnavailableException {
    String configured = System.getProperty(BINARY_PROPERTY);
    if (configured != null && !configured.isBlank()) {
      Path path = Path.of(configured).toAbsolutePath();
      if (!isExecutable(path)) {
        throw new QemuUnavailableException(
            path + " is not an executable file",
            "correct or remove the property " + BINARY_PROPERTY + ", which names it");
      }
      return path;
    }
    String searched = System.getenv("PATH");
    for (String folder : (searched == null ? "" : searched).split(":")) {
      Path path = Path.of(folder).resolve(EXECUTABLE).toAbsolutePath();
      if (!folder.isEmpty() && isExecutable(path)) {
        return path;
      }
    }
    throw new QemuUnavailableException(EXECUTABLE + " was not found on PATH", INSTALL + OR_SET);
  }

  private static boolean isExecutable(Path path) {
    return Files.isRegularFile(path) && Files.isExecutable(path);
  }

  private static String version(Path path) throws QemuUnavailableException {
    String output;
    try {
      Process process =
          new ProcessBuilder(path.toString(), "--version").redirectErrorStream(true).start();
      CompletableFuture<Void> watchdog =
          CompletableFuture.runAsync(
              process::destroyForcibly,
              CompletableFuture.delayedExecutor(TIMEOUT.toSeconds(), TimeUnit.SECONDS));
      process.getOutputStream().close();
      try (var stream = process.getInputStream()) {
        output = new String(stream.readNBytes(4096), StandardCharsets.UTF_8);
      } finally {
        process.destroyForcibly();
        watchdog.cancel(false);
      }
    } catch (IOException e) {
      throw new QemuUnavailableException(
          path + " cannot be run (" + e.getMessage() + ")", INSTALL + OR_SET);
    }
    Matcher matcher = VERSION.matcher(output);
    if (!matcher.find()) {
      throw new QemuUnavailableException(path + " does not tell a QEMU version", INSTALL + OR_SET);
    }
    String version = matcher.group().substring("version ".length());
    if (Integer.parseInt(matcher.group(1)) < OLDEST_MAJOR) {
      throw new QemuUnavailableException(
          "QEMU " + version + " (" + path + ") is older than " + OLDEST_MAJOR + ".0",
          "install a newer qemu-system-x86" + OR_SET);
    }
    return version;
  }

  private static QemuBinary tryOut(QemuBinary binary, PrivateFolder folder) throws IOException {
    Path kernel = Files.write(folder.file("kernel"), TscGuest.kernel());
    Path memory = folder.file("memory");
    try (RandomAccessFile file = new RandomAccessFile(memory.toFile(), "rw")) {
      file.setLength(TscGuest.MEMORY_SIZE);
    }
    List<String> command = QemuCommand.forProbe(binary, kernel, memory, folder);
    try (QemuProcess process = QemuProcess.start(folder, command, "avf-qemu-probe")) {
      QmpConnection qmp = process.connect(TIMEOUT);
      CompletableFuture<Void> watchdog = process.killAfter(TIMEOUT);
      try {
        requireDevices(qmp);
        qmp.call("cont", JsonNodeFactory.instance.objectNode());
        return new QemuBinary(binary.path(), binary.version(), TscMeter.measure(memory));
      } finally {
        watchdog.cancel(false);
      }
    }
  }

  private static void requireDevices(QmpConnection qmp) throws IOException {
    ObjectNode arguments =
        JsonNodeFactory.instance.objectNode().put("implements", "device").put("abstract", false);
    Set<String> present = new HashSet<>();
    for (JsonNode type : qmp.call("qom-list-types", arguments)) {
      present.add(type.path("name").asText());
    }
    for (String device : DEVICES) {
      if (!present.contains(device)) {
        throw new IOException("it has no device " + device);
      }
    }
  }
}
