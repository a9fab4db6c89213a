//! Holds the local headers against the central directory.

use super::directory::Entry;
use crate::fields::Fields;
use crate::source::ReadAt;
use crate::{Error, Kind, Result};

const SIGNATURE: u32 = 0x0403_4b50;
const DESCRIPTOR_SIGNATURE: u32 = 0x0807_4b50;
const FIXED: u64 = 30;
const DESCRIPTOR: u64 = 12;

/// Finds where the contents start; refuses headers that say something else, and entries that overlap.
pub(super) fn place(file: &dyn ReadAt, mut entries: Vec<Entry>, body_length: u64) -> Result<Vec<Entry>> {
    let mut sorted: Vec<&mut Entry> = entries.iter_mut().collect();
    sorted.sort_by_key(|entry| entry.header_offset);
    let mut end = 0;
    for entry in sorted {
        if entry.header_offset < end {
            return Err(Error::at(
                Kind::OverlappingEntries,
                entry.position,
                format!(
                    "{} starts at {}, inside the entry before it, which ends at {end}",
                    entry.name, entry.header_offset
                ),
            ));
        }
        entry.data_offset = data_offset(file, entry, body_length)?;
        end = entry_end(file, entry, body_length)?;
    }
    Ok(entries)
}

fn data_offset(file: &dyn ReadAt, entry: &Entry, body_length: u64) -> Result<u64> {
    let start = entry.header_offset;
    let length = FIXED + entry.name.len() as u64;
    require_body(entry, start, length, body_length)?;
    let header = file.read_range(start, length as usize)?;
    let mut fields = Fields::new(&header, start, Kind::LocalHeader);
    if fields.u32("the signature")? != SIGNATURE {
        return Err(wrong(entry, "does not start with its signature"));
    }
    fields.u16("the version")?;
    let flags = fields.u16("the flags")?;
    let method = fields.u16("the method")?;
    fields.u32("the time")?;
    let crc = fields.u32("the checksum")?;
    let compressed = fields.u32("the compressed size")?;
    let size = fields.u32("the size")?;
    let name_length = fields.u16("the length of the name")?;
    let extra_length = fields.u16("the length of the extra field")?;
    let later = flags & 1 << 3 != 0;
    if later != entry.has_descriptor() || method != entry.method.number() {
        return Err(wrong(entry, "has other flags or another method than the central directory"));
    }
    let open = later && crc == 0 && compressed == 0 && size == 0;
    if !open && !says(entry, crc, compressed, size) {
        return Err(wrong(entry, "has another size or checksum than the central directory"));
    }
    if u64::from(name_length) != entry.name.len() as u64
        || fields.take(name_length.into(), "the name")?.bytes != entry.name.as_bytes()
    {
        return Err(wrong(entry, "has another name than the central directory"));
    }
    let data = start + length + u64::from(extra_length);
    require_body(entry, data, entry.compressed_size, body_length)?;
    Ok(data)
}

/// Where the entry ends, with the descriptor that may follow it.
fn entry_end(file: &dyn ReadAt, entry: &Entry, body_length: u64) -> Result<u64> {
    let end = entry.data_offset + entry.compressed_size;
    if !entry.has_descriptor() {
        return Ok(end);
    }
    require_body(entry, end, DESCRIPTOR, body_length)?;
    let length = (DESCRIPTOR + 4).min(body_length - end);
    let bytes = file.read_range(end, length as usize)?;
    // The signature is optional, and nothing keeps a checksum from looking like it.
    if describes(entry, &bytes, end)? {
        return Ok(end + DESCRIPTOR);
    }
    if let Some((signature, rest)) = bytes.split_first_chunk::<4>() {
        let signed = u32::from_le_bytes(*signature) == DESCRIPTOR_SIGNATURE && length == DESCRIPTOR + 4;
        if signed && describes(entry, rest, end)? {
            return Ok(end + length);
        }
    }
    Err(Error::at(
        Kind::LocalHeader,
        end,
        format!("the descriptor after {} has another size or checksum than the central directory", entry.name),
    ))
}

fn describes(entry: &Entry, bytes: &[u8], position: u64) -> Result<bool> {
    let mut fields = Fields::new(bytes, position, Kind::LocalHeader);
    let crc = fields.u32("the checksum")?;
    let compressed = fields.u32("the compressed size")?;
    let size = fields.u32("the size")?;
    Ok(says(entry, crc, compressed, size))
}

fn says(entry: &Entry, crc: u32, compressed: u32, size: u32) -> bool {
    crc == entry.crc && u64::from(compressed) == entry.compressed_size && u64::from(size) == entry.size
}

fn require_body(entry: &Entry, position: u64, length: u64, body_length: u64) -> Result<()> {
    if position > body_length || length > body_length - position {
        return Err(Error::at(
            Kind::OverlappingEntries,
            entry.position,
            format!("{} reaches beyond the end of the entries at {body_length}", entry.name),
        ));
    }
    Ok(())
}

fn wrong(entry: &Entry, what: &str) -> Error {
    Error::at(Kind::LocalHeader, entry.header_offset, format!("the local header of {} {what}", entry.name))
}
