//! Unpacks the content of an entry.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::directory::{Entry, Method};
use crate::{Error, Kind, Result};

/// Turns the bytes in the archive into the content, which must be what the central directory says.
pub(super) fn unpack(entry: &Entry, raw: Vec<u8>) -> Result<Vec<u8>> {
    let content = match entry.method {
        Method::Stored => raw,
        Method::Deflated => inflate(entry, &raw)?,
    };
    let mut crc = Crc::new();
    crc.update(&content);
    if crc.sum() != entry.crc {
        return Err(wrong(entry, "has another checksum than the zip says"));
    }
    Ok(content)
}

fn inflate(entry: &Entry, raw: &[u8]) -> Result<Vec<u8>> {
    // One byte more than there should be, so that what is too long shows.
    let mut content = vec![0; entry.size as usize + 1];
    let mut inflater = Decompress::new(false);
    match inflater.decompress(raw, &mut content, FlushDecompress::Finish) {
        Ok(Status::StreamEnd) if inflater.total_out() < entry.size => Err(wrong(entry, "is shorter than the zip says")),
        Ok(Status::StreamEnd) if inflater.total_out() == entry.size => {
            content.truncate(entry.size as usize);
            Ok(content)
        }
        Ok(_) if inflater.total_out() > entry.size => Err(wrong(entry, "is longer than the zip says")),
        Ok(_) => Err(wrong(entry, "is cut off")),
        Err(_) => Err(wrong(entry, "cannot be inflated")),
    }
}

fn wrong(entry: &Entry, what: &str) -> Error {
    Error::at(Kind::EntryContent, entry.data_offset, format!("{} {what}", entry.name))
}
