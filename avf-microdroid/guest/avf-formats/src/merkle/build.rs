//! Builds trees: the data is read once.

use super::{Layout, Parameters};
use crate::hash::Digest;
use crate::source::ReadAt;
use crate::{Error, Kind, Result};

// What is read at a time; a multiple of every data block.
const PIECE: u64 = 1 << 16;

/// The root of the tree over all of the data.
pub fn root(data: &dyn ReadAt, parameters: &Parameters) -> Result<Digest> {
    build(data, parameters, &mut |_, _| Ok(()))
}

/// Builds the tree over all of the data; `sink` takes it block by block, with the offsets in the tree.
///
/// Blocks of one level come in order, those of different levels in any.
pub fn build(
    data: &dyn ReadAt,
    parameters: &Parameters,
    sink: &mut dyn FnMut(u64, &[u8]) -> Result<()>,
) -> Result<Digest> {
    let layout = Layout::of(parameters, data.size());
    let open = layout.levels.iter().map(|level| Open { bytes: Vec::new(), position: level.offset }).collect();
    let mut levels = Levels { parameters, open, root: Digest::zero(parameters.hash), sink };
    let mut buffer = vec![0; PIECE as usize];
    let mut at = 0;
    while at < data.size() {
        let length = (data.size() - at).min(PIECE) as usize;
        let whole = length.next_multiple_of(parameters.data_block).min(buffer.len());
        let piece = buffer.get_mut(..whole).unwrap_or_default();
        let (read, padding) = piece.split_at_mut(length.min(whole));
        data.read_exact_at(at, read)?;
        padding.fill(0);
        for block in piece.chunks(parameters.data_block) {
            levels.append(0, parameters.hash_of(block))?;
        }
        at += length as u64;
    }
    levels.finish()
}

/// Refuses data that is not what the root says, and a tree that is not that of the data.
pub fn check(data: &dyn ReadAt, tree: &dyn ReadAt, parameters: &Parameters, root: &[u8]) -> Result<()> {
    let size = Layout::of(parameters, data.size()).size;
    if tree.size() != size {
        return Err(Error::new(Kind::Tree, format!("the tree must have {size} bytes but has {}", tree.size())));
    }
    let mut first_fault: Option<u64> = None;
    let computed = build(data, parameters, &mut |position, block| {
        let stored = tree.read_range(position, block.len())?;
        if let Some(at) = stored.iter().zip(block).position(|(a, b)| a != b) {
            let at = position + at as u64;
            first_fault = Some(first_fault.map_or(at, |before| before.min(at)));
        }
        Ok(())
    })?;
    if *computed != *root {
        return Err(Error::new(Kind::Tree, format!("the root is {} but must be {computed:?}", crate::hash::hex(root))));
    }
    match first_fault {
        Some(position) => Err(Error::at(Kind::Tree, position, "the tree is not that of the data")),
        None => Ok(()),
    }
}

/// The levels above the data; keeps one block a level.
struct Levels<'a> {
    parameters: &'a Parameters,
    open: Vec<Open>,
    root: Digest,
    sink: &'a mut dyn FnMut(u64, &[u8]) -> Result<()>,
}

struct Open {
    bytes: Vec<u8>,
    position: u64,
}

impl Levels<'_> {
    fn append(&mut self, level: usize, digest: Digest) -> Result<()> {
        let Some(block) = self.open.get_mut(level) else {
            self.root = digest;
            return Ok(());
        };
        block.bytes.extend_from_slice(&digest);
        let slots = block.bytes.len().next_multiple_of(self.parameters.slot);
        block.bytes.resize(slots, 0);
        if slots + self.parameters.slot > self.parameters.hash_block { self.close(level) } else { Ok(()) }
    }

    fn close(&mut self, level: usize) -> Result<()> {
        let Some(block) = self.open.get_mut(level) else { return Ok(()) };
        block.bytes.resize(self.parameters.hash_block, 0);
        (self.sink)(block.position, &block.bytes)?;
        let digest = self.parameters.hash_of(&block.bytes);
        block.position += block.bytes.len() as u64;
        block.bytes.clear();
        self.append(level + 1, digest)
    }

    fn finish(mut self) -> Result<Digest> {
        for level in 0..self.open.len() {
            if self.open.get(level).is_some_and(|block| !block.bytes.is_empty()) {
                self.close(level)?;
            }
        }
        Ok(self.root)
    }
}
