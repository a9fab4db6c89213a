/**
 * Payloads that are Java classes: their class path becomes an APK, and the Java runtime of this
 * process, made smaller by jlink, an APEX.
 *
 * <p>{@link io.github.avf4j.microdroid.java.JavaPayloadPackager} does all of it. In the guest, the
 * library {@code libavf_java.so} of the APK executes what {@link
 * io.github.avf4j.microdroid.java.JavaCommand} wrote.
 *
 * <p>Called by the service when a machine is run, on the caller's thread, which it may keep for
 * half a minute when a runtime is made for the first time. Whatever cannot be done is an {@link
 * io.github.avf4j.JavaPayloadException}.
 */
@NullMarked
package io.github.avf4j.microdroid.java;

import org.jspecify.annotations.NullMarked;
