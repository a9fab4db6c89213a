//! Takes the body of a frame apart.

use super::{ROLLBACK_PROTECTED_SIZE, WireError};
use crate::secret::Secret;

pub(super) struct Fields<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { body, at: 0 }
    }

    /// Where the next field begins.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    fn take(&mut self, size: usize) -> Result<&'a [u8], WireError> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let bytes = rest.get(..size).ok_or(WireError { position: self.at, reason: "body ends inside a field" })?;
        self.at += size;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, WireError> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    pub(super) fn bool(&mut self) -> Result<bool, WireError> {
        let position = self.at;
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError { position, reason: "must be 0 or 1" }),
        }
    }

    pub(super) fn number(&mut self) -> Result<u32, WireError> {
        Ok(self.take(4)?.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte)))
    }

    pub(super) fn value(&mut self) -> Result<Secret<ROLLBACK_PROTECTED_SIZE>, WireError> {
        let position = self.at;
        Secret::copy_of_slice(self.rest()).ok_or(WireError { position, reason: "value must have 32 bytes" })
    }

    pub(super) fn sized(&mut self) -> Result<&'a [u8], WireError> {
        let size = self.number()? as usize;
        self.take(size)
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        let rest = self.body.get(self.at..).unwrap_or_default();
        self.at = self.body.len();
        rest
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.body.len()
    }

    pub(super) fn end(&self) -> Result<(), WireError> {
        if self.is_at_end() {
            Ok(())
        } else {
            Err(WireError { position: self.at, reason: "bytes follow the last field" })
        }
    }
}
