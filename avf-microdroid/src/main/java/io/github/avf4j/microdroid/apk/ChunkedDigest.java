package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.DataTap;
import java.security.DigestException;
import java.security.MessageDigest;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;

/**
 * The chunked content digest: chunks of 1 MiB of each section, and a digest over theirs.
 *
 * <p>The entries come as a tap of the Merkle tree's reading, chunk by chunk on any thread; the
 * other sections are in memory. {@link #see} may be called by several threads, {@link #finish}
 * after them.
 */
final class ChunkedDigest implements DataTap {
  private static final byte CHUNK_MARK = (byte) 0xa5;
  private static final byte TOTAL_MARK = 0x5a;

  private final ContentDigestKind kind;
  private final long bodyLength;
  private final byte[] body;
  private final ConcurrentMap<Long, MessageDigest> running = new ConcurrentHashMap<>();
  private final Queue<MessageDigest> idle = new ConcurrentLinkedQueue<>();

  /**
   * @param bodyLength the bytes of the entries, with which the data starts
   */
  ChunkedDigest(ContentDigestKind kind, long bodyLength) {
    this.kind = kind;
    this.bodyLength = bodyLength;
    this.body = new byte[Math.multiplyExact(chunks(bodyLength), kind.size())];
  }

  ContentDigestKind kind() {
    return kind;
  }

  @Override
  public void see(long position, byte[] bytes, int length) {
    int count = (int) Math.min(length, bodyLength - position);
    if (count <= 0) {
      return;
    }
    long chunk = position / CHUNK;
    MessageDigest digest = running.get(chunk);
    if (position % CHUNK == 0) {
      digest = idle.poll();
      if (digest == null) {
        digest = kind.hash().newDigest();
      }
      start(digest, (int) Math.min(CHUNK, bodyLength - position));
      running.put(chunk, digest);
    }
    if (digest == null) {
      throw new IllegalStateException("the piece at " + position + " came before its chunk");
    }
    digest.update(bytes, 0, count);
    long end = position + count;
    if (end % CHUNK == 0 || end == bodyLength) {
      running.remove(chunk);
      end(digest, body, Math.toIntExact(chunk));
      idle.add(digest);
    }
  }

  /** Digests the other sections and all digests of chunks. */
  ByteSlice finish(ByteSlice directory, ByteSlice endRecord) {
    byte[] rest = section(directory);
    byte[] last = section(endRecord);
    MessageDigest total = kind.hash().newDigest();
    total.update(TOTAL_MARK);
    number(total, (body.length + rest.length + last.length) / kind.size());
    total.update(body);
    total.update(rest);
    total.update(last);
    return ByteSlice.takeOver(total.digest());
  }

  private byte[] section(ByteSlice bytes) {
    byte[] digests = new byte[chunks(bytes.length()) * kind.size()];
    MessageDigest digest = kind.hash().newDigest();
    for (int at = 0; at < bytes.length(); at += CHUNK) {
      int length = Math.min(CHUNK, bytes.length() - at);
      start(digest, length);
      digest.update(bytes.slice(at, at + length).asByteBuffer());
      end(digest, digests, at / CHUNK);
    }
    return digests;
  }

  private void end(MessageDigest digest, byte[] target, int index) {
    try {
      digest.digest(target, index * kind.size(), kind.size());
    } catch (DigestException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void start(MessageDigest digest, int length) {
    digest.update(CHUNK_MARK);
    number(digest, length);
  }

  private static void number(MessageDigest digest, int value) {
    for (int i = 0; i < 4; i++) {
      digest.update((byte) (value >>> 8 * i));
    }
  }

  private static int chunks(long length) {
    return Math.toIntExact((length + CHUNK - 1) / CHUNK);
  }
}
