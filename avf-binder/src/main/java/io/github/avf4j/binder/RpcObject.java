package io.github.avf4j.binder;

/** What a parcel may refer to: an object of the server, or one of this program. */
public sealed interface RpcObject permits RpcBinder, RpcService {}
