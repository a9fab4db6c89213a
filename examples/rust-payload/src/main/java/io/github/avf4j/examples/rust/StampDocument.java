package io.github.avf4j.examples.rust;

import io.github.avf4j.Payload;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.VsockChannel;
import io.github.avf4j.microdroid.apk.ApkWriter;
import io.github.avf4j.microdroid.apk.SigningKey;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/** Runs on the host: packs the notary into a signed APK, runs it and has a document stamped. */
public final class StampDocument {
  private StampDocument() {}

  /** Prints the stamp, which is the same each time as long as the same key signs the notary. */
  public static void main(String[] arguments) throws Exception {
    // The guest has the processor of its host; an APK may have libraries for several.
    String abi = System.getProperty("os.arch").equals("aarch64") ? "arm64-v8a" : "x86_64";
    Path apk = Path.of("notary.apk");
    new ApkWriter("com.example.notary")
        .add("lib/" + abi + "/libnotary.so", resource(abi + "/libnotary.so"))
        .writeSigned(
            apk, SigningKey.ofPem(resource("sample.key.pem"), resource("sample.cert.pem")));
    VirtualMachineConfig config =
        VirtualMachineConfig.builder()
            .payload(Payload.apk(apk).withBinaryName("libnotary.so"))
            .updatable(true)
            .build();
    try (VirtualMachineManager manager = VirtualMachineManager.open(Path.of("machines"));
        VirtualMachine vm = manager.getOrCreate("notary", config)) {
      vm.run();
      vm.awaitReady(Duration.ofMinutes(2));
      try (VsockChannel channel = vm.connectVsock(5003)) {
        channel.write(StandardCharsets.UTF_8.encode("I was here."));
        channel.shutdownOutput();
        Channels.newInputStream(channel).transferTo(System.out);
      }
    }
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = StampDocument.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException("the example was built without " + name + ": build it with Maven");
      }
      return in.readAllBytes();
    }
  }
}
