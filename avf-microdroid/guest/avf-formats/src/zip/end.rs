//! The end-of-central-directory record.

use crate::fields::Fields;
use crate::source::ReadAt;
use crate::{Error, Kind, Result};

/// Where the record has the offset of the central directory.
pub(crate) const OFFSET_FIELD: usize = 16;
const SIGNATURE: &[u8; 4] = b"PK\x05\x06";
const FIXED: usize = 22;
const COMMENT_FIELD: usize = 20;
const MAX_COMMENT: usize = 0xffff;
const PIECE: u64 = 1 << 16;

/// The record that closes an archive.
pub(crate) struct End {
    /// Where it starts in the file.
    pub position: u64,
    /// All of it, with its comment.
    pub record: Vec<u8>,
    pub entries: usize,
    pub directory_offset: u64,
    pub directory_size: u64,
}

impl End {
    pub fn end(&self) -> u64 {
        self.position + self.record.len() as u64
    }
}

/// Finds the one record that closes the file, but for zero bytes.
///
/// A second signature behind it, in its comment or after it, is refused, as another reader could take that one.
pub(crate) fn find(file: &dyn ReadAt) -> Result<End> {
    let last = last_non_zero(file)?;
    let from = (last + 1).saturating_sub((FIXED + MAX_COMMENT) as u64);
    // A comment may end in zeros, and so do the fields of a record without one.
    let to = file.size().min(last.saturating_add((1 + FIXED + MAX_COMMENT) as u64));
    let window = file.read_range(from, (to - from) as usize)?;
    let mut found = None;
    for (at, record) in window.windows(FIXED).enumerate() {
        if !record.starts_with(SIGNATURE) {
            continue;
        }
        if found.is_some() {
            return Err(Error::at(
                Kind::AmbiguousEnd,
                from + at as u64,
                "a second end record stands inside the first one",
            ));
        }
        let comment = match record.get(COMMENT_FIELD..) {
            Some(&[low, high]) => usize::from(u16::from_le_bytes([low, high])),
            _ => 0,
        };
        let end = from + (at + FIXED + comment) as u64;
        if end > last && end <= file.size() {
            found = window.get(at..at + FIXED + comment).map(|record| (at, record));
        }
    }
    match found {
        Some((at, record)) => parse(record, from + at as u64),
        None => Err(Error::at(Kind::NotAZip, last, "no end-of-central-directory record closes the file")),
    }
}

fn parse(record: &[u8], position: u64) -> Result<End> {
    let mut fields = Fields::new(record, position, Kind::ZipLayout);
    fields.u32("the signature")?;
    let disk = fields.u16("the disk")?;
    let directory_disk = fields.u16("the directory's disk")?;
    let here = fields.u16("the entries of this disk")?;
    let entries = fields.u16("the entries")?;
    let size = fields.u32("the directory's size")?;
    let offset = fields.u32("the directory's offset")?;
    if entries == 0xffff || here == 0xffff || size == u32::MAX || offset == u32::MAX {
        return Err(Error::at(
            Kind::Zip64,
            position,
            "the end record refers to ZIP64, which neither APK nor APEX can use",
        ));
    }
    if disk != 0 || directory_disk != 0 || here != entries {
        return Err(Error::at(Kind::ZipLayout, position, "the zip is split over several disks"));
    }
    if u64::from(offset) + u64::from(size) != position {
        return Err(Error::at(
            Kind::ZipLayout,
            position,
            format!("the central directory at {offset} with {size} bytes does not end where the end record starts"),
        ));
    }
    Ok(End {
        position,
        record: record.to_vec(),
        entries: usize::from(entries),
        directory_offset: u64::from(offset),
        directory_size: u64::from(size),
    })
}

fn last_non_zero(file: &dyn ReadAt) -> Result<u64> {
    let mut end = file.size();
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        let piece = file.read_range(start, (end - start) as usize)?;
        if let Some(at) = piece.iter().rposition(|&byte| byte != 0) {
            return Ok(start + at as u64);
        }
        end = start;
    }
    Err(Error::new(Kind::NotAZip, "the file has no bytes but zeros"))
}
