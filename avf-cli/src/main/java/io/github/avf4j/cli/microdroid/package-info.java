/**
 * The commands for what Microdroid boots from: {@code avf microdroid build}. A command ends with 0
 * if it made what it was asked for, with 1 if the input was read and refused, and with 2 if it
 * could not be read, or the output not be written.
 */
@NullMarked
package io.github.avf4j.cli.microdroid;

import org.jspecify.annotations.NullMarked;
