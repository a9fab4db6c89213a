//! libvm_payload: what a payload asks of the virtual machine it runs in.
//!
//! The C functions and their semantics are AVF's; `include/vm_payload.h` and `include/vm_payload_restricted.h` document
//! them. Behind them is the manager's socket, whose frames are those of [`avf_formats::wire`]. A payload in Rust may
//! use [`client::Client`] instead and gets errors where C gets an abort.
//!
//! Every call makes a connection of its own: nothing is shared between threads, and a child process that a payload
//! forks can call too.
//!
//! Only `AVmPayload_runVsockRpcServer` does not ask the manager: it is a server of libbinder_ndk, whose functions the
//! static library has, too, and which the shared library is linked with.

pub mod attestation;
pub mod client;
mod memory;
mod payload;
mod restricted;
mod rpc_server;

pub use payload::*;
pub use restricted::*;
pub use rpc_server::*;
