package io.github.avf4j.qemu.process;

import java.nio.file.Path;

/**
 * A QEMU that can run machines. Thread-safe.
 *
 * @param path the absolute path of the executable
 * @param version its version, such as {@code 7.2.22}
 * @param tscKilohertz how fast the time-stamp counter of its guests runs, 0 if unknown
 */
public record QemuBinary(Path path, String version, long tscKilohertz) {}
