/**
 * What a virtio device is to a transport, and what a transport is to a device.
 *
 * <p>{@link io.github.avf4j.virtio.VirtioDevice} is implemented by the device packages and driven
 * by the mmio transport or by a vhost-user connection.
 */
@NullMarked
package io.github.avf4j.virtio;

import org.jspecify.annotations.NullMarked;
