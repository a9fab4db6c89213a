//! Merkle trees as dm-verity and fs-verity have them: the top level first, the digests of the data last.
//!
//! Data of one block has no tree: its root is the hash of that block. No data has a root of zeros. A last block that is
//! not full is hashed with zeros after it.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

mod build;
mod reader;

pub use build::{build, check, root};
pub use reader::VerifiedReader;

use crate::hash::{Digest, Hash, Hasher};
use crate::{Error, Kind, Result};

const MIN_BLOCK: u32 = 512;
const MAX_BLOCK: u32 = 1 << 16;
const MAX_SALT: usize = 256;

/// What decides the bytes of a tree, besides the data.
#[derive(Debug, Clone)]
pub struct Parameters {
    hash: Hash,
    data_block: usize,
    hash_block: usize,
    prefix: Vec<u8>,
    slot: usize,
}

impl Parameters {
    /// dm-verity version 1: the salt as it is, each digest in a slot of a power of two.
    ///
    /// Refused unless the blocks are powers of two in 512..65536 and the salt has at most 256 bytes.
    pub fn dm_verity(hash: Hash, data_block: u32, hash_block: u32, salt: &[u8]) -> Result<Self> {
        let slot = hash.size().next_power_of_two();
        Parameters::checked(hash, data_block, hash_block, salt.to_vec(), slot)
    }

    /// fs-verity: a salt is filled with zeros to the hash's input block; digests without gaps.
    pub fn fs_verity(hash: Hash, block: u32, salt: &[u8]) -> Result<Self> {
        let mut prefix = salt.to_vec();
        prefix.resize(salt.len().next_multiple_of(hash.step()), 0);
        Parameters::checked(hash, block, block, prefix, hash.size())
    }

    fn checked(hash: Hash, data_block: u32, hash_block: u32, prefix: Vec<u8>, slot: usize) -> Result<Self> {
        for block in [data_block, hash_block] {
            if !block.is_power_of_two() || !(MIN_BLOCK..=MAX_BLOCK).contains(&block) {
                return Err(Error::new(
                    Kind::Tree,
                    format!("blocks must be a power of two in {MIN_BLOCK}..{MAX_BLOCK} but have {block} bytes"),
                ));
            }
        }
        if prefix.len() > MAX_SALT {
            return Err(Error::new(
                Kind::Tree,
                format!("the salt must have at most {MAX_SALT} bytes but has {}", prefix.len()),
            ));
        }
        Ok(Parameters { hash, data_block: data_block as usize, hash_block: hash_block as usize, prefix, slot })
    }

    /// The hash function.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    fn slots(&self) -> u64 {
        (self.hash_block / self.slot) as u64
    }

    fn start(&self) -> Hasher {
        let mut hasher = self.hash.start();
        hasher.update(&self.prefix);
        hasher
    }

    fn hash_of(&self, block: &[u8]) -> Digest {
        let mut hasher = self.start();
        hasher.update(block);
        hasher.finish()
    }
}

/// Where the levels of a tree stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// From the digests of the data (index 0) to the top; empty for at most one data block.
    pub levels: Vec<Level>,
    /// The bytes of the tree, a multiple of the hash block size.
    pub size: u64,
}

/// One level of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// In bytes from the start of the tree.
    pub offset: u64,
    /// The number of hash blocks.
    pub blocks: u64,
}

impl Layout {
    /// The layout of the tree over `data_size` bytes.
    pub fn of(parameters: &Parameters, data_size: u64) -> Self {
        let block = parameters.hash_block as u64;
        let mut counts = Vec::new();
        let mut below = data_size.div_ceil(parameters.data_block as u64);
        while below > 1 {
            below = below.div_ceil(parameters.slots());
            counts.push(below);
        }
        // A tree is smaller than its data but for tiny ones, so nothing here overflows.
        let size = counts.iter().map(|count| count.saturating_mul(block)).fold(0, u64::saturating_add);
        let mut end = size;
        let levels = counts
            .into_iter()
            .map(|blocks| {
                end = end.saturating_sub(blocks.saturating_mul(block));
                Level { offset: end, blocks }
            })
            .collect();
        Layout { levels, size }
    }
}
