/**
 * EROFS, the read-only file system of Linux: made from a folder or a tree in memory, uncompressed
 * and the same for the same content; and read, as far as it is not compressed, with every offset
 * checked.
 *
 * <p>All objects are confined to one thread unless they say otherwise.
 *
 * @see <a href="https://erofs.docs.kernel.org/en/latest/core_ondisk.html">EROFS on-disk format</a>
 */
@NullMarked
package io.github.avf4j.microdroid.erofs;

import org.jspecify.annotations.NullMarked;
