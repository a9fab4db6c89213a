package io.github.avf4j.microdroid.payload;

import io.github.avf4j.ExecutablePayload;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.StoreException;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.initrd.CpioWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The read-only disk on which a guest finds its payload: a cpio archive from the first byte on, and
 * zeros up to a whole number of sectors.
 *
 * <p>The entries are {@code payload}, the executable; and, if there are any, {@code args} and
 * {@code env}: the arguments after the program's name, and {@code NAME=VALUE} strings, each ended
 * by NUL. The reader is {@code guest/avf-guest/src/payload.rs}.
 *
 * <p>Thread-safe.
 */
public final class PayloadDisk {
  /** The serial by which the guest finds the disk. */
  public static final String SERIAL = "payload";

  private static final String ADVICE = "give a static Linux executable";

  /** What the guest takes: Linux's own bound for one string. */
  private static final int MAX_STRINGS = 128 << 10;

  private static final int SECTOR = 512;
  private static final int MIN_SIZE = 4096;

  private final Path image;
  private final GuestArchitecture architecture;
  private @Nullable Key written;

  private record Key(
      FileStamp executable, List<String> arguments, Map<String, String> environment) {}

  /** Makes a disk for guests of this host, whose image will be the file {@code image}. */
  public PayloadDisk(Path image) {
    this(image, GuestArchitecture.host());
  }

  PayloadDisk(Path image, GuestArchitecture architecture) {
    this.image = image;
    this.architecture = architecture;
  }

  /**
   * Writes the image, unless this object has written it for the same payload before.
   *
   * @return the image file; nobody changes it in place
   * @throws InvalidImageException if the payload is missing or no static executable for the guest
   * @throws StoreException if the image cannot be written
   */
  public synchronized Path write(ExecutablePayload payload) {
    Key key =
        new Key(
            FileStamp.of(payload.executable(), "payload", ADVICE),
            payload.arguments(),
            payload.environment());
    if (!Objects.equals(key, written) || !Files.exists(image)) {
      replace(payload, key.executable().size());
      written = key;
    }
    return image;
  }

  private void replace(ExecutablePayload payload, long size) {
    byte[] arguments = strings(payload.arguments(), "arguments");
    byte[] environment =
        strings(
            new TreeMap<>(payload.environment())
                .entrySet().stream()
                    .map(entry -> entry.getKey() + '=' + entry.getValue())
                    .collect(Collectors.toList()),
            "environment variables");
    // This object writes it before its first use in a process, so that a loss of power is harmless.
    try (AtomicFile file = AtomicFile.create(image)) {
      OutputStream out = file.stream();
      CpioWriter cpio = new CpioWriter(out);
      executable(cpio, payload.executable(), size);
      if (arguments.length > 0) {
        cpio.file("args", 0444, arguments);
      }
      if (environment.length > 0) {
        cpio.file("env", 0444, environment);
      }
      pad(out, cpio.finish());
      file.commitUnsynced();
    } catch (IOException e) {
      throw new StoreException(
          "cannot write the payload disk " + image + " (" + e + "): make room in the store", e);
    }
  }

  private void executable(CpioWriter cpio, Path file, long size) throws IOException {
    InputStream in;
    try {
      in = Files.newInputStream(file);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
    try (in) {
      byte[] head = in.readNBytes(PayloadExecutable.HEAD);
      PayloadExecutable.check(file, head, size, architecture);
      if (size > CpioWriter.MAX_CONTENT) {
        throw new InvalidImageException(
            "the payload "
                + file
                + " must have at most "
                + CpioWriter.MAX_CONTENT
                + " bytes but has "
                + size
                + ": send the data over vsock instead");
      }
      // What was checked is what is copied: the file is not read a second time.
      cpio.file("payload", 0555, size, new SequenceInputStream(new ByteArrayInputStream(head), in));
    }
  }

  private static void pad(OutputStream out, long length) throws IOException {
    long padded = Math.max(MIN_SIZE, (length + SECTOR - 1) / SECTOR * SECTOR);
    out.write(new byte[(int) (padded - length)]);
  }

  private static byte[] strings(List<String> strings, String what) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (String string : strings) {
      out.writeBytes(string.getBytes(StandardCharsets.UTF_8));
      out.write(0);
    }
    if (out.size() > MAX_STRINGS) {
      throw new InvalidImageException(
          "the payload's "
              + what
              + " must have at most "
              + MAX_STRINGS
              + " bytes in all but have "
              + out.size()
              + ": send the data over vsock instead");
    }
    return out.toByteArray();
  }

  private static InvalidImageException unreadable(Path file, IOException e) {
    return new InvalidImageException(
        "the payload " + file + " cannot be read (" + e + "): check its permissions", e);
  }
}
