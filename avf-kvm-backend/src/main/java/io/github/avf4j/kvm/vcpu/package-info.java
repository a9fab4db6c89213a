/**
 * The threads that run vCPUs: one platform thread each, because KVM ties a vCPU to the thread that
 * runs it. The exit loop allocates nothing.
 */
@NullMarked
package io.github.avf4j.kvm.vcpu;

import org.jspecify.annotations.NullMarked;
