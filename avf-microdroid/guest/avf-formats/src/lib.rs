//! The formats that the guest reads and writes.
//!
//! Every parser here takes bytes that a host or an app made and that may be hostile: it is bounded, never panics, and
//! refuses with an error that says where and why. Nothing here opens a file; the caller lends bytes or something that
//! can be read at an offset.

#![forbid(unsafe_code)]

pub mod cbor;
pub mod dice;
pub mod handover;
pub mod instance;
mod kdf;
pub mod secret;
pub mod secrets;
pub mod wire;
