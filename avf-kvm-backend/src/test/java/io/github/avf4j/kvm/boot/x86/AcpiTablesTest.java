package io.github.avf4j.kvm.boot.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AcpiTablesTest {
  private static final long BASE = 0xE0000;

  @TempDir Path folder;

  @Test
  void everyChecksumIsRight() {
    byte[] all = AcpiTables.build(BASE, 8, 11);
    assertThat(sum(all, 0, 20)).isZero();
    assertThat(sum(all, 0, 36)).isZero();
    Map<String, byte[]> tables = tables(all);
    assertThat(tables).containsOnlyKeys("XSDT", "FACP", "APIC", "DSDT");
    tables.forEach((name, table) -> assertThat(sum(table, 0, table.length)).as(name).isZero());
    assertThat(all.length).isLessThan(0x20000);
  }

  @Test
  void fixedDescriptionIsHardwareReducedWithSleepAndResetPorts() {
    ByteBuffer fadt =
        ByteBuffer.wrap(tables(AcpiTables.build(BASE, 1, 3)).get("FACP"))
            .order(ByteOrder.LITTLE_ENDIAN);
    assertThat(fadt.capacity()).isEqualTo(276);
    assertThat(fadt.getInt(112) >>> 20 & 1).as("HW_REDUCED_ACPI").isEqualTo(1);
    assertThat(fadt.getInt(112) >>> 10 & 1).as("RESET_REG_SUP").isEqualTo(1);
    assertThat(fadt.getLong(248)).as("sleep control port").isEqualTo(0x600);
    assertThat(fadt.getLong(260)).as("sleep status port").isEqualTo(0x601);
    assertThat(fadt.getLong(120)).as("reset port").isEqualTo(0x602);
  }

  @Test
  void interruptControllersListEveryVcpu() {
    byte[] madt = tables(AcpiTables.build(BASE, 8, 3)).get("APIC");
    int lapics = 0;
    for (int at = 44; at < madt.length; at += madt[at + 1]) {
      assertThat(madt[at + 1]).isPositive();
      lapics += madt[at] == 0 ? 1 : 0;
    }
    assertThat(lapics).isEqualTo(8);
  }

  @Test
  void theyAreTheSameInEveryLocale() {
    byte[] expected = AcpiTables.build(BASE, 2, 11);
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
    try {
      assertThat(AcpiTables.build(BASE, 2, 11)).isEqualTo(expected);
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void theReferenceDisassemblerReadsThem() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/iasl")), "needs iasl (package acpica-tools)");
    for (Map.Entry<String, byte[]> table : tables(AcpiTables.build(BASE, 2, 11)).entrySet()) {
      Path file = Files.write(folder.resolve(table.getKey() + ".dat"), table.getValue());
      String output = run("iasl", "-d", file.toString());
      assertThat(output).as(table.getKey()).doesNotContain("Error").doesNotContain("Warning");
    }
    String dsdt = Files.readString(folder.resolve("DSDT.dsl"));
    assertThat(dsdt)
        .contains("Name (_S5, Package (0x04)")
        .contains("Name (_HID, EisaId (\"PNP0501\")")
        .contains("Name (_HID, \"LNRO0005\")")
        .contains("0xC000A000,         // Address Base")
        .contains("Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive, ,, )");
    // What it read compiles to what we made.
    run("iasl", "-p", folder.resolve("again").toString(), folder.resolve("DSDT.dsl").toString());
    byte[] again = Files.readAllBytes(folder.resolve("again.aml"));
    byte[] ours = Files.readAllBytes(folder.resolve("DSDT.dat"));
    assertThat(java.util.Arrays.copyOfRange(again, 36, again.length))
        .isEqualTo(java.util.Arrays.copyOfRange(ours, 36, ours.length));
  }

  @Test
  void packageLengthsGrowWithTheirContents() {
    assertThat(Aml.buffer(new byte[10])).startsWith(0x11, 13, 0x0A, 10);
    byte[] large = Aml.buffer(new byte[1000]);
    assertThat(large[1] >> 6).isEqualTo(1);
    assertThat((large[1] & 0xF) | (large[2] & 0xFF) << 4).isEqualTo(large.length - 1);
    byte[] huge = Aml.buffer(new byte[10000]);
    assertThat((huge[1] & 0xFF) >> 6).isEqualTo(2);
    assertThat((huge[1] & 0xF) | (huge[2] & 0xFF) << 4 | (huge[3] & 0xFF) << 12)
        .isEqualTo(huge.length - 1);
  }

  private static Map<String, byte[]> tables(byte[] all) {
    ByteBuffer b = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN);
    Map<String, byte[]> tables = new LinkedHashMap<>();
    int xsdt = (int) (b.getLong(24) - BASE);
    put(tables, all, xsdt);
    for (int at = xsdt + 36; at < xsdt + b.getInt(xsdt + 4); at += 8) {
      int table = (int) (b.getLong(at) - BASE);
      put(tables, all, table);
      if (all[table] == 'F') {
        put(tables, all, (int) (b.getLong(table + 140) - BASE));
      }
    }
    return tables;
  }

  private static void put(Map<String, byte[]> tables, byte[] all, int at) {
    int length = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).getInt(at + 4);
    tables.put(
        new String(all, at, 4, StandardCharsets.US_ASCII),
        java.util.Arrays.copyOfRange(all, at, at + length));
  }

  private static int sum(byte[] bytes, int from, int to) {
    int sum = 0;
    for (int i = from; i < to; i++) {
      sum += bytes[i];
    }
    return sum & 0xFF;
  }

  private String run(String... command) throws Exception {
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    String text = Files.readString(output);
    assertThat(process.exitValue()).as(text).isZero();
    return text;
  }
}
