//! libvm_payload: what a payload asks of the virtual machine it runs in.
//!
//! The C functions and their semantics are AVF's; `include/vm_payload.h` and `include/vm_payload_restricted.h` document
//! them. Behind them is the manager's socket, whose frames are those of [`avf_formats::wire`].
//!
//! A payload in Rust has this crate as a dependency and links with no library. It names its function with [`main!`] and
//! calls the manager by a [`client::Client`], which gives it errors where C gets an abort; nothing of that is unsafe:
//!
//! ```
//! use vm_payload::client::{CallError, Client};
//!
//! vm_payload::main!(serve);
//!
//! fn serve() -> Result<(), CallError> {
//!     let secret = Client::new().vm_instance_secret(b"what it is for", 32)?;
//!     println!("{} bytes that only this payload has in this instance", secret.expose().len());
//!     Client::new().notify_payload_ready()
//! }
//! ```
//!
//! Every call makes a connection of its own: nothing is shared between threads, and a child process that a payload
//! forks can call too.
//!
//! Only `AVmPayload_runVsockRpcServer` does not ask the manager: it is a server of libbinder_ndk, whose functions the
//! static library has, too, and which the shared library is linked with.

pub mod attestation;
pub mod client;
pub mod entry;
mod memory;
mod payload;
mod restricted;
mod rpc_server;

pub use payload::*;
pub use restricted::*;
pub use rpc_server::*;
