//! libbinder_ndk: RPC Binder over stream sockets, for servers.
//!
//! The wire protocol is Android's, versions 0 to 2, without descriptors. C has the NDK's API ([`ndk`], documented in
//! `include/android`); Rust has [`Service`], [`Parcel`] and [`Server`]. What a client sends is checked before it is
//! used, and all that it can make the server keep is bounded; a client that breaks the protocol loses its session,
//! and nobody else notices.

mod binder;
mod calls;
mod connection;
pub mod exception;
pub mod ndk;
mod nodes;
mod parcel;
pub mod server;
mod session;
pub mod status;
pub mod vsock;
pub mod wire;

pub use binder::{Binder, FIRST_CALL, LAST_CALL, Proxy, Service};
pub use parcel::Parcel;
pub use server::Server;
