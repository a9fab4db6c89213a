/**
 * What several packages of this module need and nobody else sees: the wire format of protobuf,
 * arithmetic on CRC-32, and what packages are written with (zip and Android's binary manifest).
 *
 * <p>Called by {@code disk}, {@code apk} and {@code apex} on any thread; knows no format of theirs.
 */
@NullMarked
package io.github.avf4j.microdroid.internal;

import org.jspecify.annotations.NullMarked;
