//! A strict reader of the cpio "newc" format, the one of Linux initial RAM disks.
//!
//! An entry is a header of 110 ASCII characters (the magic `070701` and 13 hexadecimal fields of 8), the name with its
//! NUL, zeros up to a multiple of 4, the content, and zeros up to a multiple of 4. An entry named `TRAILER!!!` ends the
//! archive. Only regular files are read here. Nothing is allocated by what a header claims: contents are copied in
//! pieces, and no size may exceed what is left of the disk.

use std::fmt;
use std::io::{self, Read, Write};

const MAGIC: &[u8] = b"070701";
const FIELD_CHARS: usize = 8;
const HEADER_BYTES: usize = 110;
const ALIGNMENT: u64 = 4;
const TRAILER: &str = "TRAILER!!!";

/// Longest name, its NUL included.
const MAX_NAME_BYTES: usize = 256;

const COPY_BYTES: u64 = 128 << 10;

const FILE_TYPE: u32 = 0o170_000;
const REGULAR_FILE: u32 = 0o100_000;

#[derive(Debug)]
pub enum Error {
    /// The archive breaks the format; the words say where.
    Malformed(String),
    Read(io::Error),
    Write(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => f.write_str(what),
            Self::Read(error) => write!(f, "cannot read: {error}"),
            Self::Write(error) => write!(f, "cannot write: {error}"),
        }
    }
}

type Result<T> = std::result::Result<T, Error>;

fn malformed<T>(what: impl Into<String>) -> Result<T> {
    Err(Error::Malformed(what.into()))
}

/// A regular file in an archive.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub size: u64,
}

/// An archive being read from its start; after an error it is not to be used any more.
pub struct Archive<R> {
    input: R,
    /// Bytes read so far.
    position: u64,
    /// Bytes that the disk has.
    end: u64,
    /// Bytes of the current entry's content that were not copied yet.
    content: u64,
}

impl<R: Read> Archive<R> {
    pub fn new(input: R, size: u64) -> Self {
        Self { input, position: 0, end: size, content: 0 }
    }

    /// The next file, or none when the trailer was read. The content of the one before must have been copied.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        assert_eq!(self.content, 0, "the content of the entry before was not copied");
        let start = self.position;
        let mut header = [0; HEADER_BYTES];
        self.fill(&mut header)?;
        if &header[..MAGIC.len()] != MAGIC {
            return malformed(format!("no newc header at byte {start}"));
        }
        let field = |index: usize| {
            let at = MAGIC.len() + index * FIELD_CHARS;
            hexadecimal(&header[at..at + FIELD_CHARS]).ok_or_else(|| {
                Error::Malformed(format!("field {index} of the header at byte {start} is not hexadecimal"))
            })
        };
        for index in 0..13 {
            field(index)?;
        }
        let (mode, size, name_bytes) = (field(1)?, u64::from(field(6)?), field(11)? as usize);
        let name = self.name(name_bytes, start)?;
        if name == TRAILER {
            return if size == 0 { Ok(None) } else { malformed("the trailer has content") };
        }
        if mode & FILE_TYPE != REGULAR_FILE {
            return malformed(format!("{name:?} must be a regular file but has mode {mode:o}"));
        }
        if size > self.end - self.position {
            return malformed(format!(
                "{name:?} must fit in the {} bytes that are left of the disk but has {size}",
                self.end - self.position
            ));
        }
        self.content = size;
        Ok(Some(Entry { name, size }))
    }

    /// Copies the content of the entry that was returned last.
    pub fn copy_content(&mut self, output: &mut impl Write) -> Result<()> {
        let mut piece = vec![0; self.content.min(COPY_BYTES) as usize];
        while self.content > 0 {
            let count = self.content.min(COPY_BYTES) as usize;
            self.fill(&mut piece[..count])?;
            output.write_all(&piece[..count]).map_err(Error::Write)?;
            self.content -= count as u64;
        }
        self.align()
    }

    fn name(&mut self, bytes: usize, start: u64) -> Result<String> {
        if !(2..=MAX_NAME_BYTES).contains(&bytes) {
            return malformed(format!("name at byte {start} must have 1 to {} bytes", MAX_NAME_BYTES - 1));
        }
        let mut name = vec![0; bytes];
        self.fill(&mut name)?;
        self.align()?;
        if name.pop() != Some(0) || name.contains(&0) {
            return malformed(format!("name at byte {start} must have one NUL, at its end"));
        }
        let name =
            String::from_utf8(name).map_err(|_| Error::Malformed(format!("name at byte {start} must be UTF-8")))?;
        if name.contains('/') {
            return malformed(format!("name must have no path separators but is {name:?}"));
        }
        Ok(name)
    }

    fn align(&mut self) -> Result<()> {
        let mut padding = [0; ALIGNMENT as usize];
        let count = (self.position.next_multiple_of(ALIGNMENT) - self.position) as usize;
        self.fill(&mut padding[..count])
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        if bytes.len() as u64 > self.end - self.position {
            return malformed("the archive has no trailer before the disk's end");
        }
        self.input.read_exact(bytes).map_err(Error::Read)?;
        self.position += bytes.len() as u64;
        Ok(())
    }
}

/// Eight hexadecimal digits and nothing else: `from_str_radix` alone would take a sign.
fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok()?;
    if text.bytes().all(|digit| digit.is_ascii_hexdigit()) { u32::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An entry as the format's description has it, every field open to mischief.
    pub(crate) fn entry(name: &str, mode: u32, content: &[u8]) -> Vec<u8> {
        let mut bytes = header(mode, content.len() as u32, name.len() as u32 + 1).into_bytes();
        bytes.extend(name.as_bytes());
        bytes.push(0);
        pad(&mut bytes);
        bytes.extend(content);
        pad(&mut bytes);
        bytes
    }

    pub(crate) fn file(name: &str, content: &[u8]) -> Vec<u8> {
        entry(name, 0o100_644, content)
    }

    pub(crate) fn trailer() -> Vec<u8> {
        entry(TRAILER, 0, b"")
    }

    fn header(mode: u32, size: u32, name_bytes: u32) -> String {
        format!("070701{:08X}{mode:08X}{:016X}{:08X}{:08X}{size:08X}{:032X}{name_bytes:08X}{:08X}", 1, 0, 1, 0, 0, 0)
    }

    fn pad(bytes: &mut Vec<u8>) {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }

    fn read_all(disk: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
        let mut archive = Archive::new(disk, disk.len() as u64);
        let mut files = Vec::new();
        while let Some(entry) = archive.next_entry()? {
            let mut content = Vec::new();
            archive.copy_content(&mut content)?;
            files.push((entry.name, content));
        }
        Ok(files)
    }

    fn rejected(disk: &[u8]) -> String {
        match read_all(disk) {
            Err(Error::Malformed(message)) => message,
            other => panic!("not rejected: {other:?}"),
        }
    }

    /// `printf hello > payload; printf 'a\0' > args; printf 'payload\nargs\n' | cpio -o -H newc -R 0:0 --reproducible`
    const BY_GNU_CPIO: &[u8] = include_bytes!("../tests/two-files.cpio");

    #[test]
    fn reads_an_archive_of_gnu_cpio() {
        let files = read_all(BY_GNU_CPIO).unwrap();
        assert_eq!(files, [("payload".into(), b"hello".to_vec()), ("args".into(), b"a\0".to_vec())]);
    }

    #[test]
    fn reads_files_of_every_alignment_and_an_empty_one() {
        for size in [0, 1, 2, 3, 4, 5, 1000] {
            let content = vec![7; size];
            let disk = [file("payload", &content), file("env", b"K=V\0"), trailer(), vec![0; 512]].concat();
            assert_eq!(read_all(&disk).unwrap(), [("payload".into(), content), ("env".into(), b"K=V\0".to_vec())]);
        }
    }

    #[test]
    fn copies_content_larger_than_one_piece() {
        let content: Vec<u8> = (0..COPY_BYTES as usize * 2 + 5).map(|i| i as u8).collect();
        let disk = [file("payload", &content), trailer()].concat();
        assert_eq!(read_all(&disk).unwrap()[0].1, content);
    }

    #[test]
    fn rejects_every_truncation() {
        let disk = [file("payload", b"hello"), trailer()].concat();
        for length in 0..disk.len() {
            rejected(&disk[..length]);
        }
    }

    #[test]
    fn rejects_a_disk_that_is_shorter_than_it_said() {
        let disk = [file("payload", b"hello"), trailer()].concat();
        let mut archive = Archive::new(&disk[..120], disk.len() as u64);
        archive.next_entry().unwrap();
        assert!(matches!(archive.copy_content(&mut Vec::new()), Err(Error::Read(_))));
    }

    #[test]
    fn rejects_an_empty_disk() {
        assert_eq!(rejected(&[0; 512]), "no newc header at byte 0");
    }

    #[test]
    fn rejects_a_missing_trailer() {
        let disk = [file("payload", b"hello"), vec![0; 512]].concat();
        assert_eq!(rejected(&disk), "no newc header at byte 128");
    }

    #[test]
    fn rejects_other_variants_of_the_format() {
        for magic in [b"070702", b"070707"] {
            let mut disk = [file("payload", b"x"), trailer()].concat();
            disk[..6].copy_from_slice(magic);
            rejected(&disk);
        }
    }

    #[test]
    fn rejects_fields_that_are_not_hexadecimal() {
        for index in 0..13 {
            let mut disk = [file("payload", b"x"), trailer()].concat();
            disk[6 + index * 8] = b'+';
            assert_eq!(rejected(&disk), format!("field {index} of the header at byte 0 is not hexadecimal"));
        }
    }

    #[test]
    fn rejects_a_size_beyond_the_disk() {
        let mut disk = header(0o100_644, u32::MAX, 8).into_bytes();
        disk.extend(b"payload\0");
        disk.resize(4096, 0);
        assert!(rejected(&disk).starts_with("\"payload\" must fit in the"));
    }

    #[test]
    fn rejects_names_without_or_beyond_bounds() {
        for name_bytes in [0, 1, 257, u32::MAX] {
            let mut disk = header(0o100_644, 0, name_bytes).into_bytes();
            disk.resize(4096, b'a');
            assert_eq!(rejected(&disk), "name at byte 0 must have 1 to 255 bytes");
        }
    }

    #[test]
    fn rejects_names_with_wrong_ends() {
        let mut unterminated = header(0o100_644, 0, 4).into_bytes();
        unterminated.resize(4096, b'a');
        assert_eq!(rejected(&unterminated), "name at byte 0 must have one NUL, at its end");
        rejected(&[file("a\0b", b""), trailer()].concat());
    }

    #[test]
    fn rejects_paths() {
        for name in ["../init", "/payload", "a/b", "/"] {
            assert!(rejected(&[file(name, b""), trailer()].concat()).contains("path separators"));
        }
    }

    #[test]
    fn rejects_what_is_not_a_regular_file() {
        for mode in [0o120_777, 0o040_755, 0o020_600, 0o060_600, 0] {
            assert!(rejected(&[entry("payload", mode, b""), trailer()].concat()).contains("regular file"));
        }
    }

    #[test]
    fn rejects_a_trailer_with_content() {
        assert_eq!(rejected(&entry(TRAILER, 0, b"more")), "the trailer has content");
    }
}
