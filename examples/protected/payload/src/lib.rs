//! The parts of the payload that need no machine: what it is asked, what it answers, and the secret behind it.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod protocol;
mod secret;

pub use protocol::{Answer, MAX_BODY, Request, RequestError};
pub use secret::{Attester, answer, from_handover, from_seed};
