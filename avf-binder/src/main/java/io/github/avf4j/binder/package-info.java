/**
 * A client of RPC Binder, in which Android's AIDL services talk over sockets. Knows byte channels
 * and no virtual machine.
 *
 * <p>{@link io.github.avf4j.binder.RpcSession} connects to a server and has its root object; {@link
 * io.github.avf4j.binder.RpcBinder} is an object of the server; {@link
 * io.github.avf4j.binder.ParcelWriter} and {@link io.github.avf4j.binder.ParcelReader} are
 * arguments and results; {@link io.github.avf4j.binder.RpcService} is an object that the server may
 * call back. There is no compiler for AIDL: a method is called by its number, which is 1 for the
 * first of an interface.
 *
 * <p>What AVF's {@code connectToVsockServer} is for a payload that runs {@code
 * AVmPayload_runVsockRpcServer} are two lines with {@code io.github.avf4j.VirtualMachine}:
 *
 * <pre>{@code
 * try (RpcSession session = RpcSession.connect(() -> vm.connectVsock(port))) {
 *   RpcBinder service = session.root();
 *   ParcelReader reply =
 *       service.call(1, ParcelWriter.forInterface("demo.IAdd").writeInt(3).writeInt(4));
 *   int sum = reply.readInt();
 * }
 * }</pre>
 *
 * <p>Calls block the thread that makes them; several threads may call at once, and wait for each
 * other where the server has fewer threads. What a server sends is checked and bounded; a server
 * that breaks the protocol loses its session. Descriptors, TLS and servers in Java are missing.
 */
@NullMarked
package io.github.avf4j.binder;

import org.jspecify.annotations.NullMarked;
