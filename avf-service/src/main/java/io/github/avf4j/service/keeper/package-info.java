/**
 * The keeper of secrets of this host, AVF's Secretkeeper, and how machines reach it.
 *
 * <p>{@link io.github.avf4j.service.keeper.HostKeeper} is one for all machines of a user, with its
 * files in the user's data folder; processes share it. {@link
 * io.github.avf4j.service.keeper.GuestKeeper} is what one run of a machine has of it: the secret of
 * the machine and the value of its payload, and no others. Forgetting is the host's alone.
 *
 * <p>Decisions where the reference leaves room:
 *
 * <ul>
 *   <li>A machine may use two ids, its instance id and the SHA-512 of it. So the secrets that are
 *       kept are at most two for each machine of the host, and no machine can reach those of
 *       another, whatever its policy. In AVF any client may store under any id.
 *   <li>A run may exchange keys {@link io.github.avf4j.service.keeper.GuestKeeper#MAX_EXCHANGES}
 *       times; a guest does so once. Requests are not counted: they are answered one at a time, on
 *       the machine's own thread, and replace what is there.
 *   <li>A secret that is gone is made anew by the guest, as in AVF: the payload is told that the
 *       instance is new, and an encrypted store of before does not open. A damaged secret stops the
 *       machine instead.
 * </ul>
 *
 * <p>{@code GuestKeeper} is called on the thread that hears what the guest reports.
 */
@NullMarked
package io.github.avf4j.service.keeper;

import org.jspecify.annotations.NullMarked;
