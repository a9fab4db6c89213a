/** Writes cpio archives, among them the initial RAM disk with the guest's init and its modules. */
@NullMarked
package io.github.avf4j.microdroid.initrd;

import org.jspecify.annotations.NullMarked;
