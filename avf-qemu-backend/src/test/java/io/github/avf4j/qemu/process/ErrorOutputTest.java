package io.github.avf4j.qemu.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ErrorOutputTest {
  private static ErrorOutput read(String text) {
    ErrorOutput output =
        new ErrorOutput(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    output.run();
    return output;
  }

  @Test
  void leavesRegistersOutAndSeesTheTripleFault() {
    ErrorOutput output =
        read(
            """
            CPU Reset (CPU 0)
            EAX=00000000 EBX=00000000 ECX=00000000 EDX=00060fb1
            R8 =0000000000000000 R9 =0000000000000000
            ES =0000 00000000 0000ffff 00009300
            GDT=     00000000 0000ffff
            FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80
            XMM00=0000000000000000 0000000000000000
            Triple fault
            qemu-system-x86_64: terminating on signal 15
            """);
    assertThat(output.sawTripleFault()).isTrue();
    assertThat(output.tail()).isEqualTo("qemu-system-x86_64: terminating on signal 15");
  }

  @Test
  void keepsTheLastLinesAndTheBeginningOfALongOne() {
    ErrorOutput output = read("line\n".repeat(100_000) + "x".repeat(1_000_000));
    assertThat(output.tail()).hasSize(15 * "line | ".length() + 512).endsWith("xxx");
    assertThat(output.sawTripleFault()).isFalse();
  }

  @Test
  void needsTheWholeLineForATripleFault() {
    assertThat(read("no Triple fault here\n").sawTripleFault()).isFalse();
  }
}
