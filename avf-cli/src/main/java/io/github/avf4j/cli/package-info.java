/**
 * The command line tool. It uses the published API only, and shows how far that goes: {@code
 * AvfCommand} is the entry, one class for each sub-command.
 */
@NullMarked
package io.github.avf4j.cli;

import org.jspecify.annotations.NullMarked;
