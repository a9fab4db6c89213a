//! The descriptors that a vbmeta image signs.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::fields::{Fields, Part};
#[cfg(feature = "std")]
use crate::hash::Hash;
#[cfg(feature = "std")]
use crate::merkle;
use crate::{Error, Kind, Result};

const HEAD: u64 = 16;
const PROPERTY: u64 = 0;
const HASHTREE: u64 = 1;
const HASH: u64 = 2;
const KERNEL_COMMAND_LINE: u64 = 3;
const CHAIN_PARTITION: u64 = 4;
const HASH_NAME: u64 = 32;
const RESERVED: u64 = 60;

/// One entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Descriptor {
    /// Anything that the maker wants to have signed.
    Property {
        /// The name.
        key: String,
        /// Any bytes.
        value: Vec<u8>,
    },
    /// The dm-verity tree of a partition.
    Hashtree(HashtreeDescriptor),
    /// The digest of a whole partition.
    Hash(HashDescriptor),
    /// Something for the kernel's command line.
    KernelCommandLine(String),
    /// A partition that has a vbmeta image of its own.
    ChainPartition {
        /// Without A/B suffix.
        partition: String,
        /// The blob of the key that signed it.
        public_key: Vec<u8>,
    },
    /// Of a kind that is not known.
    Unknown(u64),
}

/// The dm-verity tree of a partition; sizes and offsets are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashtreeDescriptor {
    /// 1.
    pub dm_verity_version: u32,
    /// The bytes of data, a multiple of the data block size.
    pub image_size: u64,
    /// Where the tree stands in the partition.
    pub tree_offset: u64,
    /// 0 if the data is one block.
    pub tree_size: u64,
    /// 4096, as a rule.
    pub data_block_size: u32,
    /// 4096, as a rule.
    pub hash_block_size: u32,
    /// The kernel's name, as `sha256`.
    pub hash_algorithm: String,
    /// Without A/B suffix.
    pub partition: String,
    /// Any bytes.
    pub salt: Vec<u8>,
    /// Empty for a persistent digest, which only a device knows.
    pub root_digest: Vec<u8>,
    /// Bit 0: the partition has no A/B suffix; bit 1: a block is checked only when it is read for the first time.
    pub flags: u32,
}

#[cfg(feature = "std")]
impl HashtreeDescriptor {
    /// What the tree is computed with; refused if no dm-verity of version 1 is like that, or the hash is not one that
    /// is trusted here (SHA-1 is not).
    pub fn parameters(&self) -> Result<merkle::Parameters> {
        let Some(hash) = Hash::named(&self.hash_algorithm) else {
            return Err(unusable(format!(
                "the hash {:?} is not supported, only sha256 and sha512",
                self.hash_algorithm
            )));
        };
        if self.dm_verity_version != 1 {
            return Err(unusable(format!("dm-verity version {} is unknown", self.dm_verity_version)));
        }
        if self.image_size == 0 || self.data_block_size == 0 || self.image_size % u64::from(self.data_block_size) != 0 {
            return Err(unusable(format!(
                "the image size {} is not a positive multiple of the block size",
                self.image_size
            )));
        }
        merkle::Parameters::dm_verity(hash, self.data_block_size, self.hash_block_size, &self.salt).map_err(|error| {
            match error {
                Error::Refused(refusal) => unusable(refusal.reason),
                other => other,
            }
        })
    }
}

/// The digest of a whole partition: `HASH(salt || image)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashDescriptor {
    /// In bytes.
    pub image_size: u64,
    /// `sha256` or `sha512`.
    pub hash_algorithm: String,
    /// Without A/B suffix.
    pub partition: String,
    /// Any bytes.
    pub salt: Vec<u8>,
    /// Empty for a persistent digest, which only a device knows.
    pub digest: Vec<u8>,
}

pub(super) fn read_all(list: Part<'_>) -> Result<Vec<Descriptor>> {
    let mut fields = Fields::of(list, Kind::AvbDescriptorHeader);
    let mut found = Vec::new();
    while fields.has_more() {
        let position = fields.position();
        let tag = fields.be64("the tag of a descriptor")?;
        let following = fields.be64("the length of a descriptor")?;
        if following % 8 != 0 || following > fields.left() as u64 {
            return Err(Error::at(
                Kind::AvbDescriptorHeader,
                position + 8,
                format!(
                    "a descriptor announces {following} bytes, which must be a multiple of 8 and at most {}",
                    fields.left()
                ),
            ));
        }
        found.push(parse(tag, Parts::new(fields.take(following, "a descriptor")?))?);
    }
    Ok(found)
}

fn parse(tag: u64, parts: Parts<'_>) -> Result<Descriptor> {
    match tag {
        PROPERTY => property(parts),
        HASHTREE => hashtree(parts),
        HASH => hash(parts),
        KERNEL_COMMAND_LINE => kernel_command_line(parts),
        CHAIN_PARTITION => chain_partition(parts),
        other => Ok(Descriptor::Unknown(other)),
    }
}

fn property(mut parts: Parts<'_>) -> Result<Descriptor> {
    let key_length = parts.u64()?;
    let value_length = parts.u64()?;
    let key = parts.text(key_length)?;
    parts.zero_byte()?;
    let value = parts.part(value_length)?.to_vec();
    parts.zero_byte()?;
    parts.end()?;
    Ok(Descriptor::Property { key, value })
}

fn hashtree(mut parts: Parts<'_>) -> Result<Descriptor> {
    let dm_verity_version = parts.u32()?;
    let image_size = parts.u64()?;
    let tree_offset = parts.u64()?;
    let tree_size = parts.u64()?;
    let data_block_size = parts.u32()?;
    let hash_block_size = parts.u32()?;
    parts.u32()?; // error correction
    parts.u64()?;
    parts.u64()?;
    let hash_algorithm = parts.padded_name()?;
    let name_length = parts.u32()?;
    let salt_length = parts.u32()?;
    let root_length = parts.u32()?;
    let flags = parts.u32()?;
    parts.skip(RESERVED)?;
    let partition = parts.text(name_length.into())?;
    let salt = parts.part(salt_length.into())?.to_vec();
    let root_digest = parts.part(root_length.into())?.to_vec();
    parts.end()?;
    Ok(Descriptor::Hashtree(HashtreeDescriptor {
        dm_verity_version,
        image_size,
        tree_offset,
        tree_size,
        data_block_size,
        hash_block_size,
        hash_algorithm,
        partition,
        salt,
        root_digest,
        flags,
    }))
}

fn hash(mut parts: Parts<'_>) -> Result<Descriptor> {
    let image_size = parts.u64()?;
    let hash_algorithm = parts.padded_name()?;
    let name_length = parts.u32()?;
    let salt_length = parts.u32()?;
    let digest_length = parts.u32()?;
    parts.u32()?; // flags
    parts.skip(RESERVED)?;
    let partition = parts.text(name_length.into())?;
    let salt = parts.part(salt_length.into())?.to_vec();
    let digest = parts.part(digest_length.into())?.to_vec();
    parts.end()?;
    Ok(Descriptor::Hash(HashDescriptor { image_size, hash_algorithm, partition, salt, digest }))
}

fn kernel_command_line(mut parts: Parts<'_>) -> Result<Descriptor> {
    parts.u32()?; // flags
    let length = parts.u32()?;
    let text = parts.text(length.into())?;
    parts.end()?;
    if text.contains('\0') {
        return Err(parts.fault(Kind::AvbDescriptorContents, "a kernel command line must not contain NUL"));
    }
    Ok(Descriptor::KernelCommandLine(text))
}

fn chain_partition(mut parts: Parts<'_>) -> Result<Descriptor> {
    let location = parts.u32()?;
    let name_length = parts.u32()?;
    let key_length = parts.u32()?;
    parts.u32()?; // flags
    parts.skip(RESERVED)?;
    let partition = parts.text(name_length.into())?;
    let public_key = parts.part(key_length.into())?.to_vec();
    parts.end()?;
    if location == 0 {
        return Err(
            parts.fault(Kind::AvbDescriptorValue, "the rollback index location of a chained partition must not be 0")
        );
    }
    Ok(Descriptor::ChainPartition { partition, public_key })
}

/// The fields of one descriptor after its head: numbers, then parts one after the other.
struct Parts<'a> {
    fields: Fields<'a>,
    start: u64,
}

impl<'a> Parts<'a> {
    fn new(body: Part<'a>) -> Self {
        Parts { fields: Fields::of(body, Kind::AvbDescriptorHeader), start: body.position }
    }

    fn u32(&mut self) -> Result<u32> {
        self.fields.be32("a number of a descriptor")
    }

    fn u64(&mut self) -> Result<u64> {
        self.fields.be64("a number of a descriptor")
    }

    fn skip(&mut self, count: u64) -> Result<()> {
        self.fields.take(count, "the fixed part of a descriptor").map(|_| ())
    }

    fn part(&mut self, length: u64) -> Result<Part<'a>> {
        if length > self.fields.left() as u64 {
            return Err(self
                .fault(Kind::AvbDescriptorSize, format!("a part of {length} bytes does not fit into the descriptor")));
        }
        self.fields.take(length, "a part of a descriptor")
    }

    fn text(&mut self, length: u64) -> Result<String> {
        let part = self.part(length)?;
        self.utf8(part.bytes)
    }

    fn utf8(&self, bytes: &[u8]) -> Result<String> {
        match core::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(self.fault(Kind::AvbDescriptorUtf8, "text is not UTF-8")),
        }
    }

    fn zero_byte(&mut self) -> Result<()> {
        if self.part(1)?.bytes != [0] {
            return Err(self.fault(Kind::AvbDescriptorContents, "a NUL is missing"));
        }
        Ok(())
    }

    /// A name that zeros fill up to a fixed length.
    fn padded_name(&mut self) -> Result<String> {
        let field = self.fields.take(HASH_NAME, "the name of the hash")?;
        let name = field.bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        self.utf8(name)
    }

    /// Refuses more after the parts than the zeros that round the descriptor to 8.
    fn end(&self) -> Result<()> {
        let used = self.fields.position() - self.start + HEAD;
        if self.fields.left() as u64 != used.next_multiple_of(8) - used {
            return Err(self.fault(
                Kind::AvbDescriptorSize,
                format!("{} bytes follow the parts of the descriptor", self.fields.left()),
            ));
        }
        Ok(())
    }

    fn fault(&self, kind: Kind, reason: impl Into<String>) -> Error {
        Error::at(kind, self.fields.position(), reason)
    }
}

#[cfg(feature = "std")]
fn unusable(reason: impl core::fmt::Display) -> Error {
    Error::new(Kind::AvbDescriptorValue, format!("hashtree descriptor: {reason}"))
}
