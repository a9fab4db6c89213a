package io.github.avf4j.examples.java;

import io.github.avf4j.payload.VmPayload;
import io.github.avf4j.payload.VsockServer;
import io.github.avf4j.payload.VsockStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;

/** Runs in the guest: answers each number with the next prime number. */
public final class NextPrime {
  private NextPrime() {}

  /** Serves one connection after the other, for ever. */
  public static void main(String[] arguments) throws IOException {
    try (VsockServer server = VsockServer.listen(5000)) {
      VmPayload.notifyReady();
      while (true) {
        try (VsockStream host = server.accept()) {
          String number = new String(host.input().readAllBytes(), StandardCharsets.US_ASCII);
          BigInteger prime = new BigInteger(number.strip()).nextProbablePrime();
          host.write(StandardCharsets.US_ASCII.encode(prime + "\n"));
        }
      }
    }
  }
}
