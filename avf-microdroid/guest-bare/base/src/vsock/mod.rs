//! virtio-vsock (virtio 1.2, 5.10): a listener on one port that serves one connection at a time.
//!
//! [`Endpoint`] knows the protocol, [`Vsock`] moves its packets through the queues of a device.

mod connection;
mod device;
mod endpoint;
mod packet;

pub use connection::WINDOW;
pub use device::{POOL, Vsock, VsockError, Wait};
pub use endpoint::Endpoint;
pub use packet::{HEADER, Header, Op};
