//! The central directory.

use std::cmp::Ordering;

use crate::fields::Fields;
use crate::{Error, Kind, Result};

const SIGNATURE: u32 = 0x0201_4b50;
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
const HAS_DESCRIPTOR: u16 = 1 << 3;
const UNIX: u16 = 3;
const TYPE_MASK: u16 = 0o170_000;
const REGULAR: u16 = 0o100_000;
const FOLDER: u16 = 0o040_000;
const MAX_NAME: usize = 4095;

/// How the content of an entry stands in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// As it is, so that it can be read or mapped in place.
    Stored,
    /// Compressed by deflate.
    Deflated,
}

impl Method {
    pub(crate) fn number(self) -> u16 {
        match self {
            Method::Stored => 0,
            Method::Deflated => 8,
        }
    }
}

/// A file or folder of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, of 1..4095 bytes; a folder's ends in a slash.
    pub name: String,
    /// How the content is packed.
    pub method: Method,
    /// The CRC-32 of the content.
    pub crc: u32,
    /// Bytes in the archive.
    pub compressed_size: u64,
    /// Bytes of the content.
    pub size: u64,
    /// Where the content starts in the file.
    pub data_offset: u64,
    /// Type and permissions, if the entry was made on Unix.
    pub unix_mode: Option<u16>,
    pub(super) flags: u16,
    pub(super) header_offset: u64,
    /// Where the record in the central directory starts.
    pub(super) position: u64,
}

impl Entry {
    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }

    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & HAS_DESCRIPTOR != 0
    }

    fn bare(&self) -> &[u8] {
        self.name.strip_suffix('/').unwrap_or(&self.name).as_bytes()
    }
}

/// Parses the records; `count` is what the end record says.
pub(super) fn parse(directory: &[u8], position: u64, count: usize) -> Result<Vec<Entry>> {
    let mut fields = Fields::new(directory, position, Kind::CentralDirectory);
    let mut entries = Vec::new();
    while fields.has_more() {
        if entries.len() == count {
            return Err(fields.fail(format!("the end record counts {count} entries but there is more after them")));
        }
        entries.push(record(&mut fields)?);
    }
    if entries.len() != count {
        return Err(fields.fail(format!("the end record counts {count} entries but there are {}", entries.len())));
    }
    Ok(entries)
}

fn record(fields: &mut Fields<'_>) -> Result<Entry> {
    let position = fields.position();
    if fields.u32("a record's signature")? != SIGNATURE {
        return Err(Error::at(Kind::CentralDirectory, position, "a record does not start with its signature"));
    }
    let made_by = fields.u16("the maker")?;
    fields.u16("the version")?;
    let flags = fields.u16("the flags")?;
    let method = fields.u16("the method")?;
    fields.u32("the time")?;
    let crc = fields.u32("the checksum")?;
    let compressed = fields.u32("the compressed size")?;
    let size = fields.u32("the size")?;
    let name_length = fields.u16("the length of the name")?;
    let extra_length = fields.u16("the length of the extra field")?;
    let comment_length = fields.u16("the length of the comment")?;
    let disk = fields.u16("the disk")?;
    fields.u16("the internal attributes")?;
    let attributes = fields.u32("the external attributes")?;
    let offset = fields.u32("the local header's offset")?;
    let raw_name = fields.take(name_length.into(), "the name")?;
    fields.take(extra_length.into(), "the extra field")?;
    fields.take(comment_length.into(), "the comment")?;
    if compressed == u32::MAX || size == u32::MAX || offset == u32::MAX || disk == 0xffff {
        return Err(Error::at(Kind::Zip64, position, "an entry refers to ZIP64"));
    }
    if disk != 0 {
        return Err(Error::at(Kind::CentralDirectory, position, "an entry stands on another disk"));
    }
    let name = checked_name(raw_name.bytes, position)?;
    let method = checked_method(&name, flags, method, position)?;
    if method == Method::Stored && compressed != size {
        return Err(Error::at(
            Kind::CentralDirectory,
            position,
            format!("{name} is stored, but as {compressed} bytes of {size}"),
        ));
    }
    let unix_mode = (made_by >> 8 == UNIX).then_some((attributes >> 16) as u16);
    check_mode(&name, unix_mode.unwrap_or(0), position)?;
    Ok(Entry {
        name,
        method,
        crc,
        compressed_size: compressed.into(),
        size: size.into(),
        data_offset: 0,
        unix_mode,
        flags,
        header_offset: offset.into(),
        position,
    })
}

fn checked_method(name: &str, flags: u16, method: u16, position: u64) -> Result<Method> {
    if flags & ENCRYPTED != 0 {
        return Err(Error::at(Kind::UnsupportedEntry, position, format!("{name} is encrypted")));
    }
    match method {
        0 => Ok(Method::Stored),
        8 => Ok(Method::Deflated),
        other => Err(Error::at(
            Kind::UnsupportedEntry,
            position,
            format!("{name} is compressed by method {other}; only stored and deflated are known"),
        )),
    }
}

fn check_mode(name: &str, mode: u16, position: u64) -> Result<()> {
    let kind = mode & TYPE_MASK;
    if kind != 0 && kind != if name.ends_with('/') { FOLDER } else { REGULAR } {
        return Err(Error::at(
            Kind::SpecialFile,
            position,
            format!("{name} has the file mode 0{mode:o}: only regular files and folders may be in an archive"),
        ));
    }
    Ok(())
}

fn checked_name(raw: &[u8], position: u64) -> Result<String> {
    let Ok(name) = std::str::from_utf8(raw) else {
        return Err(Error::at(Kind::UnsafeName, position, "a name is not UTF-8"));
    };
    match name_fault(name) {
        Some(fault) => Err(Error::at(Kind::UnsafeName, position, format!("the name {name:?} {fault}"))),
        None => Ok(name.to_owned()),
    }
}

fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Some("must have 1..4095 bytes");
    }
    if name.starts_with('/') {
        return Some("is absolute");
    }
    if name.contains(['\0', '\\']) {
        return Some("contains a NUL or a backslash");
    }
    let path = name.strip_suffix('/').unwrap_or(name);
    path.split('/').any(|part| matches!(part, "" | "." | "..")).then_some("has a part that is empty, \".\" or \"..\"")
}

/// Refuses names that stand there twice, also as file and folder; gives the entries in the order of [`compare`].
pub(super) fn check_names(entries: &[Entry]) -> Result<Vec<usize>> {
    let mut sorted: Vec<(usize, &Entry)> = entries.iter().enumerate().collect();
    sorted.sort_by(|(_, a), (_, b)| compare(a.name.as_bytes(), b.name.as_bytes()));
    for ((_, before), (_, entry)) in sorted.iter().zip(sorted.iter().skip(1)) {
        let same = before.bare() == entry.bare();
        let rest = entry.name.as_bytes().strip_prefix(before.bare());
        let inside = !before.is_folder() && rest.is_some_and(|rest| rest.first() == Some(&b'/'));
        if same || inside {
            let reason = if same {
                format!("{} stands there twice", entry.name)
            } else {
                format!("{} is a file and the folder of {}", before.name, entry.name)
            };
            return Err(Error::at(Kind::DuplicateEntry, entry.position, reason));
        }
    }
    Ok(sorted.iter().map(|(index, _)| *index).collect())
}

/// Orders names so that what is in a folder follows it directly.
pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let rank = |&byte: &u8| if byte == b'/' { 0 } else { byte };
    a.iter().map(rank).cmp(b.iter().map(rank))
}
