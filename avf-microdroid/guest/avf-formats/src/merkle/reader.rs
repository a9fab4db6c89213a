//! Reads data of which every block is held against the tree.

use std::cell::RefCell;
use std::io;

use super::{Layout, Parameters};
use crate::source::ReadAt;
use crate::{Error, Kind, Result};

/// Data that neither its bytes nor those of its tree can falsify: only the root is trusted.
///
/// What is wrong shows as [`io::ErrorKind::InvalidData`] when it is read. Of each level the last block is kept.
pub struct VerifiedReader<'a> {
    data: &'a dyn ReadAt,
    tree: &'a dyn ReadAt,
    parameters: Parameters,
    layout: Layout,
    root: Vec<u8>,
    known: RefCell<Vec<Known>>,
}

/// The last block of a level that was held against the root, with its index.
type Known = Option<(u64, Vec<u8>)>;

impl<'a> VerifiedReader<'a> {
    /// Refuses a tree that has not the size that the data need.
    pub fn new(data: &'a dyn ReadAt, tree: &'a dyn ReadAt, parameters: Parameters, root: &[u8]) -> Result<Self> {
        let layout = Layout::of(&parameters, data.size());
        if tree.size() != layout.size {
            return Err(Error::new(
                Kind::Tree,
                format!("the tree must have {} bytes but has {}", layout.size, tree.size()),
            ));
        }
        let known = RefCell::new(vec![None; layout.levels.len()]);
        Ok(VerifiedReader { data, tree, parameters, layout, root: root.to_vec(), known })
    }

    fn block(&self, index: u64) -> io::Result<Vec<u8>> {
        let size = self.parameters.data_block as u64;
        let start = index.saturating_mul(size);
        let length = self.data.size().saturating_sub(start).min(size) as usize;
        let mut block = self.data.read_range(start, length)?;
        block.resize(self.parameters.data_block, 0);
        self.require(0, index, &self.parameters.hash_of(&block))?;
        block.truncate(length);
        Ok(block)
    }

    /// Holds a digest against the level, whose block is held against the next one unless it was before.
    fn require(&self, level: usize, index: u64, digest: &[u8]) -> io::Result<()> {
        let Some(place) = self.layout.levels.get(level) else {
            return if *digest == *self.root { Ok(()) } else { Err(wrong("the root")) };
        };
        let above = index / self.parameters.slots();
        let slot = (index % self.parameters.slots()) as usize * self.parameters.slot;
        let holds = |block: &[u8]| block.get(slot..slot + digest.len()) == Some(digest);
        if let Some(Some((known, block))) = self.known.borrow().get(level) {
            if *known == above {
                return if holds(block) { Ok(()) } else { Err(wrong("a digest in the tree")) };
            }
        }
        let position = place.offset + above * self.parameters.hash_block as u64;
        let block = self.tree.read_range(position, self.parameters.hash_block)?;
        self.require(level + 1, above, &self.parameters.hash_of(&block))?;
        if !holds(&block) {
            return Err(wrong("a digest in the tree"));
        }
        if let Some(known) = self.known.borrow_mut().get_mut(level) {
            *known = Some((above, block));
        }
        Ok(())
    }
}

impl ReadAt for VerifiedReader<'_> {
    fn size(&self) -> u64 {
        self.data.size()
    }

    fn read_exact_at(&self, position: u64, target: &mut [u8]) -> io::Result<()> {
        let size = self.parameters.data_block as u64;
        let mut at = position;
        let mut rest = target;
        while !rest.is_empty() {
            let block = self.block(at / size)?;
            let Some(part) = block.get((at % size) as usize..).filter(|part| !part.is_empty()) else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            let count = part.len().min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(part.get(..count).unwrap_or_default());
            rest = later;
            at += count as u64;
        }
        Ok(())
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the data is not what {what} says"))
}
