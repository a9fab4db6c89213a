//! CBOR (RFC 8949) in its deterministic form, and nothing else.
//!
//! [`decode`] and [`Reader`] turn bytes into a tree of [`Item`]s that borrow from them; [`Writer`] writes items one
//! after the other. Refused are heads and floating point numbers longer than needed, indefinite lengths, a key that
//! occurs twice in one map, text that is not UTF-8, bytes after the item, and anything beyond [`Limits`].
//!
//! The order of map keys is the exception: Android's certificates and descriptors are not in canonical order, and
//! their bytes are signed. A reader takes any order and keeps it; a writer writes entries as they are given.

mod item;
mod reader;
mod writer;

use alloc::string::String;
use core::fmt;

pub use item::{Item, Value};
pub use reader::{Reader, decode, decode_within};
pub use writer::Writer;

/// What is wrong, and where: in bytes from the start of the outermost document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CborError {
    pub position: usize,
    pub reason: String,
}

impl CborError {
    pub(crate) fn new(position: usize, reason: impl Into<String>) -> Self {
        Self { position, reason: reason.into() }
    }
}

impl fmt::Display for CborError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CBOR: {} (at byte {})", self.reason, self.position)
    }
}

impl core::error::Error for CborError {}

/// What a reader accepts at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The length of the whole input.
    pub bytes: usize,
    /// How many arrays, maps and tags may stand in one another.
    pub depth: usize,
    /// The number of items in the tree; an item takes less than 100 bytes of memory.
    pub items: usize,
}

impl Limits {
    /// 1 MiB, 32 levels, 65536 items.
    pub const DEFAULT: Self = Self { bytes: 1 << 20, depth: 32, items: 1 << 16 };
}
