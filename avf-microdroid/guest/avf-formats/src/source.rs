//! What can be read at an offset: bytes, files, block devices, parts of them.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
#[cfg(feature = "std")]
use std::fs::File;
#[cfg(feature = "std")]
use std::io::{Seek, SeekFrom};
#[cfg(feature = "std")]
use std::os::unix::fs::FileExt;

use crate::io;

/// Bytes of a known number that can be read anywhere, again and again.
///
/// Nothing promises that two readings give the same: whoever judges bytes keeps them.
pub trait ReadAt {
    /// How many bytes there are.
    fn size(&self) -> u64;

    /// Fills `target` from `position` on; an error if the source ends before.
    fn read_exact_at(&self, position: u64, target: &mut [u8]) -> io::Result<()>;

    /// Reads `length` bytes into memory; the caller bounds them.
    fn read_range(&self, position: u64, length: usize) -> io::Result<Vec<u8>> {
        require_inside(self.size(), position, length)?;
        let mut bytes = vec![0; length];
        self.read_exact_at(position, &mut bytes)?;
        Ok(bytes)
    }
}

fn require_inside(size: u64, position: u64, length: usize) -> io::Result<()> {
    match position.checked_add(length as u64) {
        Some(end) if end <= size => Ok(()),
        _ => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("{length} bytes at {position} are not inside the {size} bytes that there are"),
        )),
    }
}

impl ReadAt for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_exact_at(&self, position: u64, target: &mut [u8]) -> io::Result<()> {
        require_inside(self.size(), position, target.len())?;
        let start = usize::try_from(position).unwrap_or(usize::MAX);
        match self.get(start..).and_then(|rest| rest.get(..target.len())) {
            Some(part) => target.copy_from_slice(part),
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        Ok(())
    }
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_exact_at(&self, position: u64, target: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_exact_at(position, target)
    }
}

/// A regular file or block device, whose size is taken once.
#[cfg(feature = "std")]
#[derive(Debug)]
pub struct FileSource {
    file: File,
    size: u64,
}

#[cfg(feature = "std")]
impl FileSource {
    /// Measures a file; a block device has no length but an end.
    pub fn new(mut file: File) -> io::Result<Self> {
        let size = file.seek(SeekFrom::End(0))?;
        Ok(FileSource { file, size })
    }
}

#[cfg(feature = "std")]
impl ReadAt for FileSource {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, position: u64, target: &mut [u8]) -> io::Result<()> {
        require_inside(self.size, position, target.len())?;
        self.file.read_exact_at(target, position)
    }
}

/// A part of another source.
pub struct Window<'a> {
    inner: &'a dyn ReadAt,
    start: u64,
    length: u64,
}

impl<'a> Window<'a> {
    /// The `length` bytes from `start` on; an error if they are not inside.
    pub fn new(inner: &'a dyn ReadAt, start: u64, length: u64) -> io::Result<Self> {
        match start.checked_add(length) {
            Some(end) if end <= inner.size() => Ok(Window { inner, start, length }),
            _ => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("{length} bytes at {start} are not inside the {} bytes that there are", inner.size()),
            )),
        }
    }
}

impl ReadAt for Window<'_> {
    fn size(&self) -> u64 {
        self.length
    }

    fn read_exact_at(&self, position: u64, target: &mut [u8]) -> io::Result<()> {
        require_inside(self.length, position, target.len())?;
        self.inner.read_exact_at(self.start.saturating_add(position), target)
    }
}

/// A source and, directly behind it, bytes in memory.
pub struct Joined<'a> {
    /// What comes first.
    pub head: &'a dyn ReadAt,
    /// What follows it.
    pub tail: &'a [u8],
}

impl ReadAt for Joined<'_> {
    fn size(&self) -> u64 {
        self.head.size().saturating_add(self.tail.len() as u64)
    }

    fn read_exact_at(&self, position: u64, target: &mut [u8]) -> io::Result<()> {
        require_inside(self.size(), position, target.len())?;
        let before = self.head.size().saturating_sub(position).min(target.len() as u64) as usize;
        let (first, second) = target.split_at_mut(before);
        if !first.is_empty() {
            self.head.read_exact_at(position, first)?;
        }
        self.tail.read_exact_at(position.saturating_sub(self.head.size()), second)
    }
}
