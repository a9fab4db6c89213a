//! What a payload asks the manager over its socket, `/dev/socket/vm_payload_service`.
//!
//! The client sends a request and reads one response, any number of times on one connection. A frame is the length of
//! its body (u32) and the body: a byte that says which, and fields. All integers are little-endian; "bytes" goes up to
//! the end of the body, "sized" is a u32 length and as many bytes. A body has at most 64 KiB in a request and at most
//! [`MAX_RESPONSE`] in a response; whoever reads a longer one, or one with bytes left over, closes the connection.
//!
//! | request | fields | response if it is OK |
//! |---|---|---|
//! | 1 notifyPayloadReady | | |
//! | 2 getVmInstanceSecret | u32 size, bytes identifier | bytes secret, of the size asked for |
//! | 3 getDiceAttestationChain | | bytes chain |
//! | 4 getDiceAttestationCdi | | bytes CDI |
//! | 5 requestAttestation | u8 test mode (0 or 1), bytes challenge | sized private key, u32 count, that many sized certificates, leaf first |
//! | 6 readRollbackProtectedSecret | | nothing if there is none, or 32 bytes |
//! | 7 writeRollbackProtectedSecret | 32 bytes | |
//! | 8 isNewInstance | | u8 (0 or 1) |
//!
//! | response | fields | means |
//! |---|---|---|
//! | 0 | as above | OK |
//! | 1 | bytes message | security: the call is restricted and the VM was not started from a configuration file |
//! | 2 | bytes message | illegal argument |
//! | 3 | bytes message | unsupported: neither this VM nor its host can do it |
//! | 4 | bytes message | failed: it should have worked, but did not |
//!
//! The numbers 1 to 5 are those of AVF's `IVmPayloadService`, of which this is a stand-in without Binder.

mod fields;
mod frame;
mod request;
mod response;

use std::fmt;

pub use frame::{read_frame, write_frame};
pub use request::Request;
pub use response::{Attestation, Refusal, Response};

/// Where the manager listens.
pub const SOCKET_PATH: &str = "/dev/socket/vm_payload_service";

/// The longest body of a request.
pub const MAX_REQUEST: usize = 64 << 10;

/// The longest body of a response: a chain of 1 MiB and a little.
pub const MAX_RESPONSE: usize = (1 << 20) + (4 << 10);

/// The longest challenge of an attestation.
pub const MAX_CHALLENGE: usize = 64;

/// The length of the value that is protected against rollback.
pub const ROLLBACK_PROTECTED_SIZE: usize = 32;

/// The body of a frame is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    /// In bytes from the start of the body.
    pub position: usize,
    pub reason: &'static str,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "payload service: {} (at byte {} of the frame)", self.reason, self.position)
    }
}

impl std::error::Error for WireError {}
