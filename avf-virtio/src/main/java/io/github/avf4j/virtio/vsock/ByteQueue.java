package io.github.avf4j.virtio.vsock;

import io.github.avf4j.virtio.queue.DescriptorChain;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of one connection that nobody has read yet, in chunks that come from a pool and go back as
 * they are read: an empty queue holds none.
 *
 * <p>Guarded by the device's lock.
 */
final class ByteQueue {
  private final Pool pool;
  private @Nullable Chunk first;
  private @Nullable Chunk last;
  private int size;

  ByteQueue(Pool pool) {
    this.pool = pool;
  }

  int size() {
    return size;
  }

  /** Appends the next {@code length} readable bytes of a chain that has them. */
  void add(DescriptorChain chain, int length) {
    for (int left = length; left > 0; ) {
      Chunk tail = last;
      if (tail == null || tail.bytes.position() == Chunk.SIZE) {
        tail = append();
      }
      ByteBuffer bytes = tail.bytes;
      int part = Math.min(left, Chunk.SIZE - bytes.position());
      bytes.limit(bytes.position() + part);
      chain.read(bytes);
      bytes.limit(Chunk.SIZE);
      left -= part;
      size += part;
    }
  }

  /** Moves as many bytes to {@code target} as it takes; returns how many that was. */
  int drainTo(ByteBuffer target) {
    int moved = 0;
    for (Chunk head = first; head != null && target.hasRemaining(); head = first) {
      int part = Math.min(target.remaining(), head.bytes.position() - head.read);
      target.put(target.position(), head.bytes, head.read, part);
      target.position(target.position() + part);
      head.read += part;
      moved += part;
      if (head.read == head.bytes.position()) {
        removeFirst(head);
      }
    }
    size -= moved;
    return moved;
  }

  void clear() {
    for (Chunk head = first; head != null; head = first) {
      removeFirst(head);
    }
    size = 0;
  }

  private Chunk append() {
    Chunk chunk = pool.take();
    if (last == null) {
      first = chunk;
    } else {
      last.next = chunk;
    }
    last = chunk;
    return chunk;
  }

  private void removeFirst(Chunk head) {
    first = head.next;
    if (first == null) {
      last = null;
    }
    pool.give(head);
  }

  /** A piece of memory; written up to its buffer's position, read up to {@link #read}. */
  private static final class Chunk {
    static final int SIZE = 8 << 10;

    final ByteBuffer bytes = ByteBuffer.allocate(SIZE);
    int read;
    @Nullable Chunk next;
  }

  /** The chunks at hand of one device; keeps at most 256 KiB. Guarded by the device's lock. */
  static final class Pool {
    private static final int MAX = 32;

    private @Nullable Chunk free;
    private int count;

    private Chunk take() {
      Chunk chunk = free;
      if (chunk == null) {
        return new Chunk();
      }
      free = chunk.next;
      count--;
      chunk.next = null;
      return chunk;
    }

    private void give(Chunk chunk) {
      if (count == MAX) {
        return;
      }
      chunk.bytes.clear();
      chunk.read = 0;
      chunk.next = free;
      free = chunk;
      count++;
    }

    /** Lets the garbage collector have all. */
    void clear() {
      free = null;
      count = 0;
    }
  }
}
