package io.github.avf4j.virtio.blk;

import io.github.avf4j.virtio.queue.DescriptorChain;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out block requests (virtio 1.2, section 5.2.6): a header of 16 bytes, data, and a status
 * byte. Blocks while the host's storage does. Confined to the thread that has the queue.
 */
final class BlkRequests {
  /** The most sectors of one WRITE_ZEROES: 2 MiB, as the zeros may have to be written. */
  static final int MAX_ZERO_SECTORS = 4096;

  /** The most sectors of one DISCARD: 1 GiB. */
  static final int MAX_DISCARD_SECTORS = 1 << 21;

  /** The most ranges of one DISCARD or WRITE_ZEROES. */
  static final int MAX_RANGES = 16;

  private static final Logger LOG = LoggerFactory.getLogger(BlkRequests.class);
  private static final int HEADER_LENGTH = 16;
  private static final int RANGE_LENGTH = 16;
  private static final int UNMAP = 1;

  /** The most bytes moved before looking whether the queue was stopped. */
  private static final int PIECE = 1 << 20;

  private static final int IN = 0;
  private static final int OUT = 1;
  private static final int FLUSH = 4;
  private static final int GET_ID = 8;
  private static final int DISCARD = 11;
  private static final int WRITE_ZEROES = 13;

  private final BlockBackend backend;
  private final boolean readOnly;
  private final byte[] id;
  private final long features;
  private long failures;

  /** Makes an executor for a driver that negotiated {@code features}. */
  BlkRequests(BlockBackend backend, BlkConfig config, long features) {
    this.backend = backend;
    this.readOnly = config.readOnly();
    this.features = features;
    id = Arrays.copyOf(config.serial().getBytes(StandardCharsets.US_ASCII), BlkDevice.ID_LENGTH);
  }

  /** Carries out one request and writes its status; returns how many bytes were written. */
  int handle(DescriptorChain chain) {
    long room = chain.writableLength();
    if (room == 0) {
      return 0;
    }
    BlkStatus status;
    try {
      status = execute(chain, room - 1);
    } catch (IOException e) {
      failures++;
      if (Long.bitCount(failures) == 1) {
        LOG.warn("{} block requests failed so far; the last one: {}", failures, e.toString());
      }
      status = BlkStatus.IOERR;
    }
    chain.writeAt(room - 1, status.code());
    return (int) Math.min(status == BlkStatus.OK ? room : 1, Integer.MAX_VALUE);
  }

  private BlkStatus execute(DescriptorChain chain, long room) throws IOException {
    if (chain.readableLength() < HEADER_LENGTH) {
      return BlkStatus.IOERR;
    }
    int type = chain.readInt();
    chain.skip(Integer.BYTES);
    long sector = chain.readLong();
    return switch (type) {
      case IN -> readSectors(chain, sector, room);
      case OUT -> writeSectors(chain, sector, room);
      case FLUSH -> flush();
      case GET_ID -> identify(chain, room);
      case DISCARD -> clearRanges(chain, BlkFeatures.DISCARD, MAX_DISCARD_SECTORS);
      case WRITE_ZEROES -> clearRanges(chain, BlkFeatures.WRITE_ZEROES, MAX_ZERO_SECTORS);
      default -> BlkStatus.UNSUPP;
    };
  }

  private BlkStatus readSectors(DescriptorChain chain, long sector, long length)
      throws IOException {
    if (chain.readRemaining() != 0 || !isInside(sector, length)) {
      return BlkStatus.IOERR;
    }
    long position = sector * BlkDevice.SECTOR_SIZE;
    for (long left = length; left > 0; ) {
      if (chain.isAbandoned()) {
        return BlkStatus.IOERR;
      }
      long from = position;
      int part =
          chain.lendToFill((int) Math.min(left, PIECE), target -> backend.read(target, from));
      position += part;
      left -= part;
    }
    return BlkStatus.OK;
  }

  private BlkStatus writeSectors(DescriptorChain chain, long sector, long room) throws IOException {
    long length = chain.readRemaining();
    if (readOnly || room != 0 || !isInside(sector, length)) {
      return BlkStatus.IOERR;
    }
    long position = sector * BlkDevice.SECTOR_SIZE;
    while (chain.readRemaining() > 0) {
      if (chain.isAbandoned()) {
        return BlkStatus.IOERR;
      }
      long to = position;
      position += chain.lendToRead(PIECE, source -> backend.write(source, to));
    }
    if (!has(BlkFeatures.FLUSH)) {
      // A driver that cannot flush takes every write for stable (virtio 1.2, section 5.2.6.2).
      backend.flush();
    }
    return BlkStatus.OK;
  }

  private BlkStatus flush() throws IOException {
    if (!has(BlkFeatures.FLUSH)) {
      return BlkStatus.UNSUPP;
    }
    if (!readOnly) {
      backend.flush();
    }
    return BlkStatus.OK;
  }

  private BlkStatus identify(DescriptorChain chain, long room) {
    if (room < BlkDevice.ID_LENGTH) {
      return BlkStatus.IOERR;
    }
    chain.write(id, 0, id.length);
    return BlkStatus.OK;
  }

  private BlkStatus clearRanges(DescriptorChain chain, long feature, int maxSectors)
      throws IOException {
    if (!has(feature)) {
      return BlkStatus.UNSUPP;
    }
    long length = chain.readRemaining();
    if (readOnly
        || length == 0
        || length % RANGE_LENGTH != 0
        || length / RANGE_LENGTH > MAX_RANGES) {
      return BlkStatus.IOERR;
    }
    boolean zero = feature == BlkFeatures.WRITE_ZEROES;
    while (chain.readRemaining() > 0 && !chain.isAbandoned()) {
      long sector = chain.readLong();
      long sectors = chain.readInt() & 0xffff_ffffL;
      int flags = chain.readInt();
      if ((flags & ~(zero ? UNMAP : 0)) != 0) {
        return BlkStatus.UNSUPP;
      }
      if (sectors > maxSectors || !isInside(sector, sectors * BlkDevice.SECTOR_SIZE)) {
        return BlkStatus.IOERR;
      }
      long position = sector * BlkDevice.SECTOR_SIZE;
      if (zero) {
        backend.writeZeroes(position, sectors * BlkDevice.SECTOR_SIZE);
      } else {
        backend.discard(position, sectors * BlkDevice.SECTOR_SIZE);
      }
    }
    return BlkStatus.OK;
  }

  /** Compares in sectors, where nothing overflows: a length has at most 32 bits. */
  private boolean isInside(long sector, long length) {
    long capacity = backend.size() / BlkDevice.SECTOR_SIZE;
    return length % BlkDevice.SECTOR_SIZE == 0
        && sector >= 0
        && sector <= capacity
        && length / BlkDevice.SECTOR_SIZE <= capacity - sector;
  }

  private boolean has(long feature) {
    return (features & feature) != 0;
  }
}
