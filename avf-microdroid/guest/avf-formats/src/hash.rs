//! The hashes of signatures and trees.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

use alloc::string::String;
use core::fmt;
use core::ops::Deref;

use sha2::{Digest as _, Sha256, Sha512};

/// A hash function.
///
/// SHA-1 and BLAKE2b, which AVB knows, too, are not here: nothing in a guest is trusted to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    /// The hash by the kernel's name for it, as `sha256`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Hash::Sha256),
            "sha512" => Some(Hash::Sha512),
            _ => None,
        }
    }

    /// The kernel's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Hash::Sha256 => "sha256",
            Hash::Sha512 => "sha512",
        }
    }

    /// The length of a digest in bytes.
    pub fn size(self) -> usize {
        match self {
            Hash::Sha256 => 32,
            Hash::Sha512 => 64,
        }
    }

    /// The bytes that one step takes: what fs-verity pads salts to.
    pub(crate) fn step(self) -> usize {
        match self {
            Hash::Sha256 => 64,
            Hash::Sha512 => 128,
        }
    }

    /// The digest of these bytes.
    pub fn digest(self, bytes: &[u8]) -> Digest {
        let mut hasher = self.start();
        hasher.update(bytes);
        hasher.finish()
    }

    pub(crate) fn start(self) -> Hasher {
        match self {
            Hash::Sha256 => Hasher::Sha256(Sha256::new()),
            Hash::Sha512 => Hasher::Sha512(Sha512::new()),
        }
    }
}

/// A running digest.
#[derive(Clone)]
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub fn finish(self) -> Digest {
        match self {
            Hasher::Sha256(hasher) => Digest::from_slice(&hasher.finalize()),
            Hasher::Sha512(hasher) => Digest::from_slice(&hasher.finalize()),
        }
    }
}

/// A digest of at most 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    bytes: [u8; 64],
    length: usize,
}

impl Digest {
    /// The first 64 of these bytes.
    fn from_slice(bytes: &[u8]) -> Self {
        let mut digest = Digest { bytes: [0; 64], length: 0 };
        for (target, byte) in digest.bytes.iter_mut().zip(bytes) {
            *target = *byte;
            digest.length += 1;
        }
        digest
    }

    /// As many zeros as this hash has bytes.
    pub(crate) fn zero(hash: Hash) -> Self {
        Digest { bytes: [0; 64], length: hash.size() }
    }
}

impl Deref for Digest {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex(self))
    }
}

/// Hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use core::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
