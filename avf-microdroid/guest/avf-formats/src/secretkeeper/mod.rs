//! AVF's Secretkeeper as its client, a VM, sees it: who may have a secret, how a session with the keeper begins, and
//! what is asked in it.
//!
//! [`policy`] makes the sealing policy of a chain; [`Source`] is the client's side of the AuthGraph key exchange, which
//! ends in a [`Channel`]; [`management`] has the requests and responses that go through it. The keeper is
//! avf-attestation's package `seal`, with the same decisions where the reference was never confirmed.
//!
//! The messages of the exchange are AIDL parcelables in AVF; here they are arrays in CBOR:
//!
//! ```text
//! Hello  = [ bstr(exchange key), bstr(identity), bstr(nonce), version ]
//! Answer = [ bstr(exchange key), bstr(identity), bstr(nonce), version, bstr(session id), bstr(signature) ]
//! ```

mod channel;
mod exchange;
pub mod management;
pub mod policy;

use std::fmt;

pub use channel::Channel;
pub use exchange::{NONCE_SIZE, Source};

use crate::cbor::CborError;
use crate::dice::DiceError;

/// Why there is no session, or no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeeperError {
    /// What the keeper sent is malformed; the position is in bytes from the start of the message.
    Structure { position: usize, reason: String },
    /// The chain of this VM, or a key or signature of the keeper, is not usable.
    Dice(DiceError),
    /// The other side is not the keeper that was expected, or does not hold its key.
    Untrusted(&'static str),
    /// A message is not the next one of this session.
    NotNext,
    /// The chain lacks a value that a policy needs.
    NothingToSealBy(String),
    /// There are no random numbers.
    NoRandom,
    /// The keeper refuses, with a code of its interface and words for people.
    Refused { code: i64, reason: String },
}

impl KeeperError {
    fn structure(position: usize, reason: impl Into<String>) -> Self {
        Self::Structure { position, reason: reason.into() }
    }
}

impl From<CborError> for KeeperError {
    fn from(error: CborError) -> Self {
        Self::Structure { position: error.position, reason: error.reason }
    }
}

impl From<DiceError> for KeeperError {
    fn from(error: DiceError) -> Self {
        Self::Dice(error)
    }
}

impl fmt::Display for KeeperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Structure { position, reason } => write!(f, "Secretkeeper: {reason} (at byte {position})"),
            Self::Dice(error) => write!(f, "Secretkeeper: {error}"),
            Self::Untrusted(reason) => write!(f, "Secretkeeper: {reason}"),
            Self::NotNext => f.write_str("Secretkeeper: the message is not the next of this session"),
            Self::NothingToSealBy(what) => write!(f, "Secretkeeper: the chain has no value at {what} to seal by"),
            Self::NoRandom => f.write_str("Secretkeeper: no random numbers"),
            Self::Refused { code, reason } => write!(f, "the Secretkeeper refused with code {code}: {reason}"),
        }
    }
}

impl std::error::Error for KeeperError {}
