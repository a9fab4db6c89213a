/**
 * The KVM backend: {@link io.github.avf4j.kvm.KvmBackend} is found as a service, {@link
 * io.github.avf4j.kvm.KvmMachine} is one virtual machine.
 *
 * <p>A machine has one thread for each vCPU ({@code avf-NAME-vcpuN}) and one for its devices
 * ({@code avf-NAME-io}). Guests notify devices through ioeventfds and are interrupted through
 * irqfds, so that a vCPU leaves the guest only for ports and for registers of devices.
 */
@NullMarked
package io.github.avf4j.kvm;

import org.jspecify.annotations.NullMarked;
