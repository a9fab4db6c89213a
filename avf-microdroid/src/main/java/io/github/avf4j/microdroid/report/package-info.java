/**
 * What a guest's init tells the host; the other side is {@code guest/avf-guest/src/report.rs}.
 *
 * <p>Read by the service on a thread of its own for each machine.
 */
@NullMarked
package io.github.avf4j.microdroid.report;

import org.jspecify.annotations.NullMarked;
