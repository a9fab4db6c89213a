package io.github.avf4j.virtio.blk;

import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.virtio.ConfigSpace;
import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.QueueService;
import io.github.avf4j.virtio.VirtioDevice;
import io.github.avf4j.virtio.queue.Virtqueue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A disk (virtio 1.2, section 5.2).
 *
 * <p>Requests are carried out in their order on the thread that calls {@link #queueNotified}, which
 * blocks as long as the host's storage does; so none is in flight when {@link #reset} returns.
 * Thread-safe as {@link VirtioDevice} says.
 */
public final class BlkDevice implements VirtioDevice {
  /** The unit of all positions and lengths, in bytes. */
  public static final int SECTOR_SIZE = 512;

  /** The length of a disk's id in bytes. */
  public static final int ID_LENGTH = 20;

  private static final int DEVICE_ID = 2;
  private static final int CONFIG_LENGTH = 60;

  private final BlkConfig config;
  private final BlockBackend backend;
  private final long features;
  private final byte[] configSpace;
  private @Nullable Virtqueue queue;
  private @Nullable InterruptLine interrupts;
  private BlkRequests requests;

  /** Makes a disk on {@code backend}, which it owns from now on. */
  public BlkDevice(BlkConfig config, BlockBackend backend) {
    this.config = config;
    this.backend = backend;
    features = features(config, backend);
    configSpace = configSpace(config, backend);
    requests = new BlkRequests(backend, config, 0);
  }

  /** Makes a disk whose content is that of {@code backend}, which it closes at its end. */
  public static BlkDevice of(DiskSpec disk, BlockBackend backend) {
    return new BlkDevice(
        BlkConfig.builder().readOnly(disk.readOnly()).serial(disk.serial()).build(), backend);
  }

  private static long features(BlkConfig config, BlockBackend backend) {
    long features = BlkFeatures.SEG_MAX | BlkFeatures.BLK_SIZE | BlkFeatures.FLUSH;
    if (config.readOnly()) {
      return features | BlkFeatures.READ_ONLY;
    }
    return features | BlkFeatures.WRITE_ZEROES | (backend.canDiscard() ? BlkFeatures.DISCARD : 0);
  }

  private static byte[] configSpace(BlkConfig config, BlockBackend backend) {
    ByteBuffer space = ByteBuffer.allocate(CONFIG_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    space.putLong(0, backend.size() / SECTOR_SIZE);
    // Header and status take a descriptor each.
    space.putInt(12, config.queueSize() - 2);
    space.putInt(20, config.blockSize());
    space.putShort(34, (short) 1);
    space.putInt(36, BlkRequests.MAX_DISCARD_SECTORS);
    space.putInt(40, BlkRequests.MAX_RANGES);
    space.putInt(44, config.blockSize() / SECTOR_SIZE);
    space.putInt(48, BlkRequests.MAX_ZERO_SECTORS);
    space.putInt(52, BlkRequests.MAX_RANGES);
    return space.array();
  }

  @Override
  public int deviceId() {
    return DEVICE_ID;
  }

  @Override
  public long features() {
    return features;
  }

  @Override
  public int queueCount() {
    return 1;
  }

  @Override
  public int maxQueueSize(int index) {
    return config.queueSize();
  }

  @Override
  public int readConfig(int offset, int width) {
    return ConfigSpace.read(configSpace, offset, width);
  }

  @Override
  public void activate(@Nullable Virtqueue[] queues, long negotiated, InterruptLine line) {
    queue = queues[0];
    interrupts = line;
    requests = new BlkRequests(backend, config, negotiated);
  }

  @Override
  public void queueNotified(int index) {
    Virtqueue pending = queue;
    InterruptLine line = interrupts;
    if (pending != null && line != null) {
      QueueService.drain(pending, line, requests::handle);
    }
  }

  @Override
  public void reset() {
    queue = null;
    interrupts = null;
  }

  @Override
  public void close() {
    reset();
    backend.close();
  }
}
