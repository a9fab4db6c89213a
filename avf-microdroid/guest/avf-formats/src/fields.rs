//! Reads the fields of a part of a file, one after the other.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::arithmetic_side_effects)]

use alloc::format;
use alloc::string::String;
use core::ops::Deref;

use crate::{Error, Kind, Result};

/// Bytes that know where in their file they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    pub position: u64,
    pub bytes: &'a [u8],
}

impl Deref for Part<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

/// A reader; what is cut off is refused with its position.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
    position: u64,
    kind: Kind,
}

impl<'a> Fields<'a> {
    /// Starts at the first of `bytes`, which stands at `position`; refusals are of this kind.
    pub fn new(bytes: &'a [u8], position: u64, kind: Kind) -> Self {
        Fields { rest: bytes, position, kind }
    }

    pub fn of(part: Part<'a>, kind: Kind) -> Self {
        Fields::new(part.bytes, part.position, kind)
    }

    pub fn has_more(&self) -> bool {
        !self.rest.is_empty()
    }

    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// The position of the next byte in the file.
    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn u8(&mut self, what: &str) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array(what)?))
    }

    pub fn u16(&mut self, what: &str) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array(what)?))
    }

    pub fn u32(&mut self, what: &str) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub fn u64(&mut self, what: &str) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    pub fn be32(&mut self, what: &str) -> Result<u32> {
        Ok(u32::from_be_bytes(self.array(what)?))
    }

    pub fn be64(&mut self, what: &str) -> Result<u64> {
        Ok(u64::from_be_bytes(self.array(what)?))
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        match self.rest.split_first_chunk::<N>() {
            Some((first, rest)) => {
                self.rest = rest;
                self.position = self.position.saturating_add(N as u64);
                Ok(*first)
            }
            None => Err(self.fail(format!("{what} is cut off"))),
        }
    }

    pub fn take(&mut self, count: u64, what: &str) -> Result<Part<'a>> {
        let split = usize::try_from(count).ok().and_then(|count| self.rest.split_at_checked(count));
        match split {
            Some((bytes, rest)) => {
                let part = Part { position: self.position, bytes };
                self.rest = rest;
                self.position = self.position.saturating_add(count);
                Ok(part)
            }
            None => Err(self.fail(format!("{what} needs {count} bytes but {} are left", self.rest.len()))),
        }
    }

    /// Bytes after their length in 32 bits.
    pub fn prefixed(&mut self, what: &str) -> Result<Part<'a>> {
        let length = self.u32(what)?;
        self.take(u64::from(length), what)
    }

    /// The structure in bytes after their length in 32 bits.
    pub fn nested(&mut self, what: &str) -> Result<Fields<'a>> {
        Ok(Fields::of(self.prefixed(what)?, self.kind))
    }

    /// Refuses bytes that are left.
    pub fn end(&self, what: &str) -> Result<()> {
        if self.has_more() {
            return Err(self.fail(format!("{} bytes follow {what}", self.rest.len())));
        }
        Ok(())
    }

    pub fn require(&self, condition: bool, fault: &str) -> Result<()> {
        if condition { Ok(()) } else { Err(self.fail(fault)) }
    }

    pub fn fail(&self, reason: impl Into<String>) -> Error {
        Error::at(self.kind, self.position, reason)
    }
}
