package io.github.avf4j.microdroid.initrd;

import io.github.avf4j.microdroid.kernel.KernelModule;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Map;

/**
 * Lists of kernel modules in an initial RAM disk, each in the order in which the guest's init loads
 * it: {@link #LOAD} always, the others when it needs them.
 *
 * <p>Thread-safe.
 */
public enum ModuleList {
  /** For every guest. */
  LOAD("load"),
  /** For guests that verify packages. */
  MICRODROID("microdroid"),
  /** For guests that encrypt storage. */
  STORE("store");

  private static final String FOLDER = "lib/modules/";

  /** By module. Further loop devices appear as they are needed, and each one costs a guest time. */
  private static final Map<String, String> PARAMETERS = Map.of("loop", "max_loop=1");

  private final String file;

  ModuleList(String file) {
    this.file = file;
  }

  /**
   * Writes the modules and the list of them.
   *
   * @param modules in the order in which they are loaded
   */
  public void write(CpioWriter cpio, Collection<KernelModule> modules) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (KernelModule module : modules) {
      String path = FOLDER + module.name() + ".ko";
      cpio.file(path, 0444, module.content());
      lines.append('/').append(path);
      if (PARAMETERS.containsKey(module.name())) {
        lines.append(' ').append(PARAMETERS.get(module.name()));
      }
      lines.append('\n');
    }
    cpio.file(FOLDER + file, 0444, lines.toString().getBytes(StandardCharsets.UTF_8));
  }
}
