//! The digests of an APK's content.

use super::algorithm::ContentDigest;
use crate::hash::{Hash, Hasher};
use crate::merkle;
use crate::source::{Joined, ReadAt, Window};
use crate::zip::{Archive, OFFSET_FIELD};
use crate::{Error, Kind, Result};

const CHUNK: u64 = 1 << 20;
const PIECE: u64 = 1 << 16;
const CHUNK_MARK: u8 = 0xa5;
const TOTAL_MARK: u8 = 0x5a;

/// Computes the digest; the bytes of `pin` are not read again, so that what was judged is what is hashed.
pub fn digest(archive: &Archive<'_>, kind: ContentDigest, pin: Option<(u64, &[u8])>) -> Result<Vec<u8>> {
    let end = end_for_digest(archive)?;
    let file = Pinned { file: archive.file, pin };
    let body = Window::new(&file, 0, archive.body_length)?;
    if kind == ContentDigest::VeritySha256 {
        return verity(&body, archive.directory_bytes(), &end);
    }
    let sections: [&dyn ReadAt; 3] = [&body, &archive.directory_bytes().to_vec(), &end];
    chunked(kind.hash(), &sections)
}

/// The end record as if there were no signing block.
fn end_for_digest(archive: &Archive<'_>) -> Result<Vec<u8>> {
    let mut record = archive.end.record.clone();
    let offset = (archive.body_length as u32).to_le_bytes();
    match record.get_mut(OFFSET_FIELD..OFFSET_FIELD + offset.len()) {
        Some(field) => field.copy_from_slice(&offset),
        None => return Err(Error::at(Kind::NotAZip, archive.end.position, "the end record is cut off")),
    }
    Ok(record)
}

fn chunked(hash: Hash, sections: &[&dyn ReadAt]) -> Result<Vec<u8>> {
    let count: u64 = sections.iter().map(|section| section.size().div_ceil(CHUNK)).sum();
    let mut total = hash.start();
    total.update(&[TOTAL_MARK]);
    total.update(&(count as u32).to_le_bytes());
    let mut buffer = vec![0; PIECE as usize];
    for section in sections {
        let mut start = 0;
        while start < section.size() {
            let end = section.size().min(start + CHUNK);
            let mut chunk = hash.start();
            chunk.update(&[CHUNK_MARK]);
            chunk.update(&((end - start) as u32).to_le_bytes());
            read(*section, start, end, &mut buffer, &mut chunk)?;
            total.update(&chunk.finish());
            start = end;
        }
    }
    Ok(total.finish().to_vec())
}

fn read(section: &dyn ReadAt, mut at: u64, end: u64, buffer: &mut [u8], hasher: &mut Hasher) -> Result<()> {
    while at < end {
        let length = (end - at).min(PIECE) as usize;
        let piece = buffer.get_mut(..length).unwrap_or_default();
        section.read_exact_at(at, piece)?;
        hasher.update(piece);
        at += length as u64;
    }
    Ok(())
}

/// The digest of the verity algorithms: the root of a tree over the APK without its signing block, and the number of
/// those bytes.
fn verity(body: &dyn ReadAt, directory: &[u8], end: &[u8]) -> Result<Vec<u8>> {
    let tail = [directory, end].concat();
    let signed = Joined { head: body, tail: &tail };
    // Eight zero bytes of salt, which, unlike fs-verity's, are not filled up to a block.
    let parameters = merkle::Parameters::dm_verity(Hash::Sha256, 4096, 4096, &[0; 8])?;
    let mut digest = merkle::root(&signed, &parameters)?.to_vec();
    digest.extend_from_slice(&signed.size().to_le_bytes());
    Ok(digest)
}

/// A file of which one part was read already.
struct Pinned<'a> {
    file: &'a dyn ReadAt,
    pin: Option<(u64, &'a [u8])>,
}

impl ReadAt for Pinned<'_> {
    fn size(&self) -> u64 {
        self.file.size()
    }

    fn read_exact_at(&self, position: u64, target: &mut [u8]) -> std::io::Result<()> {
        self.file.read_exact_at(position, target)?;
        let Some((start, bytes)) = self.pin else { return Ok(()) };
        let from = position.max(start);
        let to = (position + target.len() as u64).min(start + bytes.len() as u64);
        if from < to {
            let known = bytes.get((from - start) as usize..(to - start) as usize);
            let over = target.get_mut((from - position) as usize..(to - position) as usize);
            if let (Some(known), Some(over)) = (known, over) {
                over.copy_from_slice(known);
            }
        }
        Ok(())
    }
}
