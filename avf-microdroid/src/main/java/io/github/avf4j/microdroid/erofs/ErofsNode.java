package io.github.avf4j.microdroid.erofs;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A file that will be in an image: first what it is, then where the writer puts it. */
final class ErofsNode {
  final int mode;
  final int uid;
  final int gid;

  /** Of a folder. */
  final Map<ErofsName, ErofsNode> children = new TreeMap<>();

  /** Of a file on disk; its content is in {@link #content} otherwise. */
  final @Nullable Path source;

  final byte[] content;
  long size;
  long links;

  ErofsNode parent = this;
  long metaAt = -1;
  long firstBlock;
  boolean inline;
  boolean extended;
  long number;

  private ErofsNode(int mode, int uid, int gid, @Nullable Path source, byte[] content, long size) {
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    this.source = source;
    this.content = content;
    this.size = size;
  }

  static ErofsNode folder(int permissions, int uid, int gid) {
    return new ErofsNode(ErofsInode.DIRECTORY | permissions, uid, gid, null, new byte[0], 0);
  }

  static ErofsNode file(int permissions, int uid, int gid, Path source, long size) {
    return new ErofsNode(ErofsInode.REGULAR | permissions, uid, gid, source, new byte[0], size);
  }

  static ErofsNode file(int permissions, int uid, int gid, byte[] content) {
    return new ErofsNode(
        ErofsInode.REGULAR | permissions, uid, gid, null, content.clone(), content.length);
  }

  static ErofsNode symlink(int uid, int gid, byte[] target) {
    return new ErofsNode(ErofsInode.SYMLINK | 0777, uid, gid, null, target.clone(), target.length);
  }

  boolean isFolder() {
    return (mode & ErofsInode.FORMAT_MASK) == ErofsInode.DIRECTORY;
  }

  long nid() {
    return metaAt / ErofsInode.COMPACT_SIZE;
  }

  /** The names in this folder with those of itself and its parent, in the order of the disk. */
  List<ErofsName> names() {
    List<ErofsName> names = new ArrayList<>(children.keySet());
    names.add(new ErofsName(new byte[] {'.'}));
    names.add(new ErofsName(new byte[] {'.', '.'}));
    Collections.sort(names);
    return names;
  }

  /** What a name in this folder leads to. */
  ErofsNode at(ErofsName name) {
    if (name.isDots()) {
      return name.isDot() ? this : parent;
    }
    ErofsNode child = children.get(name);
    if (child == null) {
      throw new IllegalStateException("no child " + name);
    }
    return child;
  }
}
