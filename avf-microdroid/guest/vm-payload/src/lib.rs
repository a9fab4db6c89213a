//! libvm_payload: what a payload asks of the virtual machine it runs in.
//!
//! The C functions and their semantics are AVF's; `include/vm_payload.h` and `include/vm_payload_restricted.h` document
//! them. Behind them is the manager's socket, whose frames are those of [`avf_formats::wire`]. A payload in Rust may
//! use [`client::Client`] instead and gets errors where C gets an abort.
//!
//! Every call makes a connection of its own: nothing is shared between threads, and a child process that a payload
//! forks can call too.
//!
//! `AVmPayload_runVsockRpcServer` is missing: there is no Binder in the guest yet.

pub mod attestation;
pub mod client;
mod memory;
mod payload;
mod restricted;

pub use payload::*;
pub use restricted::*;
