/**
 * The commands for disk images: {@code avf image} and {@code avf disk}. A command ends with 0 if
 * what it read is valid, with 1 if that was read and refused, and with 2 if it could not be read.
 */
@NullMarked
package io.github.avf4j.cli.image;

import org.jspecify.annotations.NullMarked;
