package io.github.avf4j.microdroid.java;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.microdroid.initrd.GuestBinary;
import io.github.avf4j.payload.VsockServer;
import io.github.avf4j.payload.VsockStream;
import java.io.IOException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The guest's library for Java, on the host: all but a connection, which needs a machine. */
@Timeout(60)
class VsockLibraryTest {
  @TempDir static Path folder;

  @BeforeAll
  static void needsVsock() throws Exception {
    assumeTrue(System.getProperty("os.arch").equals("amd64"), "the library is for x86-64");
    Path library = Files.write(folder.resolve("libavf_java.so"), GuestBinary.JAVA_LIBRARY.read());
    System.setProperty("io.github.avf4j.payload.library", library.toString());
    try {
      VsockServer.listen().close();
    } catch (IOException e) {
      assumeTrue(false, "the host's kernel has no vsock: " + e.getMessage());
    }
  }

  @Test
  void listensOnAPortThatNobodyElseGets() throws Exception {
    try (VsockServer server = VsockServer.listen()) {
      assertThat(server.port()).isPositive();
      assertThatThrownBy(() -> VsockServer.listen(server.port()))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("the port is taken");
    }
  }

  @Test
  void closingEndsWaitingForConnections() throws Exception {
    VsockServer server = VsockServer.listen();
    CompletableFuture<Throwable> failure =
        CompletableFuture.supplyAsync(
            () -> {
              try (VsockStream stream = server.accept()) {
                return new AssertionError("a connection of " + stream);
              } catch (IOException e) {
                return e;
              }
            });
    server.close();
    server.close();
    // Closed before or during the wait.
    assertThat(failure.get(30, TimeUnit.SECONDS))
        .isInstanceOfAny(AsynchronousCloseException.class, ClosedChannelException.class);
    assertThatThrownBy(server::accept).isInstanceOf(ClosedChannelException.class);
    VsockServer.listen(server.port()).close();
  }

  @Test
  void saysWhyItCannotConnect() {
    assertThatThrownBy(() -> VsockStream.connect(0xffff_fffeL, 1))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("vsock connect to port 1 failed: ");
  }
}
