package io.github.avf4j.microdroid.erofs;

import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What will be in an EROFS image: folders, regular files, hard and symbolic links, with permissions
 * and owners. Files of any other kind and extended attributes are refused by name.
 *
 * <p>Content of files on disk is read when the image is written. Confined to one thread.
 */
public final class ErofsTree {
  private static final int PERMISSIONS = 07777;
  private static final int MAX_TARGET = 4095;

  private final ErofsNode root;

  private record FileKey(Object device, Object inode) {}

  private ErofsTree(ErofsNode root) {
    this.root = root;
  }

  /** Starts with an empty root folder of owner 0 and mode 0755. */
  public ErofsTree() {
    this(ErofsNode.folder(0755, 0, 0));
  }

  /** Takes a folder with all that is in it, owned by 0:0. */
  public static ErofsTree of(Path folder) throws IOException {
    return of(folder, 0, 0);
  }

  /**
   * Takes a folder with all that is in it.
   *
   * @param uid the owner of every file
   * @param gid the group of every file
   * @throws ImageException if there is a device, FIFO, socket or extended attribute
   * @throws IOException if anything cannot be read
   */
  public static ErofsTree of(Path folder, int uid, int gid) throws IOException {
    Path real = folder.toRealPath();
    if (!Files.isDirectory(real)) {
      throw new NotDirectoryException(folder.toString());
    }
    ErofsNode root = ErofsNode.folder(mode(attributes(real)) & PERMISSIONS, uid, gid);
    refuseAttributes(real);
    scan(real, root, new HashMap<>());
    return new ErofsTree(root);
  }

  private static void scan(Path folder, ErofsNode into, Map<FileKey, ErofsNode> linked)
      throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Map<String, Object> attributes = attributes(file);
        FileKey key = new FileKey(attributes.get("dev"), attributes.get("ino"));
        ErofsNode node = linked.get(key);
        if (node == null) {
          node = node(file, attributes, into);
          if ((Integer) attributes.get("nlink") > 1 && !node.isFolder()) {
            linked.put(key, node);
          }
        }
        into.children.put(ErofsName.of(PathBytes.name(file)), node);
        if (node.isFolder()) {
          node.parent = into;
          scan(file, node, linked);
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  private static ErofsNode node(Path file, Map<String, Object> attributes, ErofsNode owner)
      throws IOException {
    int mode = mode(attributes);
    long size = (Long) attributes.get("size");
    switch (mode & ErofsInode.FORMAT_MASK) {
      case ErofsInode.DIRECTORY -> {
        refuseAttributes(file);
        return ErofsNode.folder(mode & PERMISSIONS, owner.uid, owner.gid);
      }
      case ErofsInode.REGULAR -> {
        refuseAttributes(file);
        return ErofsNode.file(mode & PERMISSIONS, owner.uid, owner.gid, file, size);
      }
      case ErofsInode.SYMLINK -> {
        byte[] target = PathBytes.target(Files.readSymbolicLink(file), (int) size);
        return ErofsNode.symlink(owner.uid, owner.gid, target);
      }
      default ->
          throw bad(
              file + " is a device, a FIFO or a socket (mode 0%o): take it out".formatted(mode));
    }
  }

  private static void refuseAttributes(Path file) throws IOException {
    UserDefinedFileAttributeView view =
        Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
    List<String> names;
    try {
      names = view == null ? List.of() : view.list();
    } catch (IOException e) {
      // This file system has no attributes.
      return;
    }
    if (!names.isEmpty()) {
      throw bad(file + " has the extended attribute user." + names.get(0) + ": remove it first");
    }
  }

  private static Map<String, Object> attributes(Path file) throws IOException {
    return Files.readAttributes(file, "unix:mode,size,nlink,ino,dev", LinkOption.NOFOLLOW_LINKS);
  }

  private static int mode(Map<String, Object> attributes) {
    return (Integer) attributes.get("mode");
  }

  /**
   * Adds a folder.
   *
   * @param path from the root, with {@code /} between names; the folder above must be there
   * @param mode the permission bits, 0..07777
   */
  public ErofsTree folder(String path, int mode, int uid, int gid) {
    return add(path, ErofsNode.folder(permissions(mode), uid, gid));
  }

  /**
   * Adds a regular file.
   *
   * @param path from the root; the folder above must be there
   * @param mode the permission bits, 0..07777
   */
  public ErofsTree file(String path, byte[] content, int mode, int uid, int gid) {
    return add(path, ErofsNode.file(permissions(mode), uid, gid, content));
  }

  /**
   * Adds a regular file whose content is that of a file on disk.
   *
   * @param path from the root; the folder above must be there
   * @param mode the permission bits, 0..07777
   * @throws IOException if there is no such file
   */
  public ErofsTree file(String path, Path source, int mode, int uid, int gid) throws IOException {
    if (!Files.isRegularFile(source)) {
      throw new FileSystemException(source.toString(), null, "is not a regular file");
    }
    return add(path, ErofsNode.file(permissions(mode), uid, gid, source, Files.size(source)));
  }

  /**
   * Adds a symbolic link.
   *
   * @param path from the root; the folder above must be there
   */
  public ErofsTree symlink(String path, String target, int uid, int gid) {
    byte[] bytes = target.getBytes(StandardCharsets.UTF_8);
    if (bytes.length == 0 || bytes.length > MAX_TARGET || target.indexOf('\0') >= 0) {
      throw bad("the target of " + path + " must have 1..4095 bytes without NUL");
    }
    return add(path, ErofsNode.symlink(uid, gid, bytes));
  }

  private ErofsTree add(String path, ErofsNode node) {
    int slash = path.lastIndexOf('/');
    ErofsNode folder = root;
    if (slash > 0) {
      for (String part : path.substring(0, slash).split("/")) {
        if (!part.isEmpty()) {
          ErofsNode next = folder.children.get(ErofsName.of(part));
          if (next == null || !next.isFolder()) {
            throw bad("there is no folder \"" + part + "\" for " + path);
          }
          folder = next;
        }
      }
    }
    if (folder.children.putIfAbsent(ErofsName.of(path.substring(slash + 1)), node) != null) {
      throw bad("there is a file " + path + " already");
    }
    if (node.isFolder()) {
      node.parent = folder;
    }
    return this;
  }

  private static int permissions(int mode) {
    if ((mode & ~PERMISSIONS) != 0) {
      throw bad("the permission bits must be in 0..07777 but are 0%o".formatted(mode));
    }
    return mode;
  }

  ErofsNode root() {
    return root;
  }

  /** Forgets where an earlier writer placed the files. */
  void reset() {
    reset(root);
  }

  private static void reset(ErofsNode node) {
    node.metaAt = -1;
    node.links = 0;
    node.children.values().forEach(ErofsTree::reset);
  }

  private static ImageException bad(String reason) {
    return new ImageException(ImageFormat.EROFS, reason);
  }
}
