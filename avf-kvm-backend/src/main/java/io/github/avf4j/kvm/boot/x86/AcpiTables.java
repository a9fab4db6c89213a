package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.kvm.boot.VirtioSlots;
import io.github.avf4j.kvm.device.PanicPort;
import io.github.avf4j.kvm.device.PowerControl;
import io.github.avf4j.kvm.device.Serial16550;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * The ACPI tables of a hardware-reduced machine (ACPI 6.5): RSDP, XSDT, FADT, MADT and DSDT.
 *
 * <p>They name the vCPUs, the IOAPIC, the serial port, the port that panics are told on, the
 * virtio-mmio windows with their interrupt lines, and the ports that switch the machine off and
 * reset it. Thread-safe.
 */
public final class AcpiTables {
  private static final int HEADER = 36;
  private static final int RSDP_SIZE = 36;
  private static final int FADT_SIZE = 276;
  private static final int SLEEP_TYPE_OFF = PowerControl.SLEEP_TYPE_OFF;

  private AcpiTables() {}

  /** Writes the tables where the boot protocols say that the RSDP is. */
  public static void write(MachineMemory memory, int vcpus, int mmioDevices) {
    byte[] tables = build(Layout.ACPI, vcpus, mmioDevices);
    if (tables.length > Layout.ACPI_END - Layout.ACPI) {
      throw new IllegalStateException("the ACPI tables need " + tables.length + " bytes");
    }
    memory.guest().write(Layout.ACPI, tables, 0, tables.length);
  }

  /** Returns all tables, the RSDP first, as they are at {@code base}. */
  static byte[] build(long base, int vcpus, int mmioDevices) {
    byte[] dsdt = dsdt(mmioDevices);
    byte[] madt = madt(vcpus);
    long dsdtAt = base + 64;
    long fadtAt = align(dsdtAt + dsdt.length);
    byte[] fadt = fadt(dsdtAt);
    long madtAt = align(fadtAt + fadt.length);
    long xsdtAt = align(madtAt + madt.length);
    byte[] xsdt = xsdt(fadtAt, madtAt);
    byte[] all = new byte[(int) (xsdtAt - base) + xsdt.length];
    put(all, 0, rsdp(xsdtAt));
    put(all, dsdtAt - base, dsdt);
    put(all, fadtAt - base, fadt);
    put(all, madtAt - base, madt);
    put(all, xsdtAt - base, xsdt);
    return all;
  }

  private static void put(byte[] all, long at, byte[] table) {
    System.arraycopy(table, 0, all, (int) at, table.length);
  }

  private static long align(long at) {
    return at + 15 & -16;
  }

  private static byte[] rsdp(long xsdtAt) {
    ByteBuffer b = little(RSDP_SIZE);
    b.put(0, ascii("RSD PTR ", 8)).put(9, ascii("AVF4J", 6)).put(15, (byte) 2);
    b.putInt(20, RSDP_SIZE).putLong(24, xsdtAt);
    b.put(8, checksum(b.array(), 20));
    b.put(32, checksum(b.array(), RSDP_SIZE));
    return b.array();
  }

  private static byte[] xsdt(long fadtAt, long madtAt) {
    ByteBuffer b = little(HEADER + 16);
    b.putLong(HEADER, fadtAt).putLong(HEADER + 8, madtAt);
    return finish(b, "XSDT", 1);
  }

  /** Fixed hardware description (5.2.9): no legacy hardware, sleep and reset registers as ports. */
  private static byte[] fadt(long dsdtAt) {
    int noVga = 1 << 2;
    int noMsi = 1 << 3;
    int noRtc = 1 << 5;
    int wbinvd = 1;
    int powerButtonIsNoFixedOne = 1 << 4;
    int sleepButtonIsNoFixedOne = 1 << 5;
    int resetRegister = 1 << 10;
    int hardwareReduced = 1 << 20;
    ByteBuffer b = little(FADT_SIZE);
    b.putShort(109, (short) (noVga | noMsi | noRtc));
    b.putInt(
        112,
        wbinvd
            | powerButtonIsNoFixedOne
            | sleepButtonIsNoFixedOne
            | resetRegister
            | hardwareReduced);
    putPort(b, 116, PowerControl.RESET);
    b.put(128, (byte) PowerControl.RESET_VALUE);
    b.put(131, (byte) 5); // minor version
    b.putLong(140, dsdtAt);
    putPort(b, 244, PowerControl.SLEEP_CONTROL);
    putPort(b, 256, PowerControl.SLEEP_STATUS);
    b.put(268, ascii("avf4j", 8));
    return finish(b, "FACP", 6);
  }

  /** A generic address (5.2.3.2) of one byte in I/O space. */
  private static void putPort(ByteBuffer b, int at, int port) {
    b.put(at, (byte) 1).put(at + 1, (byte) 8).put(at + 3, (byte) 1).putLong(at + 4, port);
  }

  /** Interrupt controllers (5.2.12). */
  private static byte[] madt(int vcpus) {
    ByteBuffer b = little(HEADER + 8 + 12 + 8 * vcpus + 6);
    b.putInt(HEADER, (int) Layout.LAPIC);
    b.position(HEADER + 8);
    b.put((byte) 1).put((byte) 12).put((byte) 0).put((byte) 0);
    b.putInt((int) Layout.IOAPIC).putInt(0);
    for (int id = 0; id < vcpus; id++) {
      b.put((byte) 0).put((byte) 8).put((byte) id).put((byte) id).putInt(1);
    }
    // NMI is at LINT1 of every processor.
    b.put((byte) 4).put((byte) 6).put((byte) 0xFF).putShort((short) 0).put((byte) 1);
    return finish(b, "APIC", 5);
  }

  private static byte[] dsdt(int mmioDevices) {
    byte[][] devices = new byte[mmioDevices + 2][];
    devices[0] =
        Aml.device(
            "COM1",
            Aml.name("_HID", Aml.eisaId("PNP0501")),
            Aml.name("_UID", Aml.integer(0)),
            Aml.name(
                "_CRS",
                Aml.resources(
                    Aml.ports(Serial16550.COM1, Serial16550.PORTS),
                    Aml.interrupt(Layout.COM1_GSI))));
    devices[1] =
        Aml.device(
            "PEVT",
            Aml.name("_HID", Aml.string("QEMU0001")),
            Aml.name("_CRS", Aml.resources(Aml.ports(PanicPort.PORT, 1))));
    for (int i = 0; i < mmioDevices; i++) {
      devices[i + 2] =
          Aml.device(
              // the default locale may have other digits than ASCII's
              String.format(Locale.ROOT, "VM%02d", i),
              Aml.name("_HID", Aml.string("LNRO0005")),
              Aml.name("_UID", Aml.integer(i)),
              Aml.name("_CCA", Aml.integer(1)),
              Aml.name(
                  "_CRS",
                  Aml.resources(
                      Aml.memory(Layout.mmioWindow(i), VirtioSlots.WINDOW),
                      Aml.interrupt(Layout.FIRST_MMIO_GSI + i))));
    }
    byte[] body =
        Aml.join(
            Aml.name(
                "_S5_",
                Aml.packageOf(
                    Aml.integer(SLEEP_TYPE_OFF), Aml.integer(0), Aml.integer(0), Aml.integer(0))),
            Aml.scope("_SB_", devices));
    ByteBuffer b = little(HEADER + body.length);
    b.put(HEADER, body);
    return finish(b, "DSDT", 2);
  }

  /** Fills in the header (5.2.6) and the checksum. */
  private static byte[] finish(ByteBuffer b, String signature, int revision) {
    b.put(0, ascii(signature, 4)).putInt(4, b.capacity()).put(8, (byte) revision);
    b.put(10, ascii("AVF4J", 6)).put(16, ascii("AVF4JVM", 8)).putInt(24, 1);
    b.put(28, ascii("AVFJ", 4)).putInt(32, 1);
    b.put(9, checksum(b.array(), b.capacity()));
    return b.array();
  }

  private static byte checksum(byte[] table, int length) {
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += table[i];
    }
    return (byte) -sum;
  }

  /** Returns a field of the tables' headers, which are padded with spaces. */
  private static byte[] ascii(String text, int length) {
    return (text + " ".repeat(length - text.length())).getBytes(StandardCharsets.US_ASCII);
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
