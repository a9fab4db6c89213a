//! An item of a CBOR document, with the bytes it came from.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::CborError;

/// What an item is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Unsigned(u64),
    /// The number is -1 - n.
    Negative(u64),
    Bytes(&'a [u8]),
    Text(&'a str),
    Array(Vec<Item<'a>>),
    Map(Vec<(Item<'a>, Item<'a>)>),
    Tag(u64, Box<Item<'a>>),
    Bool(bool),
    Null,
    /// Any simple value without a meaning here; `undefined` is 23.
    Simple(u8),
    Float(f64),
}

/// A value, where it stands, and its exact bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<'a> {
    pub(super) position: usize,
    pub(super) encoded: &'a [u8],
    pub(super) value: Value<'a>,
}

impl<'a> Item<'a> {
    /// The first byte, counted from the start of the outermost document.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The bytes of the item as they were read.
    pub fn encoded(&self) -> &'a [u8] {
        self.encoded
    }

    pub fn value(&self) -> &Value<'a> {
        &self.value
    }

    pub fn as_array(&self) -> Result<&[Item<'a>], CborError> {
        match &self.value {
            Value::Array(items) => Ok(items),
            _ => Err(self.not("an array")),
        }
    }

    /// The entries of a map in their order.
    pub fn as_map(&self) -> Result<&[(Item<'a>, Item<'a>)], CborError> {
        match &self.value {
            Value::Map(entries) => Ok(entries),
            _ => Err(self.not("a map")),
        }
    }

    pub fn as_bytes(&self) -> Result<&'a [u8], CborError> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(self.not("a byte string")),
        }
    }

    /// Where the content of a byte string begins: it ends where the item does.
    pub fn content_position(&self) -> Result<usize, CborError> {
        Ok(self.position + self.encoded.len() - self.as_bytes()?.len())
    }

    pub fn as_text(&self) -> Result<&'a str, CborError> {
        match self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.not("a text string")),
        }
    }

    pub fn as_u64(&self) -> Result<u64, CborError> {
        match self.value {
            Value::Unsigned(number) => Ok(number),
            _ => Err(self.not("an unsigned integer")),
        }
    }

    pub fn as_i64(&self) -> Result<i64, CborError> {
        let number = match self.value {
            Value::Unsigned(number) => i64::try_from(number).ok(),
            Value::Negative(number) => i64::try_from(number).ok().map(|number| -1 - number),
            _ => return Err(self.not("an integer")),
        };
        number.ok_or_else(|| CborError::new(self.position, "integer is beyond 64 bits with a sign"))
    }

    pub fn as_bool(&self) -> Result<bool, CborError> {
        match self.value {
            Value::Bool(value) => Ok(value),
            _ => Err(self.not("false or true")),
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The value of an integer key of a map.
    pub fn get(&self, key: i64) -> Result<Option<&Item<'a>>, CborError> {
        Ok(self.as_map()?.iter().find(|(found, _)| found.as_i64() == Ok(key)).map(|(_, value)| value))
    }

    /// The value of a text key of a map.
    pub fn get_text(&self, key: &str) -> Result<Option<&Item<'a>>, CborError> {
        Ok(self.as_map()?.iter().find(|(found, _)| found.value == Value::Text(key)).map(|(_, value)| value))
    }

    /// The value of an integer key that must be there.
    pub fn require(&self, key: i64) -> Result<&Item<'a>, CborError> {
        self.get(key)?.ok_or_else(|| CborError::new(self.position, format!("map has no entry {key}")))
    }

    /// The value of a text key that must be there.
    pub fn require_text(&self, key: &str) -> Result<&Item<'a>, CborError> {
        self.get_text(key)?.ok_or_else(|| CborError::new(self.position, format!("map has no entry \"{key}\"")))
    }

    fn not(&self, wanted: &str) -> CborError {
        CborError::new(self.position, format!("must be {wanted} but is {}", self.kind()))
    }

    fn kind(&self) -> &'static str {
        match self.value {
            Value::Unsigned(_) | Value::Negative(_) => "an integer",
            Value::Bytes(_) => "a byte string",
            Value::Text(_) => "a text string",
            Value::Array(_) => "an array",
            Value::Map(_) => "a map",
            Value::Tag(..) => "a tag",
            Value::Bool(_) | Value::Null | Value::Simple(_) => "a simple value",
            Value::Float(_) => "a floating point number",
        }
    }
}
