//! instance.img: what each stage of a VM remembers from boot to boot.
//!
//! 512-byte blocks, little-endian:
//!
//! ```text
//! block 0            "Android-VM-instance" | u16 version = 1 | zeros
//! then, repeatedly   16-byte owner (in the order of its text) | u64 payload size | zeros
//!                    payload, from the next block on, filled up to a block
//! ```
//!
//! An owner of zeros marks the free end. [`Image`] finds, adds and replaces payloads of any owner; [`Record`] is what
//! Microdroid's manager keeps in its own, sealed with [`Sealer`]. The size of a payload never changes.

mod image;
mod record;
mod seal;

use std::fmt;
use std::io;

pub use image::{Entry, Image, MICRODROID, PVMFW, Storage};
pub use record::{Apex, Apk, Record};
pub use seal::Sealer;

/// Why an instance image cannot be used.
#[derive(Debug)]
pub enum InstanceError {
    /// The disk itself fails.
    Io(io::Error),
    /// There is no instance image: the header block is all zeros or the partition shorter than a block.
    Missing,
    /// The image is not one, or lies about its entries; the position is in bytes from its start.
    Invalid { position: u64, reason: String },
    /// A new entry does not fit.
    Full { size: u64 },
    /// An entry keeps its size, and the new payload has another.
    SizeChanged { stored: u64, given: u64 },
    /// The record was not sealed with this secret, or was changed since.
    NotOurs,
    /// The opened record has another structure; the position is in bytes of the plaintext.
    Record { position: usize, reason: String },
    /// There is no random number for a nonce.
    NoRandom,
}

impl InstanceError {
    fn invalid(position: u64, reason: impl Into<String>) -> Self {
        Self::Invalid { position, reason: reason.into() }
    }
}

impl From<io::Error> for InstanceError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for InstanceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the instance disk fails: {error}"),
            Self::Missing => f.write_str("the partition has no instance image"),
            Self::Invalid { position, reason } => write!(f, "instance image: {reason} (at byte {position})"),
            Self::Full { size } => write!(f, "a record of {size} bytes does not fit into the instance image"),
            Self::SizeChanged { stored, given } => {
                write!(f, "a record keeps its size of {stored} bytes but here are {given}: make the instance anew")
            }
            Self::NotOurs => f.write_str("the record was not sealed with this secret, or was changed since"),
            Self::Record { position, reason } => write!(f, "Microdroid's record: {reason} (at byte {position})"),
            Self::NoRandom => f.write_str("no random number for a nonce"),
        }
    }
}

impl std::error::Error for InstanceError {}
