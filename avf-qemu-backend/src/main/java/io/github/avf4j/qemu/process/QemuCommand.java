package io.github.avf4j.qemu.process;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.spi.MachineSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The command line for a machine.
 *
 * <p>A guest finds the virtio devices in the order of the KVM backend: vsock, console, rng, disks.
 * As QEMU lists its virtio-mmio slots in the ACPI tables from the last to the first, the first
 * device goes to the last slot used. Slot 0 stays empty: its interrupt is pin 0 of an I/O APIC,
 * which QEMU raises as pin 2. Confined to one thread.
 */
final class QemuCommand {
  /** The names of the sockets that QEMU connects to. */
  static final String QMP_SOCKET = "qmp";

  static final String SERIAL_SOCKET = "serial";
  static final String CONSOLE_SOCKET = "console";
  static final String VSOCK_SOCKET = "vsock";

  private static final int DEVICES_BESIDE_DISKS = 3;

  private final PrivateFolder folder;
  private final List<String> words = new ArrayList<>();
  private int slot;

  private QemuCommand(QemuBinary binary, PrivateFolder folder) {
    this.folder = folder;
    words.add(binary.path().toString());
  }

  /** Returns the words of the command for {@code spec}; the machine is paused at first. */
  static List<String> forMachine(QemuBinary binary, MachineSpec spec, PrivateFolder folder) {
    QemuCommand command = new QemuCommand(binary, folder);
    command.machine(memory(spec.memory().bytes()), spec.cpuTopology().vcpus());
    command.boot(spec, binary.tscKilohertz());
    command.characterDevices();
    command.virtioDevices(spec);
    return List.copyOf(command.words);
  }

  /**
   * Returns the words of the command for the tiny machine of {@link QemuProbe}, whose memory is the
   * file {@code memory}.
   */
  static List<String> forProbe(QemuBinary binary, Path kernel, Path memory, PrivateFolder folder) {
    QemuCommand command = new QemuCommand(binary, folder);
    ObjectNode ram =
        object("memory-backend-file").put("size", TscGuest.MEMORY_SIZE).put("share", true);
    command.machine(ram.put("mem-path", memory.toString()), 1);
    command.add("-kernel", kernel.toString());
    return List.copyOf(command.words);
  }

  private static ObjectNode memory(long size) {
    // The vsock device maps it, and takes only what QEMU can no longer cut.
    return object("memory-backend-memfd").put("size", size).put("share", true).put("seal", true);
  }

  private static ObjectNode object(String type) {
    return JsonNodeFactory.instance.objectNode().put("qom-type", type);
  }

  private void machine(ObjectNode memory, int vcpus) {
    // An i8042 has the reset port that "reboot=k" makes Linux use, as the KVM backend's machine
    // has.
    add(
        "-M",
        "microvm,acpi=on,rtc=on,auto-kernel-cmdline=off,x-option-roms=off,memory-backend=ram",
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-accel",
        "tcg,thread=multi",
        "-cpu",
        "max",
        "-smp",
        Integer.toString(vcpus),
        "-no-reboot",
        "-S",
        "-d",
        "cpu_reset",
        "-sandbox",
        "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        "-global",
        "virtio-mmio.force-legacy=false",
        "-device",
        "i8042",
        "-object",
        memory.put("id", "ram").toString());
    socket("qmp", QMP_SOCKET);
    add("-mon", "chardev=qmp,mode=control");
  }

  private void boot(MachineSpec spec, long tscKilohertz) {
    add("-kernel", spec.kernel().toAbsolutePath().toString());
    spec.initrd().ifPresent(initrd -> add("-initrd", initrd.toAbsolutePath().toString()));
    String commandLine = CommandLine.withTsc(spec.commandLine(), tscKilohertz);
    if (!commandLine.isEmpty()) {
      add("-append", commandLine);
    }
  }

  private void characterDevices() {
    socket("serial", SERIAL_SOCKET);
    add("-serial", "chardev:serial");
    socket("console", CONSOLE_SOCKET);
    socket("vsock", VSOCK_SOCKET);
  }

  private void virtioDevices(MachineSpec spec) {
    slot = DEVICES_BESIDE_DISKS + spec.disks().size();
    device(inSlot("vhost-user-vsock-device").put("chardev", "vsock"));
    device(inSlot("virtio-serial-device").put("id", "console-bus").put("max_ports", 1));
    device(driver("virtconsole").put("chardev", "console").put("bus", "console-bus.0"));
    add("-object", object("rng-builtin").put("id", "rng").toString());
    device(inSlot("virtio-rng-device").put("rng", "rng"));
    for (int i = 0; i < spec.disks().size(); i++) {
      disk("disk" + i, spec.disks().get(i));
    }
  }

  private void disk(String id, DiskSpec disk) {
    ObjectNode file =
        JsonNodeFactory.instance
            .objectNode()
            .put("driver", "file")
            .put("filename", disk.image().toAbsolutePath().toString())
            .put("read-only", disk.readOnly())
            .put("discard", disk.readOnly() ? "ignore" : "unmap");
    ObjectNode raw =
        JsonNodeFactory.instance
            .objectNode()
            .put("driver", "raw")
            .put("node-name", id)
            .put("read-only", disk.readOnly())
            .put("discard", disk.readOnly() ? "ignore" : "unmap");
    raw.set("file", file);
    add("-blockdev", raw.toString());
    ObjectNode device = inSlot("virtio-blk-device").put("drive", id);
    if (!disk.serial().isEmpty()) {
      device.put("serial", disk.serial());
    }
    device(device);
  }

  private ObjectNode inSlot(String driver) {
    return driver(driver).put("bus", "virtio-mmio-bus." + slot--);
  }

  private static ObjectNode driver(String name) {
    return JsonNodeFactory.instance.objectNode().put("driver", name);
  }

  private void device(ObjectNode device) {
    add("-device", device.toString());
  }

  private void socket(String id, String name) {
    // QEMU's option syntax doubles a comma inside a value.
    String path = folder.file(name).toString().replace(",", ",,");
    add("-chardev", "socket,id=" + id + ",path=" + path);
  }

  private void add(String... added) {
    words.addAll(List.of(added));
  }
}
