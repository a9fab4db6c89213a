/**
 * What several packages of this module need and nobody else sees: the wire format of protobuf, and
 * arithmetic on CRC-32.
 *
 * <p>Called by {@code disk} and {@code apex} on any thread; knows no format of theirs.
 */
@NullMarked
package io.github.avf4j.microdroid.internal;

import org.jspecify.annotations.NullMarked;
