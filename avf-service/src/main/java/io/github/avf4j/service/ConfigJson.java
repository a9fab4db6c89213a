package io.github.avf4j.service;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.avf4j.ApkPayload;
import io.github.avf4j.CpuTopology;
import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DataSize;
import io.github.avf4j.DebugLevel;
import io.github.avf4j.DiskImage;
import io.github.avf4j.ExecutablePayload;
import io.github.avf4j.Firmware;
import io.github.avf4j.JavaPayload;
import io.github.avf4j.KernelImage;
import io.github.avf4j.Payload;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.StoreException;
import io.github.avf4j.VirtualMachineConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A machine's configuration as {@code config.json} has it.
 *
 * <p>What is read goes through the builders, so that all of their checks hold for a file that
 * somebody edited.
 */
final class ConfigJson {
  private static final int VERSION = 1;
  private static final ObjectMapper mapper =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private ConfigJson() {}

  static byte[] write(VirtualMachineConfig config) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("version", VERSION);
    config.payload().ifPresent(payload -> root.set("payload", payload(payload)));
    config.customImage().ifPresent(image -> root.set("customImage", customImage(image)));
    // The default is not written, so that it may move with the user's cache folder.
    if (config.payload().isPresent() && !config.kernel().equals(KernelImage.installed())) {
      root.putObject("kernel")
          .put("image", config.kernel().image().toString())
          .put("modules", config.kernel().modules().toString());
    }
    config
        .baseImage()
        .ifPresent(folder -> root.put("baseImage", folder.toAbsolutePath().toString()));
    config
        .baseImageKey()
        .ifPresent(file -> root.put("baseImageKey", file.toAbsolutePath().toString()));
    root.put("memoryBytes", config.memory().bytes());
    root.put("vcpus", config.cpuTopology().vcpus());
    root.put("debugLevel", config.debugLevel().name());
    root.put("outputCaptured", config.outputCaptured());
    root.put("consoleInputSupported", config.consoleInputSupported());
    root.put("protectionLevel", config.protectionLevel().name());
    root.put("bootTimeout", config.bootTimeout().toString());
    config.encryptedStorage().ifPresent(size -> root.put("encryptedStorageBytes", size.bytes()));
    if (config.updatable()) {
      root.put("updatable", true);
    }
    config.backend().ifPresent(backend -> root.put("backend", backend));
    try {
      return mapper.writeValueAsBytes(root);
    } catch (JsonProcessingException e) {
      throw new AssertionError("a tree of strings and numbers can be written", e);
    }
  }

  private static ObjectNode payload(Payload payload) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    if (payload instanceof ExecutablePayload executable) {
      node.put("executable", executable.executable().toString());
      ArrayNode arguments = node.putArray("arguments");
      executable.arguments().forEach(arguments::add);
      ObjectNode environment = node.putObject("environment");
      new TreeMap<>(executable.environment()).forEach(environment::put);
    } else if (payload instanceof ApkPayload apk) {
      node.put("apk", apk.apk().toString());
      apk.binaryName().ifPresent(name -> node.put("binaryName", name));
      apk.configPath().ifPresent(path -> node.put("configPath", path));
      ArrayNode extra = node.putArray("extraApks");
      apk.extraApks().forEach(file -> extra.add(file.toString()));
      ArrayNode apexes = node.putArray("apexes");
      for (ApkPayload.Apex apex : apk.apexes()) {
        apexes.addObject().put("name", apex.name()).put("file", apex.file().toString());
      }
    } else if (payload instanceof JavaPayload java) {
      node.put("mainClass", java.mainClass());
      ArrayNode classPath = node.putArray("classPath");
      java.classPath().forEach(entry -> classPath.add(entry.toString()));
      ArrayNode arguments = node.putArray("arguments");
      java.arguments().forEach(arguments::add);
      ArrayNode modules = node.putArray("modules");
      java.modules().forEach(modules::add);
      java.signer()
          .ifPresent(
              signer ->
                  node.put("signingKey", signer.key().toString())
                      .put("signingCertificate", signer.certificate().toString()));
    }
    return node;
  }

  private static ObjectNode customImage(CustomImageConfig image) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("kernel", image.kernel().toAbsolutePath().toString());
    image.firmware().ifPresent(firmware -> firmware(node.putObject("firmware"), firmware));
    image.initrd().ifPresent(file -> node.put("initrd", file.toAbsolutePath().toString()));
    image.commandLine().ifPresent(line -> node.put("commandLine", line));
    ArrayNode disks = node.putArray("disks");
    for (DiskImage disk : image.disks()) {
      disks.addObject().put("image", disk.image().toString()).put("readOnly", disk.readOnly());
    }
    return node;
  }

  private static void firmware(ObjectNode node, Firmware firmware) {
    if (firmware instanceof Firmware.Image image) {
      node.put("image", image.file().toString());
    } else if (firmware instanceof Firmware.Pvmfw pvmfw) {
      pvmfw.trustedKey().ifPresent(key -> node.put("trustedKey", key.toString()));
    }
  }

  private static Firmware readFirmware(JsonNode node) {
    if (node.has("image")) {
      return Firmware.image(path(node, "image"));
    }
    return node.has("trustedKey") ? Firmware.pvmfw(path(node, "trustedKey")) : Firmware.pvmfw();
  }

  /**
   * Reads a configuration.
   *
   * @throws StoreException if it was written by a newer version or does not make sense
   */
  static VirtualMachineConfig read(Path file, byte[] content) {
    try {
      JsonNode root = mapper.readTree(content);
      int version = root.path("version").asInt(0);
      if (version > VERSION) {
        throw new StoreException(
            file
                + " was written by a newer version of avf4j (format "
                + version
                + ", this one knows "
                + VERSION
                + "): use that version");
      }
      if (version < 1) {
        throw invalid(file, "it has no version", null);
      }
      return read(root);
    } catch (IOException | IllegalArgumentException | IllegalStateException e) {
      throw invalid(file, String.valueOf(e.getMessage()), e);
    }
  }

  private static VirtualMachineConfig read(JsonNode root) {
    VirtualMachineConfig.Builder builder = VirtualMachineConfig.builder();
    if (root.has("payload")) {
      builder.payload(readPayload(root.get("payload")));
    }
    if (root.has("customImage")) {
      builder.customImage(readCustomImage(root.get("customImage")));
    }
    if (root.has("kernel")) {
      JsonNode kernel = root.get("kernel");
      builder.kernel(KernelImage.of(path(kernel, "image"), path(kernel, "modules")));
    }
    if (root.has("baseImage")) {
      builder.baseImage(path(root, "baseImage"));
    }
    if (root.has("baseImageKey")) {
      builder.baseImageKey(path(root, "baseImageKey"));
    }
    builder.memory(DataSize.ofBytes(required(root, "memoryBytes").asLong()));
    builder.cpuTopology(CpuTopology.of(required(root, "vcpus").asInt()));
    builder.debugLevel(DebugLevel.valueOf(text(root, "debugLevel")));
    builder.outputCaptured(required(root, "outputCaptured").asBoolean());
    builder.consoleInputSupported(required(root, "consoleInputSupported").asBoolean());
    builder.protectionLevel(ProtectionLevel.valueOf(text(root, "protectionLevel")));
    builder.bootTimeout(duration(text(root, "bootTimeout")));
    if (root.has("encryptedStorageBytes")) {
      builder.encryptedStorage(DataSize.ofBytes(root.get("encryptedStorageBytes").asLong()));
    }
    builder.updatable(root.path("updatable").asBoolean(false));
    if (root.has("backend")) {
      builder.backend(text(root, "backend"));
    }
    return builder.build();
  }

  private static Payload readPayload(JsonNode node) {
    if (node.has("mainClass")) {
      if (node.has("apk") || node.has("executable")) {
        throw new IllegalArgumentException("its payload is a Java class and something else");
      }
      return readJava(node);
    }
    if (!node.has("apk")) {
      return readExecutable(node);
    }
    if (node.has("executable")) {
      throw new IllegalArgumentException("its payload is both an APK and an executable");
    }
    ApkPayload payload = Payload.apk(path(node, "apk"));
    if (node.has("binaryName")) {
      payload = payload.withBinaryName(text(node, "binaryName"));
    }
    if (node.has("configPath")) {
      payload = payload.withConfigPath(text(node, "configPath"));
    }
    for (JsonNode file : node.path("extraApks")) {
      payload = payload.withExtraApk(Path.of(file.asText()));
    }
    for (JsonNode apex : node.path("apexes")) {
      payload = payload.withApex(text(apex, "name"), path(apex, "file"));
    }
    return payload;
  }

  private static JavaPayload readJava(JsonNode node) {
    Path[] classPath = Arrays.stream(texts(node, "classPath")).map(Path::of).toArray(Path[]::new);
    JavaPayload payload =
        Payload.javaClass(text(node, "mainClass"), classPath)
            .withArguments(texts(node, "arguments"))
            .withModules(texts(node, "modules"));
    return node.has("signingKey")
        ? payload.withSigningKey(path(node, "signingKey"), path(node, "signingCertificate"))
        : payload;
  }

  private static String[] texts(JsonNode node, String field) {
    String[] texts = new String[node.path(field).size()];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = node.path(field).get(i).asText();
    }
    return texts;
  }

  private static ExecutablePayload readExecutable(JsonNode node) {
    ExecutablePayload payload =
        Payload.executable(path(node, "executable")).withArguments(texts(node, "arguments"));
    for (var variable : node.path("environment").properties()) {
      payload = payload.withEnvironment(variable.getKey(), variable.getValue().asText());
    }
    return payload;
  }

  private static CustomImageConfig readCustomImage(JsonNode node) {
    CustomImageConfig.Builder builder = CustomImageConfig.builder();
    builder.kernel(path(node, "kernel"));
    Optional.ofNullable(node.get("firmware"))
        .ifPresent(firmware -> builder.firmware(readFirmware(firmware)));
    Optional.ofNullable(node.get("initrd")).ifPresent(file -> builder.initrd(path(node, "initrd")));
    Optional.ofNullable(node.get("commandLine"))
        .ifPresent(line -> builder.commandLine(text(node, "commandLine")));
    for (JsonNode disk : node.path("disks")) {
      builder.addDisk(new DiskImage(path(disk, "image"), required(disk, "readOnly").asBoolean()));
    }
    return builder.build();
  }

  private static Path path(JsonNode node, String field) {
    return Path.of(text(node, field));
  }

  private static String text(JsonNode node, String field) {
    return required(node, field).asText();
  }

  private static JsonNode required(JsonNode node, String field) {
    JsonNode value = node.get(field);
    if (value == null || value.isNull()) {
      throw new IllegalArgumentException("it has no field " + field);
    }
    return value;
  }

  private static Duration duration(String text) {
    try {
      return Duration.parse(text);
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("\"" + text + "\" is no duration", e);
    }
  }

  private static StoreException invalid(Path file, String why, @Nullable Exception cause) {
    return new StoreException(
        file + " is no valid configuration, " + why + ": delete the VM and create it again", cause);
  }
}
