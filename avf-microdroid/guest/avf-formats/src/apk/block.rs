//! The pairs of a signing block, and the signers in its v2, v3 and v3.1 values; parsed and not yet verified.

use crate::fields::{Fields, Part};
use crate::{Error, Kind, Result};

pub const V2: u32 = 0x7109_871a;
pub const V3: u32 = 0xf053_68c0;
pub const V31: u32 = 0x1b93_ad61;
const FOOTER: usize = 24;
const SIZE_FIELD: u64 = 8;
const MAX_PAIRS: usize = 256;
const MAX_SIGNERS: usize = 10;
const MAX_ELEMENTS: usize = 64;

/// The values of a signing block by id.
pub struct SigningBlock<'a>(Vec<(u32, Part<'a>)>);

impl<'a> SigningBlock<'a> {
    /// Parses the block from its first size field to its magic, which was checked.
    pub fn parse(block: &'a [u8], position: u64) -> Result<Self> {
        let mut fields = Fields::new(block, position, Kind::SigningBlock);
        let size = fields.u64("the first size")?;
        let second = (block.len() as u64).saturating_sub(SIZE_FIELD);
        if size != second {
            return Err(Error::at(
                Kind::SigningBlock,
                position,
                format!("the first size is {size} but the second is {second}"),
            ));
        }
        let inside = fields.take((fields.left().saturating_sub(FOOTER)) as u64, "the pairs")?;
        let mut fields = Fields::of(inside, Kind::SigningBlock);
        let mut pairs: Vec<(u32, Part<'a>)> = Vec::new();
        while fields.has_more() {
            let start = fields.position();
            let length = fields.u64("the length of a pair")?;
            if length < 4 || length > fields.left() as u64 {
                return Err(Error::at(
                    Kind::SigningBlock,
                    start,
                    format!("a pair of {length} bytes does not fit: {} are left", fields.left()),
                ));
            }
            let id = fields.u32("the id of a pair")?;
            let value = fields.take(length - 4, "the value of a pair")?;
            if pairs.iter().any(|(other, _)| *other == id) {
                return Err(Error::at(Kind::SigningBlock, start, format!("the id 0x{id:08x} stands there twice")));
            }
            pairs.push((id, value));
            fields.require(pairs.len() <= MAX_PAIRS, "more than 256 pairs")?;
        }
        Ok(SigningBlock(pairs))
    }

    pub fn value(&self, id: u32) -> Option<Part<'a>> {
        self.0.iter().find(|(other, _)| *other == id).map(|(_, value)| *value)
    }
}

/// Bytes under the id of an algorithm or attribute.
#[derive(Clone, Copy)]
pub struct Tagged<'a> {
    pub id: u32,
    pub bytes: Part<'a>,
    pub position: u64,
}

/// The SDK levels that a signer is for, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdkRange {
    pub min: u32,
    pub max: u32,
}

impl SdkRange {
    const ALL: SdkRange = SdkRange { min: 0, max: u32::MAX };

    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let position = fields.position();
        let min = fields.u32("the lowest SDK level")?;
        let max = fields.u32("the highest SDK level")?;
        if min > max {
            return Err(Error::at(Kind::SignerForm, position, format!("no SDK level is in {min}..{max}")));
        }
        Ok(SdkRange { min, max })
    }

    pub fn contains(self, level: u32) -> bool {
        (self.min..=self.max).contains(&level)
    }

    pub fn overlaps(self, other: SdkRange) -> bool {
        self.min <= other.max && other.min <= self.max
    }
}

impl std::fmt::Display for SdkRange {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}..{}", self.min, self.max)
    }
}

/// One signer.
pub struct RawSigner<'a> {
    /// Where it stands in the file.
    pub position: u64,
    pub signed_data: Part<'a>,
    pub digests: Vec<Tagged<'a>>,
    pub certificates: Vec<Part<'a>>,
    /// The levels outside the signed data; all for v2.
    pub range: SdkRange,
    pub signed_range: SdkRange,
    pub attributes: Vec<Tagged<'a>>,
    pub signatures: Vec<Tagged<'a>>,
    pub public_key: Part<'a>,
}

/// Parses the signers of a v2, v3 or v3.1 value.
pub fn signers(value: Part<'_>, v3: bool) -> Result<Vec<RawSigner<'_>>> {
    let mut fields = Fields::of(value, Kind::SignerForm);
    let mut sequence = fields.nested("the signers")?;
    fields.end("the signers")?;
    let mut signers = Vec::new();
    while sequence.has_more() {
        sequence.require(signers.len() < MAX_SIGNERS, "more than 10 signers")?;
        signers.push(signer(sequence.nested("a signer")?, v3)?);
    }
    sequence.require(!signers.is_empty(), "no signer")?;
    Ok(signers)
}

fn signer(mut fields: Fields<'_>, v3: bool) -> Result<RawSigner<'_>> {
    let position = fields.position();
    let signed_data = fields.prefixed("the signed data")?;
    let range = if v3 { SdkRange::read(&mut fields)? } else { SdkRange::ALL };
    let signatures = algorithms(fields.nested("the signatures")?, "a signature")?;
    let public_key = fields.prefixed("the public key")?;
    fields.end("the public key")?;

    let mut data = Fields::of(signed_data, Kind::SignerForm);
    let digests = algorithms(data.nested("the digests")?, "a digest")?;
    let certificates = certificates(data.nested("the certificates")?)?;
    let signed_range = if v3 { SdkRange::read(&mut data)? } else { SdkRange::ALL };
    let attributes = attributes(data.nested("the attributes")?)?;
    // Signing tools end v2's signed data with an empty list of nothing.
    if !v3 && data.left() == 4 && data.u32("the empty list")? != 0 {
        return Err(data.fail("4 bytes follow the attributes"));
    }
    data.end("the attributes")?;
    Ok(RawSigner {
        position,
        signed_data,
        digests,
        certificates,
        range,
        signed_range,
        attributes,
        signatures,
        public_key,
    })
}

fn algorithms<'a>(mut fields: Fields<'a>, what: &str) -> Result<Vec<Tagged<'a>>> {
    let mut all = Vec::new();
    while fields.has_more() {
        let mut one = fields.nested(what)?;
        let position = one.position();
        let id = one.u32("the algorithm")?;
        all.push(Tagged { id, bytes: one.prefixed(what)?, position });
        one.end(what)?;
        limit(&fields, all.len())?;
    }
    Ok(all)
}

fn certificates(mut fields: Fields<'_>) -> Result<Vec<Part<'_>>> {
    let mut all = Vec::new();
    while fields.has_more() {
        all.push(fields.prefixed("a certificate")?);
        limit(&fields, all.len())?;
    }
    Ok(all)
}

fn attributes(mut fields: Fields<'_>) -> Result<Vec<Tagged<'_>>> {
    let mut all = Vec::new();
    while fields.has_more() {
        let mut one = fields.nested("an attribute")?;
        let position = one.position();
        let id = one.u32("the attribute's id")?;
        all.push(Tagged { id, bytes: one.take(one.left() as u64, "the attribute")?, position });
        limit(&fields, all.len())?;
    }
    Ok(all)
}

fn limit(fields: &Fields<'_>, elements: usize) -> Result<()> {
    fields.require(elements <= MAX_ELEMENTS, "a list has more than 64 elements")
}
