//! Package and version from a manifest in Android's binary XML.
//!
//! Only what stands before the first element and its attributes are read, as in AVF: the first element must be
//! `manifest` without a namespace, and attributes are found by their names.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

use crate::fields::{Fields, Part};
use crate::{Error, Kind, Result};

const XML: u16 = 0x0003;
const STRING_POOL: u16 = 0x0001;
const RESOURCE_MAP: u16 = 0x0180;
const START_NAMESPACE: u16 = 0x0100;
const END_NAMESPACE: u16 = 0x0101;
const START_ELEMENT: u16 = 0x0102;
const CHUNK_HEADER: u64 = 8;
const NODE_HEADER: u64 = 16;
const ATTRIBUTES_AT: u64 = 20;
const ATTRIBUTE: u64 = 20;
const TYPE_STRING: u8 = 0x03;
const TYPE_DECIMAL: u8 = 0x10;
const TYPE_HEXADECIMAL: u8 = 0x11;
const NONE: u32 = u32::MAX;
const ANDROID: &str = "http://schemas.android.com/apk/res/android";

/// What the manifest says about the package; part of the payload's DICE node.
///
/// The default is what counts where a manifest cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManifestInfo {
    /// Empty where the manifest has none.
    pub package: String,
    /// `versionCodeMajor << 32 | versionCode`, absent ones as 0.
    pub version_code: u64,
}

/// Parses a manifest; positions are those in the manifest.
pub fn parse(manifest: &[u8]) -> Result<ManifestInfo> {
    let element = first_element(manifest)?;
    let package = match element.find("", "package")? {
        Some(Attribute { text: Some(text), .. }) => text,
        Some(attribute) => return Err(fault(attribute.position, "package is no text")),
        None => String::new(),
    };
    let code = element.number("versionCode")?;
    let major = element.number("versionCodeMajor")?;
    Ok(ManifestInfo { package, version_code: u64::from(major) << 32 | u64::from(code) })
}

fn first_element(manifest: &[u8]) -> Result<Element<'_>> {
    let mut fields = reader(Part { position: 0, bytes: manifest });
    let kind = fields.u16("the type")?;
    fields.require(kind == XML, "this is no binary XML")?;
    let header = u64::from(fields.u16("the header's size")?);
    let size = u64::from(fields.u32("the size")?);
    fields.require(
        header >= CHUNK_HEADER && header <= size && size <= manifest.len() as u64,
        "the sizes in the first header contradict each other",
    )?;
    fields.take(header - CHUNK_HEADER, "the header")?;
    let mut chunks = reader(fields.take(size - header, "the chunks")?);
    let mut strings = None;
    while chunks.has_more() {
        let position = chunks.position();
        let kind = chunks.u16("the type of a chunk")?;
        let header = u64::from(chunks.u16("the header of a chunk")?);
        let length = u64::from(chunks.u32("the size of a chunk")?);
        if header < CHUNK_HEADER || length < header {
            return Err(fault(position, "the sizes of a chunk contradict each other"));
        }
        let body = chunks.take(length - CHUNK_HEADER, "a chunk")?;
        match (kind, &strings) {
            (STRING_POOL, None) => strings = Some(Strings::parse(body, header)?),
            (STRING_POOL | RESOURCE_MAP | START_NAMESPACE | END_NAMESPACE, _) => {}
            (START_ELEMENT, Some(strings)) if header >= NODE_HEADER => {
                let mut node = reader(body);
                node.take(header - CHUNK_HEADER, "the head of an element")?;
                let inside = node.take(node.left() as u64, "the element")?;
                return Element::parse(strings.clone(), inside);
            }
            (START_ELEMENT, _) => {
                return Err(fault(position, "an element stands before the strings, or has no head"));
            }
            (other, _) => {
                return Err(fault(position, format!("a chunk of type 0x{other:04x} before the first element")));
            }
        }
    }
    Err(fault(manifest.len() as u64, "no element"))
}

/// The first element.
struct Element<'a> {
    strings: Strings<'a>,
    attributes: Vec<Part<'a>>,
}

/// An attribute; the text is there if it is a string.
struct Attribute {
    text: Option<String>,
    kind: u8,
    data: u32,
    position: u64,
}

impl<'a> Element<'a> {
    fn parse(strings: Strings<'a>, element: Part<'a>) -> Result<Self> {
        let mut fields = reader(element);
        let namespace = fields.u32("the element's namespace")?;
        fields.require(namespace == NONE, "the first element has a namespace")?;
        let name = fields.u32("the element's name")?;
        let name = strings.get(name, &fields)?;
        fields.require(name == "manifest", "the first element is not \"manifest\"")?;
        let start = u64::from(fields.u16("the attributes' offset")?);
        let size = u64::from(fields.u16("the size of an attribute")?);
        let count = u64::from(fields.u16("the number of attributes")?);
        fields.require(
            start >= ATTRIBUTES_AT && size >= ATTRIBUTE && start + size * count <= element.len() as u64,
            "the attributes do not fit into their element",
        )?;
        let mut fields = reader(element);
        fields.take(start, "the element")?;
        let attributes = (0..count).map(|_| fields.take(size, "an attribute")).collect::<Result<_>>()?;
        Ok(Element { strings, attributes })
    }

    fn find(&self, namespace: &str, name: &str) -> Result<Option<Attribute>> {
        for attribute in &self.attributes {
            let mut fields = reader(*attribute);
            let space = fields.u32("a namespace")?;
            let key = fields.u32("a name")?;
            let key = self.strings.get(key, &fields)?;
            let space = if space == NONE { String::new() } else { self.strings.get(space, &fields)? };
            if key != name || space != namespace {
                continue;
            }
            let raw = fields.u32("the raw value")?;
            fields.u16("the value's size")?;
            fields.u8("zero")?;
            let kind = fields.u8("the value's type")?;
            let data = fields.u32("the value")?;
            let mut text = None;
            if kind == TYPE_STRING {
                let value = self.strings.get(data, &fields)?;
                if raw != NONE && self.strings.get(raw, &fields)? != value {
                    return Err(fault(attribute.position, format!("{name} has two values")));
                }
                text = Some(value);
            }
            return Ok(Some(Attribute { text, kind, data, position: attribute.position }));
        }
        Ok(None)
    }

    fn number(&self, name: &str) -> Result<u32> {
        match self.find(ANDROID, name)? {
            None => Ok(0),
            Some(Attribute { kind: TYPE_DECIMAL | TYPE_HEXADECIMAL, data, .. }) => Ok(data),
            Some(attribute) => attribute
                .text
                .and_then(|text| parse_c(&text))
                .ok_or_else(|| fault(attribute.position, format!("{name} is no number of 32 bits"))),
        }
    }
}

/// A number as C writes it: decimal, octal after 0, hexadecimal after 0x.
fn parse_c(text: &str) -> Option<u32> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = match (hexadecimal, text.strip_prefix('0')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) if !digits.is_empty() => (digits, 8),
        _ => (text, 10),
    };
    // The library would take a sign.
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(())?;
    u32::from_str_radix(digits, radix).ok()
}

/// The string pool; strings are decoded when they are asked for.
#[derive(Clone)]
struct Strings<'a> {
    /// 32 bits for each string.
    offsets: Part<'a>,
    /// What the offsets point into.
    data: Part<'a>,
    /// UTF-8, and not UTF-16.
    utf8: bool,
}

impl<'a> Strings<'a> {
    const POOL_HEADER: u64 = 28;
    const UTF8: u32 = 1 << 8;
    const MAX_LENGTH: u64 = 1 << 16;

    /// Parses a pool without the 8 bytes before its fields.
    fn parse(body: Part<'a>, header: u64) -> Result<Self> {
        let mut fields = reader(body);
        let count = u64::from(fields.u32("the number of strings")?);
        fields.u32("the number of styles")?;
        let flags = fields.u32("the flags")?;
        let start = u64::from(fields.u32("the start of the strings")?);
        let table = header - CHUNK_HEADER;
        let end = table + 4 * count;
        let start = start.checked_sub(CHUNK_HEADER).filter(|&start| start >= end);
        let (true, Some(start)) = (header >= Self::POOL_HEADER, start) else {
            return Err(fields.fail("the string pool's sizes contradict each other"));
        };
        let mut fields = reader(body);
        fields.take(table, "the head of the string pool")?;
        let offsets = fields.take(4 * count, "the offsets of the strings")?;
        fields.take(start - end, "the styles")?;
        let data = fields.take(fields.left() as u64, "the strings")?;
        Ok(Strings { offsets, data, utf8: flags & Self::UTF8 != 0 })
    }

    /// The string of an index; `user` says where a wrong one stands.
    fn get(&self, index: u32, user: &Fields<'_>) -> Result<String> {
        let mut offsets = reader(self.offsets);
        if u64::from(index) >= offsets.left() as u64 / 4 {
            return Err(user.fail(format!("there is no string {index}")));
        }
        offsets.take(u64::from(index) * 4, "the offsets")?;
        let offset = offsets.u32("an offset")?;
        let mut fields = reader(self.data);
        fields.take(offset.into(), "what stands before a string")?;
        let length = if self.utf8 {
            length8(&mut fields)?;
            length8(&mut fields)?
        } else {
            2 * length16(&mut fields)?
        };
        if length > Self::MAX_LENGTH {
            return Err(fields.fail(format!("a string has {length} bytes")));
        }
        let bytes = fields.take(length, "a string")?;
        let nul = if self.utf8 { fields.u8("the NUL")?.into() } else { fields.u16("the NUL")? };
        fields.require(nul == 0, "a string has no NUL after it")?;
        let text = if self.utf8 {
            std::str::from_utf8(bytes.bytes).ok().map(str::to_owned)
        } else {
            let units = bytes.chunks_exact(2).map(|unit| match *unit {
                [low, high] => u16::from_le_bytes([low, high]),
                _ => 0,
            });
            char::decode_utf16(units).collect::<std::result::Result<String, _>>().ok()
        };
        text.ok_or_else(|| fields.fail("a string is not what its encoding allows"))
    }
}

fn length8(fields: &mut Fields<'_>) -> Result<u64> {
    let first = u64::from(fields.u8("a length")?);
    if first & 0x80 == 0 {
        return Ok(first);
    }
    Ok((first & 0x7f) << 8 | u64::from(fields.u8("a length")?))
}

fn length16(fields: &mut Fields<'_>) -> Result<u64> {
    let first = u64::from(fields.u16("a length")?);
    if first & 0x8000 == 0 {
        return Ok(first);
    }
    Ok((first & 0x7fff) << 16 | u64::from(fields.u16("a length")?))
}

fn reader(part: Part<'_>) -> Fields<'_> {
    Fields::of(part, Kind::Manifest)
}

fn fault(position: u64, reason: impl Into<String>) -> Error {
    Error::at(Kind::Manifest, position, reason)
}
