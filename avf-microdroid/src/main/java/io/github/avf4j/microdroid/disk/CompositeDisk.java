package io.github.avf4j.microdroid.disk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.internal.ProtobufReader;
import io.github.avf4j.microdroid.internal.ProtobufWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The descriptor of a composite disk: which files, one after the other, are the disk. It is what
 * crosvm reads: 15 bytes of magic and one protobuf message.
 *
 * <p>Components are in the order of their offsets, the first at 0; each reaches up to the next one,
 * the last to {@code length}. Immutable and thread-safe.
 *
 * @param version 1 or 2
 * @param components at least one
 * @param length of the disk, in bytes
 */
public record CompositeDisk(int version, List<Component> components, long length) {
  /** The version that is written: relative paths are those of the descriptor's folder. */
  public static final int VERSION = 2;

  /** The largest descriptor that is read, in bytes. */
  public static final int MAX_SIZE = 1 << 20;

  private static final int MAX_COMPONENTS = 4096;
  private static final byte[] MAGIC = ImageFormat.COMPOSITE.magic();

  /**
   * A file, or its end, as a part of the disk.
   *
   * @param path of the file; a relative one starts at the folder of the descriptor
   * @param offset where it starts in the disk, in bytes
   * @param writable whether a guest may write it, if the disk is opened for that
   * @param fileOffset where it starts in its file, in bytes
   */
  public record Component(String path, long offset, boolean writable, long fileOffset) {
    /** A component that starts with its file. */
    public Component(String path, long offset, boolean writable) {
      this(path, offset, writable, 0);
    }

    /** Checks the fields alone. */
    public Component {
      if (path.isEmpty() || path.indexOf('\0') >= 0) {
        throw bad("the path of a component must not be empty or contain NUL");
      }
      if (offset < 0 || fileOffset < 0) {
        throw bad("the offsets of component \"" + path + "\" must be below 2^63");
      }
    }
  }

  /**
   * Sorts the components.
   *
   * @throws ImageException if there is none, two have one offset, the first is not at 0, or one
   *     begins at or after the end
   */
  public CompositeDisk {
    if (version < 1 || version > VERSION) {
      throw bad("the version must be 1 or 2 but is " + version);
    }
    if (components.isEmpty() || components.size() > MAX_COMPONENTS) {
      throw bad(
          "there must be 1..%d components but there are %d"
              .formatted(MAX_COMPONENTS, components.size()));
    }
    components = components.stream().sorted(Comparator.comparingLong(Component::offset)).toList();
    if (components.get(0).offset() != 0) {
      throw bad("the first component must be at offset 0 but is at " + components.get(0).offset());
    }
    for (int i = 1; i < components.size(); i++) {
      if (components.get(i).offset() == components.get(i - 1).offset()) {
        throw bad("two components are at offset " + components.get(i).offset());
      }
    }
    long last = components.get(components.size() - 1).offset();
    if (length <= last) {
      throw bad("a component is at offset %d, but the disk has %d bytes".formatted(last, length));
    }
  }

  /** The number of bytes that component {@code index} has in the disk. */
  public long lengthOf(int index) {
    long end = index + 1 < components.size() ? components.get(index + 1).offset() : length;
    return end - components.get(index).offset();
  }

  /**
   * Reads a descriptor.
   *
   * @throws ImageException if it is none, damaged or of an unknown version
   */
  public static CompositeDisk parse(ByteSlice bytes) {
    if (bytes.length() < MAGIC.length || !bytes.slice(0, MAGIC.length).contentEquals(MAGIC)) {
      throw new ImageException(ImageFormat.COMPOSITE, "the magic is another", bytes.offset());
    }
    ProtobufReader in =
        new ProtobufReader(
            bytes.slice(MAGIC.length),
            (reason, position) -> new ImageException(ImageFormat.COMPOSITE, reason, position));
    long version = 0;
    long length = 0;
    List<Component> components = new ArrayList<>();
    while (in.next()) {
      switch (in.field()) {
        case 1 -> version = in.number();
        case 2 -> {
          if (components.size() == MAX_COMPONENTS) {
            throw in.refused("there are more than " + MAX_COMPONENTS + " components");
          }
          components.add(component(in));
        }
        case 3 -> length = in.number();
        default -> in.skip();
      }
    }
    if (version < 1 || version > VERSION) {
      throw bad("the version must be 1 or 2 but is " + Long.toUnsignedString(version));
    }
    return new CompositeDisk((int) version, components, length);
  }

  private static Component component(ProtobufReader outer) {
    ProtobufReader in = outer.message();
    String path = "";
    long offset = 0;
    long capability = 0;
    long fileOffset = 0;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> path = in.text();
        case 2 -> offset = in.number();
        case 3 -> {
          capability = in.number();
          if (capability < 0 || capability > 1) {
            throw in.refused(
                "the capability of a component must be 0 or 1 but is "
                    + Long.toUnsignedString(capability));
          }
        }
        case 4 -> fileOffset = in.number();
        default -> in.skip();
      }
    }
    if (path.isEmpty() || path.indexOf('\0') >= 0 || offset < 0 || fileOffset < 0) {
      throw outer.refused("a component must have a path without NUL and offsets below 2^63");
    }
    return new Component(path, offset, capability == 1, fileOffset);
  }

  /** The bytes of the file; the same ones that virtmgr writes. */
  public byte[] encode() {
    ProtobufWriter out = new ProtobufWriter().number(1, version);
    for (Component component : components) {
      out.message(
          2,
          new ProtobufWriter()
              .text(1, component.path())
              .number(2, component.offset())
              .flag(3, component.writable())
              .number(4, component.fileOffset())
              .toByteArray());
    }
    byte[] message = out.number(3, length).toByteArray();
    byte[] bytes = new byte[MAGIC.length + message.length];
    System.arraycopy(MAGIC, 0, bytes, 0, MAGIC.length);
    System.arraycopy(message, 0, bytes, MAGIC.length, message.length);
    return bytes;
  }

  private static ImageException bad(String reason) {
    return new ImageException(ImageFormat.COMPOSITE, reason);
  }
}
