package io.github.avf4j.microdroid.disk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.internal.ProtobufReader;
import io.github.avf4j.microdroid.internal.ProtobufWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a payload disk holds and what shall run: the content of its first partition. Immutable and
 * thread-safe.
 *
 * <p>On disk it is a length of four bytes, big-endian, and a protobuf message. The guest writes the
 * same for apexd, without APK and task.
 *
 * @param apexes in the order of their partitions
 * @param apk the payload
 * @param task what of it runs
 */
public record PayloadMetadata(List<Apex> apexes, Optional<Apk> apk, Optional<Task> task) {
  /** The longest message that is read, in bytes. */
  public static final int MAX_SIZE = 1 << 20;

  /** Where the payload's APK is mounted in the guest. */
  public static final String APK_ROOT = "/mnt/apk/";

  private static final int VERSION = 1;
  private static final int MAX_APEXES = 1024;

  /**
   * An APEX. The host fills name, partition, time and origin only.
   *
   * @param name of the module
   * @param partition its label
   * @param publicKey in AVB's encoding
   * @param rootDigest of its hash tree
   * @param lastUpdateSeconds since 1970
   * @param factory whether it came with the system
   * @param manifestVersion of its manifest
   * @param manifestName of its manifest
   */
  public record Apex(
      String name,
      String partition,
      ByteSlice publicKey,
      ByteSlice rootDigest,
      long lastUpdateSeconds,
      boolean factory,
      long manifestVersion,
      String manifestName) {
    /** An APEX as the host describes it. */
    public static Apex of(String name, String partition, long lastUpdateSeconds, boolean factory) {
      return new Apex(
          name, partition, ByteSlice.EMPTY, ByteSlice.EMPTY, lastUpdateSeconds, factory, 0, "");
    }
  }

  /**
   * The payload's APK.
   *
   * @param name always {@code apk}
   * @param partition the label of the APK
   * @param idsigPartition the label of its hash tree
   */
  public record Apk(String name, String partition, String idsigPartition) {}

  /** What runs. */
  public sealed interface Task {}

  /**
   * A payload configuration in the APK names what runs.
   *
   * @param path in the guest, below {@value PayloadMetadata#APK_ROOT}
   */
  public record ConfigPath(String path) implements Task {}

  /**
   * A library of the APK runs.
   *
   * @param binaryName its file name
   * @param extraApkCount how many more APKs the disk has, 0 to 2^32 - 1
   */
  public record Binary(String binaryName, long extraApkCount) implements Task {}

  /** Copies the list. */
  public PayloadMetadata {
    apexes = List.copyOf(apexes);
  }

  /**
   * Reads a partition; bytes after the message are ignored, as the guest does.
   *
   * @throws ImageException if it is damaged or of an unknown version
   */
  public static PayloadMetadata read(ImageSource partition) throws IOException {
    int head = (int) Math.min(partition.size(), Integer.BYTES + (long) MAX_SIZE);
    return parse(ByteSlice.takeOver(partition.readRange(0, head)));
  }

  /**
   * Reads the bytes of a partition; those after the message are ignored, as the guest does.
   *
   * @throws ImageException if it is damaged or of an unknown version
   */
  public static PayloadMetadata parse(ByteSlice bytes) {
    if (bytes.length() < Integer.BYTES) {
      throw bad("there is no length", bytes.offset());
    }
    long length = Integer.toUnsignedLong(bytes.asByteBuffer().getInt());
    if (length > MAX_SIZE || length > bytes.length() - Integer.BYTES) {
      throw bad(
          "the message has %d bytes, but here are %d and at most %d are read"
              .formatted(length, bytes.length() - Integer.BYTES, MAX_SIZE),
          bytes.offset());
    }
    ByteSlice message = bytes.slice(Integer.BYTES, Integer.BYTES + (int) length);
    ProtobufReader in = new ProtobufReader(message, PayloadMetadata::bad);
    long version = 0;
    List<Apex> apexes = new ArrayList<>();
    Apk apk = null;
    Task task = null;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> version = in.unsigned32();
        case 2 -> {
          if (apexes.size() == MAX_APEXES) {
            throw in.refused("there are more than " + MAX_APEXES + " APEXes");
          }
          apexes.add(apex(in.message()));
        }
        case 3 -> apk = apk(in.message());
        case 4 -> task = new ConfigPath(in.text());
        case 5 -> task = binary(in.message());
        default -> in.skip();
      }
    }
    if (version != VERSION) {
      throw bad("the version must be 1 but is " + version, message.offset());
    }
    return new PayloadMetadata(apexes, Optional.ofNullable(apk), Optional.ofNullable(task));
  }

  private static Apex apex(ProtobufReader in) {
    String name = "";
    String partition = "";
    ByteSlice key = ByteSlice.EMPTY;
    ByteSlice digest = ByteSlice.EMPTY;
    long seconds = 0;
    boolean factory = false;
    long version = 0;
    String manifestName = "";
    while (in.next()) {
      switch (in.field()) {
        case 1 -> name = in.text();
        case 2 -> partition = in.text();
        case 3 -> key = in.bytes();
        case 4 -> digest = in.bytes();
        case 5 -> seconds = in.number();
        case 6 -> factory = in.flag();
        case 7 -> version = in.number();
        case 8 -> manifestName = in.text();
        default -> in.skip();
      }
    }
    return new Apex(name, partition, key, digest, seconds, factory, version, manifestName);
  }

  private static Apk apk(ProtobufReader in) {
    String name = "";
    String partition = "";
    String idsig = "";
    while (in.next()) {
      switch (in.field()) {
        case 1 -> name = in.text();
        case 2 -> partition = in.text();
        case 3 -> idsig = in.text();
        default -> in.skip();
      }
    }
    return new Apk(name, partition, idsig);
  }

  private static Binary binary(ProtobufReader in) {
    String name = "";
    long extra = 0;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> name = in.text();
        case 2 -> extra = in.unsigned32();
        default -> in.skip();
      }
    }
    return new Binary(name, extra);
  }

  /** The bytes of the partition, as virtmgr writes them. */
  public byte[] encode() {
    ProtobufWriter out = new ProtobufWriter().number(1, VERSION);
    for (Apex apex : apexes) {
      out.message(2, encode(apex));
    }
    apk.ifPresent(
        value ->
            out.message(
                3,
                new ProtobufWriter()
                    .text(1, value.name())
                    .text(2, value.partition())
                    .text(3, value.idsigPartition())
                    .toByteArray()));
    encode(out, task.orElse(null));
    byte[] message = out.toByteArray();
    return ByteBuffer.allocate(Integer.BYTES + message.length)
        .putInt(message.length)
        .put(message)
        .array();
  }

  private static byte[] encode(Apex apex) {
    return new ProtobufWriter()
        .text(1, apex.name())
        .text(2, apex.partition())
        .bytes(3, apex.publicKey().toByteArray())
        .bytes(4, apex.rootDigest().toByteArray())
        .number(5, apex.lastUpdateSeconds())
        .flag(6, apex.factory())
        .number(7, apex.manifestVersion())
        .text(8, apex.manifestName())
        .toByteArray();
  }

  private static void encode(ProtobufWriter out, @Nullable Task task) {
    if (task instanceof ConfigPath config) {
      out.message(4, config.path().getBytes(StandardCharsets.UTF_8));
    } else if (task instanceof Binary binary) {
      out.message(
          5,
          new ProtobufWriter()
              .text(1, binary.binaryName())
              .number(2, binary.extraApkCount())
              .toByteArray());
    }
  }

  private static ImageException bad(String reason, long position) {
    return new ImageException(ImageFormat.METADATA, reason, position);
  }
}
