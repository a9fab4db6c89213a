//! The protobuf wire format, field by field.
//!
//! Groups and overlong numbers are refused. When writing, fields with their default value are left out, as proto3 has
//! it.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::arithmetic_side_effects)]

use crate::fields::{Fields, Part};
use crate::{Error, Kind, Result};

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const FIXED32: u8 = 5;
const MAX_FIELD: u64 = 0x1fff_ffff;

/// Reads one message.
pub struct Message<'a> {
    fields: Fields<'a>,
    kind: Kind,
}

/// A field of a message.
pub struct Field<'a> {
    pub number: u64,
    value: Value<'a>,
    position: u64,
    kind: Kind,
}

enum Value<'a> {
    Number(u64),
    Bytes(Part<'a>),
    Other,
}

impl<'a> Message<'a> {
    pub fn new(part: Part<'a>, kind: Kind) -> Self {
        Message { fields: Fields::of(part, kind), kind }
    }

    /// The next field; nothing at the end.
    pub fn next(&mut self) -> Result<Option<Field<'a>>> {
        if !self.fields.has_more() {
            return Ok(None);
        }
        let position = self.fields.position();
        let tag = varint(&mut self.fields)?;
        let number = tag >> 3;
        if number == 0 || number > MAX_FIELD {
            return Err(Error::at(self.kind, position, "a field number must be in 1..536870911"));
        }
        let value = match (tag & 7) as u8 {
            VARINT => Value::Number(varint(&mut self.fields)?),
            BYTES => {
                let length = varint(&mut self.fields)?;
                Value::Bytes(self.fields.take(length, "a field")?)
            }
            FIXED64 => {
                self.fields.u64("a field")?;
                Value::Other
            }
            FIXED32 => {
                self.fields.u32("a field")?;
                Value::Other
            }
            other => {
                let reason = format!("field {number} has the unknown wire type {other}");
                return Err(Error::at(self.kind, position, reason));
            }
        };
        Ok(Some(Field { number, value, position, kind: self.kind }))
    }
}

impl<'a> Field<'a> {
    pub fn number(&self) -> Result<u64> {
        match self.value {
            Value::Number(number) => Ok(number),
            _ => Err(self.refused(format!("field {} must be a number", self.number))),
        }
    }

    pub fn unsigned32(&self) -> Result<u32> {
        let value = self.number()?;
        value.try_into().map_err(|_| self.refused(format!("field {} must have 32 bits but is {value}", self.number)))
    }

    pub fn flag(&self) -> Result<bool> {
        Ok(self.number()? != 0)
    }

    pub fn bytes(&self) -> Result<Part<'a>> {
        match self.value {
            Value::Bytes(part) => Ok(part),
            _ => Err(self.refused(format!("field {} must have bytes", self.number))),
        }
    }

    pub fn text(&self) -> Result<String> {
        let bytes = self.bytes()?;
        match std::str::from_utf8(bytes.bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(self.refused(format!("field {} is not UTF-8", self.number))),
        }
    }

    pub fn message(&self) -> Result<Message<'a>> {
        Ok(Message::new(self.bytes()?, self.kind))
    }

    pub fn refused(&self, reason: impl Into<String>) -> Error {
        Error::at(self.kind, self.position, reason)
    }
}

fn varint(fields: &mut Fields<'_>) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let next = fields.u8("a number")?;
        if shift == 63 && next > 1 {
            break;
        }
        value |= u64::from(next & 0x7f) << shift;
        if next < 0x80 {
            return Ok(value);
        }
    }
    Err(fields.fail("a number has more than 64 bits"))
}

/// Writes one message, in the order of the calls.
#[derive(Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    pub fn number(self, field: u64, value: u64) -> Self {
        if value == 0 { self } else { self.varint(field << 3 | u64::from(VARINT)).varint(value) }
    }

    pub fn flag(self, field: u64, value: bool) -> Self {
        self.number(field, value.into())
    }

    pub fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub fn bytes(self, field: u64, value: &[u8]) -> Self {
        if value.is_empty() { self } else { self.message(field, value) }
    }

    /// Writes a field even if it is empty, as messages and the parts of a oneof are.
    pub fn message(self, field: u64, value: &[u8]) -> Self {
        let mut out = self.varint(field << 3 | u64::from(BYTES)).varint(value.len() as u64);
        out.0.extend_from_slice(value);
        out
    }

    pub fn done(self) -> Vec<u8> {
        self.0
    }

    fn varint(mut self, value: u64) -> Self {
        let mut left = value;
        while left >= 0x80 {
            self.0.push(left as u8 | 0x80);
            left >>= 7;
        }
        self.0.push(left as u8);
        self
    }
}
