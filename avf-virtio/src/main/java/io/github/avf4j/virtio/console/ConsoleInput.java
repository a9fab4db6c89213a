package io.github.avf4j.virtio.console;

import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.QueueService;
import io.github.avf4j.virtio.queue.DescriptorChain;
import io.github.avf4j.virtio.queue.Virtqueue;
import io.github.avf4j.virtio.queue.VirtqueueException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The way of input from a user's thread to the guest: a ring buffer, and behind it the receive
 * queue.
 *
 * <p>Any thread writes; the event loop and the thread that resets the device change the queue. The
 * lock is this object's, and nothing is called under it that takes another. Thread-safe.
 */
final class ConsoleInput extends OutputStream {
  private final byte[] ring;

  /** Where the oldest byte is, and how many there are. */
  private int start;

  private int count;
  private boolean closed;
  private @Nullable Virtqueue queue;
  private @Nullable InterruptLine interrupts;

  ConsoleInput(int capacity) {
    ring = new byte[capacity];
  }

  synchronized void attach(Virtqueue newQueue, InterruptLine line) {
    queue = newQueue;
    interrupts = line;
    pump();
  }

  /** Forgets the queue; what was not delivered stays for the guest's next driver. */
  synchronized void detach() {
    queue = null;
    interrupts = null;
  }

  /** The driver gave buffers, it seems. */
  synchronized void pump() {
    Virtqueue buffers = queue;
    InterruptLine line = interrupts;
    if (buffers == null || line == null) {
      return;
    }
    do {
      while (count > 0) {
        DescriptorChain chain = buffers.poll();
        if (chain == null) {
          break;
        }
        buffers.complete(chain, take(chain));
      }
      // With input at hand the next buffer must be notified; without, a later write polls anyway.
    } while (count > 0 && buffers.enableNotifications());
    QueueService.signal(buffers, line);
    notifyAll();
  }

  private int take(DescriptorChain chain) {
    int done = 0;
    while (count > 0) {
      int part = Math.min(count, ring.length - start);
      int written;
      try {
        written = chain.write(ring, start, part);
      } catch (VirtqueueException e) {
        // The guest does not share the buffer; its queue is broken, and the input stays here.
        break;
      }
      if (written == 0) {
        break;
      }
      start = (start + written) % ring.length;
      count -= written;
      done += written;
    }
    return done;
  }

  @Override
  public void write(int value) throws IOException {
    write(new byte[] {(byte) value}, 0, 1);
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    requireOpen();
    for (int done = 0; done < length; ) {
      while (count == ring.length) {
        awaitRoom(done);
      }
      int end = (start + count) % ring.length;
      int room = Math.min(ring.length - count, ring.length - end);
      int part = Math.min(room, length - done);
      System.arraycopy(bytes, offset + done, ring, end, part);
      count += part;
      done += part;
      pump();
    }
  }

  private void awaitRoom(int done) throws IOException {
    try {
      wait();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      InterruptedIOException interrupted =
          new InterruptedIOException("interrupted while the guest did not read its console");
      interrupted.bytesTransferred = done;
      throw interrupted;
    }
    requireOpen();
  }

  private void requireOpen() throws IOException {
    if (closed) {
      throw new IOException("the console is closed: its machine has stopped");
    }
  }

  /** Does nothing: what the user closes is the user's end only, the guest sees no end of input. */
  @Override
  public void close() {}

  /** The device ends: writers fail from now on. */
  synchronized void shut() {
    detach();
    closed = true;
    notifyAll();
  }
}
