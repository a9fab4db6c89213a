//! The vbmeta image and its signature.

use alloc::format;
use alloc::vec::Vec;

use super::{Descriptor, Footer, descriptor};
use crate::fields::{Fields, Part};
use crate::hash::Hash;
use crate::signature::{Padding, PublicKey};
use crate::source::ReadAt;
use crate::{Error, Kind, Result};

const MAGIC: u32 = 0x4156_4230;
const HEADER: usize = 256;
const SUPPORTED_MINOR: u32 = 3;
const RELEASE_AT: u64 = 128;
const RELEASE_SIZE: u64 = 48;
const MAX_SIZE: u64 = 64 * 1024;
const EXPONENT: [u8; 3] = [1, 0, 1];

/// A vbmeta image whose header and ranges are sound; nothing says that its signature is.
#[derive(Debug, Clone)]
pub struct Vbmeta {
    bytes: Vec<u8>,
    position: u64,
    algorithm: u32,
    auxiliary_start: usize,
    hash: Range,
    signature: Range,
    public_key: Range,
    descriptors: Range,
    /// Whether the descriptors are inside the auxiliary block, which is not a matter of the header.
    descriptors_inside: bool,
    /// Grows with each release that must not be rolled back.
    pub rollback_index: u64,
    /// Bit 0 turns dm-verity off, bit 1 all checks of descriptors.
    pub flags: u32,
}

/// A part of the image, from its start.
#[derive(Debug, Clone, Copy)]
struct Range {
    start: usize,
    end: usize,
}

/// A part of a block as the header has it.
struct BlockRange {
    offset: u64,
    size: u64,
    at: u64,
}

impl BlockRange {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let at = fields.position();
        Ok(BlockRange { offset: fields.be64("an offset")?, size: fields.be64("a size")?, at })
    }

    /// The range in the image, if it is inside its block.
    fn inside(&self, block_start: usize, block_size: usize) -> Option<Range> {
        let start = usize::try_from(self.offset).ok()?;
        let end = start.checked_add(usize::try_from(self.size).ok()?)?;
        (end <= block_size).then(|| Range { start: block_start + start, end: block_start + end })
    }

    fn require(&self, what: &str, block_start: usize, block_size: usize) -> Result<Range> {
        self.inside(block_start, block_size)
            .ok_or_else(|| Error::at(Kind::AvbHeader, self.at, format!("the {what} is not inside its block")))
    }
}

/// A hash and an RSA key size that an algorithm number stands for.
struct Algorithm {
    hash: Hash,
    key_bytes: usize,
}

impl Algorithm {
    fn numbered(number: u32) -> Option<Self> {
        let (hash, key_bytes) = match number {
            1 => (Hash::Sha256, 256),
            2 => (Hash::Sha256, 512),
            3 => (Hash::Sha256, 1024),
            4 => (Hash::Sha512, 256),
            5 => (Hash::Sha512, 512),
            6 => (Hash::Sha512, 1024),
            _ => return None,
        };
        Some(Algorithm { hash, key_bytes })
    }
}

impl Vbmeta {
    /// Reads the image that the footer of a partition points to.
    pub fn find(partition: &dyn ReadAt) -> Result<(Footer, Self)> {
        let footer = Footer::read(partition)?;
        if footer.vbmeta_size > MAX_SIZE {
            return Err(Error::new(
                Kind::AvbHeader,
                format!("a vbmeta image has at most {MAX_SIZE} bytes but the footer says {}", footer.vbmeta_size),
            ));
        }
        let end = footer.vbmeta_offset.checked_add(footer.vbmeta_size);
        if end.is_none_or(|end| end > partition.size()) {
            return Err(Error::new(
                Kind::AvbHeader,
                format!(
                    "the footer points to byte {}, outside of the {} bytes of the image",
                    footer.vbmeta_offset,
                    partition.size()
                ),
            ));
        }
        let bytes = partition.read_range(footer.vbmeta_offset, footer.vbmeta_size as usize)?;
        Ok((footer, Vbmeta::parse(&bytes, footer.vbmeta_offset)?))
    }

    /// Reads an image that starts at `position` of its partition, by the checks of libavb in its order; bytes after
    /// its end are left out.
    pub fn parse(bytes: &[u8], position: u64) -> Result<Self> {
        if bytes.len() < HEADER {
            return Err(Error::at(
                Kind::AvbHeader,
                position,
                format!("a vbmeta image has at least 256 bytes but here are {}", bytes.len()),
            ));
        }
        let mut fields = Fields::new(bytes, position, Kind::AvbHeader);
        if fields.be32("the magic")? != MAGIC {
            return Err(Error::at(Kind::AvbHeader, position, "the magic of vbmeta is \"AVB0\" but here is another"));
        }
        let major = fields.be32("the major version")?;
        let minor = fields.be32("the minor version")?;
        if major != 1 || minor > SUPPORTED_MINOR {
            return Err(Error::at(
                Kind::AvbVersion,
                position + 4,
                format!("libavb {major}.{minor} is required but this is 1.{SUPPORTED_MINOR}"),
            ));
        }
        let authentication_size = block_size(&mut fields, "authentication", bytes.len())?;
        let auxiliary_size = block_size(&mut fields, "auxiliary", bytes.len())?;
        let algorithm = fields.be32("the algorithm")?;
        let hash = BlockRange::read(&mut fields)?;
        let signature = BlockRange::read(&mut fields)?;
        let public_key = BlockRange::read(&mut fields)?;
        let metadata = BlockRange::read(&mut fields)?;
        let descriptors = BlockRange::read(&mut fields)?;
        let rollback_index = fields.be64("the rollback index")?;
        let flags = fields.be32("the flags")?;
        fields.be32("the rollback index location")?;
        let release = fields.take(RELEASE_SIZE, "the release string")?;
        if release.last() != Some(&0) {
            return Err(Error::at(Kind::AvbHeader, position + RELEASE_AT, "the release string does not end"));
        }
        let auxiliary_start = HEADER + authentication_size;
        let Some(image) = bytes.get(..auxiliary_start + auxiliary_size) else {
            return Err(Error::at(
                Kind::AvbHeader,
                position + 12,
                format!("the header announces {} bytes but here are {}", auxiliary_start + auxiliary_size, bytes.len()),
            ));
        };
        let hash = hash.require("hash", HEADER, authentication_size)?;
        let signature = signature.require("signature", HEADER, authentication_size)?;
        let public_key = public_key.require("public key", auxiliary_start, auxiliary_size)?;
        metadata.require("public key metadata", auxiliary_start, auxiliary_size)?;
        let inside = descriptors.inside(auxiliary_start, auxiliary_size);
        Ok(Vbmeta {
            bytes: image.to_vec(),
            position,
            algorithm,
            auxiliary_start,
            hash,
            signature,
            public_key,
            descriptors: inside.unwrap_or(Range { start: 0, end: 0 }),
            descriptors_inside: inside.is_some(),
            rollback_index,
            flags,
        })
    }

    /// The blob of the key that signed the image; may be empty or malformed until [`verify`](Self::verify).
    pub fn public_key(&self) -> &[u8] {
        self.part(self.public_key)
    }

    /// Refuses an image that is not signed, or not by the key in it.
    pub fn verify(&self) -> Result<()> {
        if self.algorithm == 0 {
            return Err(Error::at(Kind::AvbNotSigned, self.position, "the vbmeta image is not signed"));
        }
        let Some(algorithm) = Algorithm::numbered(self.algorithm) else {
            return Err(Error::at(
                Kind::AvbHeader,
                self.position + 28,
                format!("algorithm {} is unknown", self.algorithm),
            ));
        };
        let stored = self.part(self.hash);
        if stored.len() != algorithm.hash.size() {
            return Err(Error::at(
                Kind::AvbHeader,
                self.position + 32,
                format!("the digest has {} bytes but here are {}", algorithm.hash.size(), stored.len()),
            ));
        }
        let mut hasher = algorithm.hash.start();
        hasher.update(self.bytes.get(..HEADER).unwrap_or_default());
        hasher.update(self.bytes.get(self.auxiliary_start..).unwrap_or_default());
        let digest = hasher.finish();
        if *digest != *stored {
            return Err(Error::at(
                Kind::AvbHash,
                self.position + self.hash.start as u64,
                "the stored digest is not that of header and auxiliary block",
            ));
        }
        let signature = self.part(self.signature);
        let holds = signature.len() == algorithm.key_bytes
            && key(self.public_key(), algorithm.key_bytes)
                .is_some_and(|key| key.verifies_digest(Padding::Pkcs1, algorithm.hash, &digest, signature));
        if !holds {
            return Err(Error::at(
                Kind::AvbSignature,
                self.position + self.signature.start as u64,
                "the signature is not valid, or its key cannot be used",
            ));
        }
        Ok(())
    }

    /// All descriptors; refused if one cannot be read.
    pub fn descriptors(&self) -> Result<Vec<Descriptor>> {
        if !self.descriptors_inside {
            return Err(Error::at(
                Kind::AvbDescriptorHeader,
                self.position + 96,
                "the descriptors are not inside the auxiliary block",
            ));
        }
        let position = self.position + self.descriptors.start as u64;
        descriptor::read_all(Part { position, bytes: self.part(self.descriptors) })
    }

    fn part(&self, range: Range) -> &[u8] {
        self.bytes.get(range.start..range.end).unwrap_or_default()
    }
}

fn block_size(fields: &mut Fields<'_>, name: &str, limit: usize) -> Result<usize> {
    let position = fields.position();
    let size = fields.be64("the size of a block")?;
    if size % 64 != 0 || size > limit as u64 {
        return Err(Error::at(
            Kind::AvbHeader,
            position,
            format!("the {name} block must have a multiple of 64 bytes, at most {limit}, but has {size}"),
        ));
    }
    Ok(size as usize)
}

/// The RSA key of a blob: bits, n0inv, n, rr; the exponent is always 65537. n0inv and rr are neither used nor checked.
pub(super) fn key(blob: &[u8], key_bytes: usize) -> Option<PublicKey> {
    let (bits, rest) = blob.split_first_chunk::<4>()?;
    let modulus = rest.get(4..4 + key_bytes)?;
    let whole = u32::from_be_bytes(*bits) as usize == key_bytes * 8 && blob.len() == 8 + 2 * key_bytes;
    let odd_and_long = modulus.first()? & 0x80 != 0 && modulus.last()? & 1 != 0;
    if whole && odd_and_long { PublicKey::rsa(modulus, &EXPONENT) } else { None }
}
