package io.github.avf4j.microdroid.java;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.lang.module.ModuleFinder;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Finds the modules of the Java runtime that classes need, by the names in their constant pools. A
 * jar's own description of its modules does not matter, as it will be on the class path.
 *
 * <p>What is no class file is passed over, as a JVM only looks at the classes that it needs.
 * Confined to one thread.
 *
 * @see <a href="https://docs.oracle.com/javase/specs/jvms/se17/html/jvms-4.html#jvms-4.4">The Java
 *     Virtual Machine Specification, 4.4</a>
 */
final class NeededModules {
  private static final int MAGIC = 0xcafebabe;

  private final Map<String, String> modulesOfPackages = new HashMap<>();
  private final SortedSet<String> needed = new TreeSet<>();

  NeededModules() {
    ModuleFinder.ofSystem()
        .findAll()
        .forEach(
            module ->
                module
                    .descriptor()
                    .packages()
                    .forEach(name -> modulesOfPackages.put(name, module.descriptor().name())));
    needed.add("java.base");
  }

  SortedSet<String> names() {
    return needed;
  }

  void add(byte[] classFile) {
    try {
      scan(new DataInputStream(new ByteArrayInputStream(classFile)));
    } catch (IOException e) {
      // Cut off or no class at all: it needs nothing.
    }
  }

  private void scan(DataInputStream in) throws IOException {
    if (in.readInt() != MAGIC) {
      return;
    }
    in.skipNBytes(4);
    int count = in.readUnsignedShort();
    Map<Integer, String> texts = new HashMap<>();
    BitSet classes = new BitSet();
    BitSet descriptors = new BitSet();
    for (int index = 1; index < count; index++) {
      int tag = in.readUnsignedByte();
      switch (tag) {
        case 1 -> texts.put(index, in.readUTF());
        case 7 -> classes.set(in.readUnsignedShort());
        case 12 -> {
          in.skipNBytes(2);
          descriptors.set(in.readUnsignedShort());
        }
        case 16 -> descriptors.set(in.readUnsignedShort());
        case 8, 19, 20 -> in.skipNBytes(2);
        case 15 -> in.skipNBytes(3);
        case 3, 4, 9, 10, 11, 17, 18 -> in.skipNBytes(4);
        case 5, 6 -> {
          in.skipNBytes(8);
          index++;
        }
        default -> {
          return;
        }
      }
    }
    classes.stream().mapToObj(index -> texts.getOrDefault(index, "")).forEach(this::addClass);
    descriptors.stream()
        .mapToObj(index -> texts.getOrDefault(index, ""))
        .forEach(this::addDescriptor);
  }

  private void addClass(String name) {
    if (name.startsWith("[")) {
      addDescriptor(name);
      return;
    }
    int end = name.lastIndexOf('/');
    String module =
        end < 0 ? null : modulesOfPackages.get(name.substring(0, end).replace('/', '.'));
    if (module != null) {
      needed.add(module);
    }
  }

  /** Adds the classes in a type, as in {@code (Ljava/lang/String;[I)V}. */
  private void addDescriptor(String type) {
    for (int at = type.indexOf('L'); at >= 0; at = type.indexOf('L', at)) {
      int end = type.indexOf(';', at);
      if (end < 0) {
        return;
      }
      addClass(type.substring(at + 1, end));
      at = end;
    }
  }
}
