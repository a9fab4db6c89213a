//! Reads CBOR items in deterministic form.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{CborError, Item, Limits, Value};

/// Decodes bytes that are exactly one item, within [`Limits::DEFAULT`].
pub fn decode(bytes: &[u8]) -> Result<Item<'_>, CborError> {
    decode_within(bytes, 0, Limits::DEFAULT)
}

/// Decodes bytes that are exactly one item and begin at `position` of the outermost document.
pub fn decode_within(bytes: &[u8], position: usize, limits: Limits) -> Result<Item<'_>, CborError> {
    let mut reader = Reader::new(bytes, position, limits)?;
    let item = reader.read()?;
    match reader.rest().len() {
        0 => Ok(item),
        left => Err(reader.fault(reader.at, format!("{left} bytes follow the end of the item"))),
    }
}

/// Reads a sequence of items.
pub struct Reader<'a> {
    input: &'a [u8],
    base: usize,
    at: usize,
    limits: Limits,
    items_left: usize,
    promised: usize,
}

impl<'a> Reader<'a> {
    /// Makes a reader of input that begins at `position` of the outermost document.
    pub fn new(input: &'a [u8], position: usize, limits: Limits) -> Result<Self, CborError> {
        if input.len() > limits.bytes {
            let reason = format!("input must have at most {} bytes but has {}", limits.bytes, input.len());
            return Err(CborError::new(position, reason));
        }
        Ok(Self { input, base: position, at: 0, limits, items_left: limits.items, promised: 0 })
    }

    /// The bytes not yet read.
    pub fn rest(&self) -> &'a [u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    /// Reads the next item.
    pub fn read(&mut self) -> Result<Item<'a>, CborError> {
        self.promised = 0;
        self.item(0)
    }

    fn item(&mut self, depth: usize) -> Result<Item<'a>, CborError> {
        let start = self.at;
        self.items_left = match self.items_left.checked_sub(1) {
            Some(left) => left,
            None => return Err(self.fault(start, format!("more than {} items", self.limits.items))),
        };
        let initial = self.take(1, "input ends where an item should be", start)?;
        let initial = initial.first().copied().unwrap_or_default();
        let (major, info) = (initial >> 5, initial & 0x1f);
        let value = if major == 7 {
            self.simple_or_float(info, start)?
        } else {
            let argument = self.argument(info, start)?;
            match major {
                0 => Value::Unsigned(argument),
                1 => Value::Negative(argument),
                2 => Value::Bytes(self.string(argument, start)?),
                3 => self.text(argument, start)?,
                4 => self.array(argument, depth, start)?,
                5 => self.map(argument, depth, start)?,
                _ => {
                    self.check_depth(depth, start)?;
                    Value::Tag(argument, Box::new(self.item(depth + 1)?))
                }
            }
        };
        let encoded = self.input.get(start..self.at).unwrap_or_default();
        Ok(Item { position: self.base + start, encoded, value })
    }

    fn promised_item(&mut self, depth: usize) -> Result<Item<'a>, CborError> {
        self.promised = self.promised.saturating_sub(1);
        self.item(depth)
    }

    fn array(&mut self, count: u64, depth: usize, start: usize) -> Result<Value<'a>, CborError> {
        let count = self.checked_count(count, 1, start)?;
        self.check_depth(depth, start)?;
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(self.promised_item(depth + 1)?);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, count: u64, depth: usize, start: usize) -> Result<Value<'a>, CborError> {
        let count = self.checked_count(count, 2, start)?;
        self.check_depth(depth, start)?;
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            let key = self.promised_item(depth + 1)?;
            entries.push((key, self.promised_item(depth + 1)?));
        }
        refuse_duplicates(&entries)?;
        Ok(Value::Map(entries))
    }

    fn text(&mut self, length: u64, start: usize) -> Result<Value<'a>, CborError> {
        let bytes = self.string(length, start)?;
        let content = self.at - bytes.len();
        core::str::from_utf8(bytes).map(Value::Text).map_err(|_| self.fault(content, "text string is not UTF-8"))
    }

    fn simple_or_float(&mut self, info: u8, start: usize) -> Result<Value<'a>, CborError> {
        Ok(match info {
            20 => Value::Bool(false),
            21 => Value::Bool(true),
            22 => Value::Null,
            0..=23 => Value::Simple(info),
            24 => match self.big_endian(1, start)? as u8 {
                value @ 32.. => Value::Simple(value),
                value => return Err(self.fault(start, format!("simple value {value} in two bytes"))),
            },
            25 => {
                let bits = self.big_endian(2, start)? as u16;
                let value = half_to_f64(bits);
                if value.is_nan() && bits != 0x7e00 {
                    return Err(self.fault(start, "NaN is not in its only form, f97e00"));
                }
                Value::Float(value)
            }
            26 => {
                let value = f32::from_bits(self.big_endian(4, start)? as u32);
                if value.is_nan() || fits_half(value) {
                    return Err(self.fault(start, "floating point number is not in its shortest form"));
                }
                Value::Float(f64::from(value))
            }
            27 => {
                let value = f64::from_bits(self.big_endian(8, start)?);
                if value.is_nan() || f64::from(value as f32) == value {
                    return Err(self.fault(start, "floating point number is not in its shortest form"));
                }
                Value::Float(value)
            }
            31 => return Err(self.fault(start, "break outside an indefinite length")),
            _ => return Err(self.fault(start, format!("reserved head {info}"))),
        })
    }

    fn argument(&mut self, info: u8, start: usize) -> Result<u64, CborError> {
        let (size, least) = match info {
            0..=23 => return Ok(u64::from(info)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            31 => return Err(self.fault(start, "indefinite length")),
            _ => return Err(self.fault(start, format!("reserved head {info}"))),
        };
        let value = self.big_endian(size, start)?;
        if value < least {
            return Err(self.fault(start, format!("head is longer than needed for {value}")));
        }
        Ok(value)
    }

    fn string(&mut self, length: u64, start: usize) -> Result<&'a [u8], CborError> {
        let left = self.rest().len();
        match usize::try_from(length) {
            Ok(length) if length <= left => self.take(length, "string ends", start),
            _ => Err(self.fault(start, format!("string of {length} bytes but only {left} are left"))),
        }
    }

    /// Each item has at least one byte, so that a lying count fails before anything is allocated. What outer items have
    /// announced and not yet shown counts too: nested lies do not add up.
    fn checked_count(&mut self, count: u64, items_per: usize, start: usize) -> Result<usize, CborError> {
        let left = self.rest().len().min(self.items_left).saturating_sub(self.promised);
        match usize::try_from(count) {
            Ok(count) if count <= left / items_per => {
                self.promised += count * items_per;
                Ok(count)
            }
            _ => {
                let reason = format!("{count} items or entries announced but only {left} more items can follow");
                Err(self.fault(start, reason))
            }
        }
    }

    fn check_depth(&self, depth: usize, start: usize) -> Result<(), CborError> {
        if depth >= self.limits.depth {
            return Err(self.fault(start, format!("nested deeper than {}", self.limits.depth)));
        }
        Ok(())
    }

    fn big_endian(&mut self, size: usize, start: usize) -> Result<u64, CborError> {
        let bytes = self.take(size, "input ends inside a head", start)?;
        Ok(bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    fn take(&mut self, size: usize, short: &str, start: usize) -> Result<&'a [u8], CborError> {
        let bytes = self.rest().get(..size).ok_or_else(|| self.fault(start, short))?;
        self.at += size;
        Ok(bytes)
    }

    fn fault(&self, at: usize, reason: impl Into<String>) -> CborError {
        CborError::new(self.base + at, reason)
    }
}

/// In n log n whatever the keys are: a hash table would let an attacker choose keys that collide.
fn refuse_duplicates(entries: &[(Item<'_>, Item<'_>)]) -> Result<(), CborError> {
    let mut keys: Vec<&Item<'_>> = entries.iter().map(|(key, _)| key).collect();
    // Stable, so that the second of two equal keys is the one reported.
    keys.sort_by_key(|key| key.encoded());
    for (first, second) in keys.iter().zip(keys.iter().skip(1)) {
        if first.encoded() == second.encoded() {
            return Err(CborError::new(second.position(), "map key occurs twice"));
        }
    }
    Ok(())
}

fn half_to_f64(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff);
    let magnitude = match bits >> 10 & 0x1f {
        0 => fraction * power_of_two(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1024.0 + fraction) * power_of_two(i32::from(exponent) - 25),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

/// Of an exponent within those of normal numbers.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// Whether half precision holds the number exactly.
fn fits_half(value: f32) -> bool {
    let magnitude = value.abs();
    if magnitude == 0.0 || magnitude.is_infinite() {
        return true;
    }
    // 11 significant bits, none of them below 2^-24, nothing above 65504.
    let exponent = (magnitude.to_bits() >> 23) as i32 - 127;
    let lowest = (exponent - 10).max(-24);
    let scaled = f64::from(magnitude) * power_of_two(-lowest);
    magnitude <= 65504.0 && (scaled as u64) as f64 == scaled
}
