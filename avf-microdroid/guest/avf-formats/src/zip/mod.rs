//! Zip archives, read so that no two readers can see different files.
//!
//! One end record only, which closes the file but for zeros (a block device has them behind the archive); the central
//! directory directly before it; perhaps an APK signing block directly before that; entries before both, without
//! overlaps, each with a local header that says what the directory says. Refused besides: ZIP64, several disks,
//! encryption, methods other than stored and deflate, names that are absolute, lead out of the archive or stand there
//! twice, symbolic links and other special files.
//!
//! Memory: signing block and central directory are read whole, each at most 16 MiB. Entries are read when asked for.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

mod content;
mod directory;
mod end;
mod local;

use crate::fields::Fields;
use crate::source::ReadAt;
use crate::{Error, Kind, Result};

pub use directory::{Entry, Method};
pub(crate) use end::OFFSET_FIELD;

const MAX_SECTION: u64 = 16 << 20;
const MAGIC: &[u8] = b"APK Sig Block 42";
const FOOTER: u64 = 24;
const SIZE_FIELD: u64 = 8;

/// An archive whose structure is sound; nothing says that its signatures are, or the entries' contents.
pub struct Archive<'a> {
    pub(crate) file: &'a dyn ReadAt,
    pub(crate) end: end::End,
    /// Where the entries end: at the signing block or the central directory.
    pub(crate) body_length: u64,
    /// Signing block, central directory and end record.
    tail: Vec<u8>,
    entries: Vec<Entry>,
    by_name: Vec<usize>,
}

impl<'a> Archive<'a> {
    /// Reads and checks the structure.
    pub fn open(file: &'a dyn ReadAt) -> Result<Self> {
        let end = end::find(file)?;
        if end.directory_size > MAX_SECTION {
            return Err(Error::at(
                Kind::TooLarge,
                end.directory_offset,
                format!("the central directory may have at most {MAX_SECTION} bytes but has {}", end.directory_size),
            ));
        }
        let body_length = end.directory_offset - signing_block_size(file, end.directory_offset)?;
        let tail = file.read_range(body_length, (end.end() - body_length) as usize)?;
        let reread = tail.get((end.position - body_length) as usize..);
        if reread != Some(end.record.as_slice()) {
            return Err(Error::at(Kind::Changed, end.position, "the file was changed while it was read"));
        }
        let mut archive = Archive { file, end, body_length, tail, entries: Vec::new(), by_name: Vec::new() };
        let directory = archive.directory_bytes();
        let entries = directory::parse(directory, archive.end.directory_offset, archive.end.entries)?;
        archive.by_name = directory::check_names(&entries)?;
        archive.entries = local::place(file, entries, body_length)?;
        Ok(archive)
    }

    /// The entries in the order of the central directory.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of this name; folders end in a slash.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        let found = self.by_name.binary_search_by(|&index| match self.entries.get(index) {
            Some(entry) => directory::compare(entry.name.as_bytes(), name.as_bytes()),
            None => std::cmp::Ordering::Greater,
        });
        found.ok().and_then(|at| self.by_name.get(at)).and_then(|&index| self.entries.get(index))
    }

    /// The content of an entry, checked against size and checksum; refused if it has more than `limit` bytes.
    pub fn read(&self, entry: &Entry, limit: u64) -> Result<Vec<u8>> {
        let raw = self.read_raw(entry, limit)?;
        content::unpack(entry, raw)
    }

    /// The bytes of an entry as they stand in the file.
    pub(crate) fn read_raw(&self, entry: &Entry, limit: u64) -> Result<Vec<u8>> {
        if entry.size > limit || entry.compressed_size > limit {
            return Err(Error::at(
                Kind::TooLarge,
                entry.position,
                format!(
                    "{} may have at most {limit} bytes but has {}",
                    entry.name,
                    entry.size.max(entry.compressed_size)
                ),
            ));
        }
        Ok(self.file.read_range(entry.data_offset, entry.compressed_size as usize)?)
    }

    /// Turns what [`read_raw`](Self::read_raw) gave into the content.
    pub(crate) fn unpack(&self, entry: &Entry, raw: Vec<u8>) -> Result<Vec<u8>> {
        content::unpack(entry, raw)
    }

    /// The signing block, where there is one; it starts where the entries end.
    pub(crate) fn signing_block(&self) -> Option<&[u8]> {
        let length = (self.end.directory_offset - self.body_length) as usize;
        self.tail.get(..length).filter(|block| !block.is_empty())
    }

    pub(crate) fn directory_bytes(&self) -> &[u8] {
        let start = (self.end.directory_offset - self.body_length) as usize;
        let end = (self.end.position - self.body_length) as usize;
        self.tail.get(start..end).unwrap_or_default()
    }
}

/// The bytes of the signing block before the central directory, 0 where there is none.
fn signing_block_size(file: &dyn ReadAt, directory_offset: u64) -> Result<u64> {
    if directory_offset < SIZE_FIELD + FOOTER {
        return Ok(0);
    }
    let position = directory_offset - FOOTER;
    let footer = file.read_range(position, FOOTER as usize)?;
    if footer.get(SIZE_FIELD as usize..) != Some(MAGIC) {
        return Ok(0);
    }
    let size = Fields::new(&footer, position, Kind::SigningBlock).u64("the size")?;
    if size < FOOTER || size > directory_offset - SIZE_FIELD {
        return Err(Error::at(
            Kind::SigningBlock,
            position,
            format!("a signing block of {size} bytes does not fit before the central directory"),
        ));
    }
    if size > MAX_SECTION {
        return Err(Error::at(
            Kind::TooLarge,
            position,
            format!("the signing block may have at most {MAX_SECTION} bytes but has {size}"),
        ));
    }
    Ok(size + SIZE_FIELD)
}
