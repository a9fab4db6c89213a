//! Reads the directory of a zip, and the contents that it lists.
//!
//! The zip was verified before, as a whole, so its bytes are those that its signer signed. The signer is not trusted
//! not to harm the guest: every number is checked before it is used, and what is not as it should be is an error.
//!
//! The end record is looked for from the end, as a block device is padded with zeros up to a multiple of its block.
//! No zip64, which APK signatures exclude; no encryption; stored and deflated contents only.

use std::fmt;
use std::io;
use std::ops::Range;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

use avf_formats::ReadAt;

const END_MAGIC: [u8; 4] = *b"PK\x05\x06";
const ENTRY_MAGIC: [u8; 4] = *b"PK\x01\x02";
const LOCAL_MAGIC: [u8; 4] = *b"PK\x03\x04";

const END_BYTES: usize = 22;
const ENTRY_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;

const MAX_COMMENT_BYTES: usize = 0xffff;
/// Zeros behind the end record: at most a block's rest.
const MAX_PADDING_BYTES: usize = 4096;
/// Room for 65,535 entries of 1 KiB each.
const MAX_DIRECTORY_BYTES: u64 = 64 << 20;

/// What a compressed entry may inflate to: it is held in memory as long as it is open.
pub const MAX_INFLATED_BYTES: u64 = 128 << 20;

/// "Version made by" of a host whose external attributes are Unix modes.
const UNIX: u8 = 3;
const ENCRYPTED: u16 = 1;

#[derive(Debug)]
pub enum Error {
    Read(io::Error),
    /// The zip breaks its format, or a limit; the words say where.
    Malformed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "cannot read: {error}"),
            Self::Malformed(what) => f.write_str(what),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

fn malformed<T>(what: impl Into<String>) -> Result<T, Error> {
    Err(Error::Malformed(what.into()))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Stored,
    Deflated,
}

/// A file or folder that the directory lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As written, any bytes; a folder's ends with a slash.
    pub name: Vec<u8>,
    /// Unix permission bits, where the zip has them.
    pub permissions: Option<u32>,
    pub method: Method,
    pub size: u64,
    compressed: u64,
    checksum: u32,
    header: u64,
}

/// A zip whose directory was read.
pub struct Zip<R> {
    source: R,
    /// Where the directory starts: contents end before it.
    directory: u64,
    pub entries: Vec<Entry>,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

impl<R: ReadAt> Zip<R> {
    /// Reads the directory of a zip of at most `size` bytes.
    pub fn open(source: R, size: u64) -> Result<Self, Error> {
        let (end, record) = find_end(&source, size)?;
        let (count, total) = (u16_at(&record, 8), u16_at(&record, 10));
        if u16_at(&record, 4) != 0 || u16_at(&record, 6) != 0 || count != total || count == u16::MAX {
            return malformed("the zip must be on one disk and have fewer than 65535 entries");
        }
        let (bytes, directory) = (u64::from(u32_at(&record, 12)), u64::from(u32_at(&record, 16)));
        if directory + bytes != end || bytes > MAX_DIRECTORY_BYTES {
            return malformed(format!(
                "the directory must end at byte {end} and have at most {MAX_DIRECTORY_BYTES} bytes but has {bytes} from byte {directory} on"
            ));
        }
        let mut content = vec![0; bytes as usize];
        source.read_exact_at(directory, &mut content)?;
        let entries = read_directory(&content, count, directory)?;
        Ok(Self { source, directory, entries })
    }

    /// Where the content of a stored entry is. Reads its local header.
    pub fn locate(&self, entry: &Entry) -> Result<u64, Error> {
        let mut header = [0; LOCAL_BYTES];
        if entry.header + LOCAL_BYTES as u64 > self.directory {
            return malformed(format!("local header at byte {} is not before the directory", entry.header));
        }
        self.source.read_exact_at(entry.header, &mut header)?;
        let name_bytes = usize::from(u16_at(&header, 26));
        let method = u16_at(&header, 8);
        if header[..4] != LOCAL_MAGIC || name_bytes != entry.name.len() || method != entry.method.number() {
            return malformed(format!("local header at byte {} does not agree with the directory", entry.header));
        }
        let start = entry.header + (LOCAL_BYTES + name_bytes + usize::from(u16_at(&header, 28))) as u64;
        if start.checked_add(entry.compressed).is_none_or(|end| end > self.directory) {
            return malformed(format!("content at byte {start} is not before the directory"));
        }
        let mut name = vec![0; name_bytes];
        self.source.read_exact_at(entry.header + LOCAL_BYTES as u64, &mut name)?;
        if name != entry.name {
            return malformed(format!("local header at byte {} has another name", entry.header));
        }
        Ok(start)
    }

    /// Reads bytes of a stored content that starts at `start`; the range must be one of the entry's.
    pub fn read_stored(&self, start: u64, range: Range<u64>, buffer: &mut [u8]) -> io::Result<()> {
        self.source.read_exact_at(start + range.start, buffer)
    }

    /// The whole content of a compressed entry; neither more nor less than the directory says, and with its checksum.
    pub fn inflate(&self, entry: &Entry) -> Result<Vec<u8>, Error> {
        if entry.size > MAX_INFLATED_BYTES {
            return malformed(format!(
                "a compressed entry must have at most {MAX_INFLATED_BYTES} bytes but has {}: store it uncompressed",
                entry.size
            ));
        }
        let mut position = self.locate(entry)?;
        let end = position + entry.compressed;
        let mut content = Vec::new();
        content.try_reserve_exact(entry.size as usize).map_err(|_| Error::Read(io::ErrorKind::OutOfMemory.into()))?;
        content.resize(entry.size as usize, 0);
        let mut piece = vec![0; 64 << 10];
        let (mut filled, mut kept) = (0, 0);
        let mut inflater = Box::<DecompressorOxide>::default();
        loop {
            let count = (piece.len() - kept).min((end - position).try_into().unwrap_or(usize::MAX));
            self.source.read_exact_at(position, &mut piece[kept..kept + count])?;
            position += count as u64;
            let more = if position < end { inflate_flags::TINFL_FLAG_HAS_MORE_INPUT } else { 0 };
            let flags = more | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
            let input = &piece[..kept + count];
            let (status, read, written) = decompress(&mut inflater, input, &mut content, filled, flags);
            filled += written;
            kept = input.len() - read;
            match status {
                TINFLStatus::Done if filled == content.len() && crc32fast::hash(&content) == entry.checksum => {
                    return Ok(content);
                }
                // Progress: either input was consumed or there is more of it to be read.
                TINFLStatus::NeedsMoreInput if more != 0 && kept < piece.len() => {
                    piece.copy_within(read..read + kept, 0);
                }
                _ => return malformed(format!("content at byte {} is not what the directory says", entry.header)),
            }
        }
    }
}

impl Method {
    fn number(self) -> u16 {
        match self {
            Self::Stored => 0,
            Self::Deflated => 8,
        }
    }
}

/// Finds the one end record behind which there are only its comment and zeros; returns its place and it.
fn find_end(source: &impl ReadAt, size: u64) -> Result<(u64, [u8; END_BYTES]), Error> {
    let tail = size.min((END_BYTES + MAX_COMMENT_BYTES + MAX_PADDING_BYTES) as u64);
    let start = size - tail;
    let mut bytes = vec![0; tail as usize];
    source.read_exact_at(start, &mut bytes)?;
    let used = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let mut found = None;
    for at in 0..bytes.len().saturating_sub(END_BYTES - 1) {
        if bytes[at..at + 4] != END_MAGIC {
            continue;
        }
        let end = at + END_BYTES + usize::from(u16_at(&bytes, at + 20));
        if end > bytes.len() || end < used {
            continue;
        }
        if found.replace(at).is_some() {
            return malformed("there are two end records");
        }
    }
    let Some(at) = found else { return malformed("there is no end record") };
    Ok((start + at as u64, bytes[at..at + END_BYTES].try_into().expect("22 bytes")))
}

fn read_directory(bytes: &[u8], count: u16, start: u64) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::with_capacity(usize::from(count));
    let mut rest = bytes;
    for index in 0..count {
        let Some((fixed, behind)) = rest.split_at_checked(ENTRY_BYTES) else {
            return malformed(format!("the directory ends in entry {index}"));
        };
        let (name_bytes, more) = (u16_at(fixed, 28), u32::from(u16_at(fixed, 30)) + u32::from(u16_at(fixed, 32)));
        if fixed[..4] != ENTRY_MAGIC {
            return malformed(format!("entry {index} has no directory header"));
        }
        let (Some(name), Some(behind)) =
            (behind.get(..usize::from(name_bytes)), behind.get(usize::from(name_bytes) + more as usize..))
        else {
            return malformed(format!("the directory ends in entry {index}"));
        };
        entries.push(entry(index, fixed, name, start)?);
        rest = behind;
    }
    if rest.is_empty() { Ok(entries) } else { malformed("the directory is longer than its entries") }
}

fn entry(index: u16, fixed: &[u8], name: &[u8], directory: u64) -> Result<Entry, Error> {
    let method = match u16_at(fixed, 10) {
        0 => Method::Stored,
        8 => Method::Deflated,
        other => return malformed(format!("entry {index} must be stored or deflated but has method {other}")),
    };
    let (compressed, size) = (u64::from(u32_at(fixed, 20)), u64::from(u32_at(fixed, 24)));
    let header = u64::from(u32_at(fixed, 42));
    if u16_at(fixed, 8) & ENCRYPTED != 0 {
        return malformed(format!("entry {index} is encrypted"));
    }
    if header + LOCAL_BYTES as u64 + compressed > directory || (method == Method::Stored && compressed != size) {
        return malformed(format!(
            "entry {index} has a content of {compressed} bytes at byte {header}, which cannot be"
        ));
    }
    let mode = u32_at(fixed, 38) >> 16;
    let permissions = (fixed[5] == UNIX && mode != 0).then_some(mode & 0o777);
    Ok(Entry { name: name.to_vec(), permissions, method, size, compressed, checksum: u32_at(fixed, 16), header })
}
