//! The blocks of an instance image.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use super::InstanceError;

/// The owner of Microdroid's record: cf9afe9a-0662-11ec-a329-c32663a09d75.
pub const MICRODROID: [u8; 16] =
    [0xcf, 0x9a, 0xfe, 0x9a, 0x06, 0x62, 0x11, 0xec, 0xa3, 0x29, 0xc3, 0x26, 0x63, 0xa0, 0x9d, 0x75];

/// The owner of pvmfw's record: 90d2174a-038a-4bc6-adf3-824848fc5825.
pub const PVMFW: [u8; 16] =
    [0x90, 0xd2, 0x17, 0x4a, 0x03, 0x8a, 0x4b, 0xc6, 0xad, 0xf3, 0x82, 0x48, 0x48, 0xfc, 0x58, 0x25];

pub(super) const BLOCK: usize = 512;
const BLOCK_SIZE: u64 = BLOCK as u64;
const MAGIC: &[u8] = b"Android-VM-instance";
const VERSION: u16 = 1;
const FREE: [u8; 16] = [0; 16];
const MAX_ENTRIES: usize = 1024;
const MAX_PAYLOAD: u64 = 1 << 20;

/// The medium of an instance image: a partition, a file, or memory.
pub trait Storage {
    fn size(&mut self) -> io::Result<u64>;

    /// Reads all bytes asked for or fails.
    fn read_at(&mut self, position: u64, target: &mut [u8]) -> io::Result<()>;

    /// Writes all bytes or fails; never past the end.
    fn write_at(&mut self, position: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written durable.
    fn flush(&mut self) -> io::Result<()>;
}

/// A file, or a block device, which the caller has opened.
impl Storage for File {
    fn size(&mut self) -> io::Result<u64> {
        // The metadata of a block device says 0.
        self.seek(SeekFrom::End(0))
    }

    fn read_at(&mut self, position: u64, target: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(target, position)
    }

    fn write_at(&mut self, position: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, position)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Memory, for tests and tools.
impl Storage for Vec<u8> {
    fn size(&mut self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&mut self, position: u64, target: &mut [u8]) -> io::Result<()> {
        target.copy_from_slice(part(self, position, target.len())?);
        Ok(())
    }

    fn write_at(&mut self, position: u64, bytes: &[u8]) -> io::Result<()> {
        part(self, position, bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn part(memory: &mut [u8], position: u64, size: usize) -> io::Result<&mut [u8]> {
    let start = usize::try_from(position).ok();
    let end = start.and_then(|start| start.checked_add(size));
    start.zip(end).and_then(|(start, end)| memory.get_mut(start..end)).ok_or(io::ErrorKind::UnexpectedEof.into())
}

/// Where an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub owner: [u8; 16],
    /// The header block, in bytes from the start of the image.
    pub position: u64,
    /// The bytes of the payload.
    pub size: u64,
}

impl Entry {
    fn payload_position(&self) -> u64 {
        self.position + BLOCK_SIZE
    }

    /// Sizes are checked against the medium before an entry is made, so that nothing here overflows.
    fn end(&self) -> u64 {
        self.payload_position() + self.size.next_multiple_of(BLOCK_SIZE)
    }
}

/// An instance image on a medium that holds nothing else.
///
/// A payload is written before the header that announces it, so that a boot that is killed in between leaves the image
/// as it was. A replaced payload that is cut off by a power failure is not readable any more and says so.
pub struct Image<S: Storage> {
    storage: S,
    size: u64,
}

impl<S: Storage> Image<S> {
    /// Opens an image.
    pub fn open(mut storage: S) -> Result<Self, InstanceError> {
        let size = storage.size()?;
        if size < BLOCK_SIZE {
            return Err(InstanceError::Missing);
        }
        let mut header = [0; BLOCK];
        storage.read_at(0, &mut header)?;
        if header.iter().all(|&byte| byte == 0) {
            return Err(InstanceError::Missing);
        }
        match header.strip_prefix(MAGIC) {
            Some([low, high, ..]) if u16::from_le_bytes([*low, *high]) == VERSION => Ok(Self { storage, size }),
            Some([low, high, ..]) => {
                let reason = format!("version must be {VERSION} but is {}", u16::from_le_bytes([*low, *high]));
                Err(InstanceError::invalid(MAGIC.len() as u64, reason))
            }
            _ => Err(InstanceError::invalid(0, "does not begin with \"Android-VM-instance\"")),
        }
    }

    /// The medium.
    pub fn into_storage(self) -> S {
        self.storage
    }

    /// The entries in order.
    pub fn entries(&mut self) -> Result<Vec<Entry>, InstanceError> {
        let mut entries = Vec::new();
        let mut position = BLOCK_SIZE;
        while let Some(entry) = self.entry_at(position)? {
            if entries.len() == MAX_ENTRIES {
                return Err(InstanceError::invalid(position, format!("more than {MAX_ENTRIES} records")));
            }
            position = entry.end();
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The first entry of an owner.
    pub fn find(&mut self, owner: [u8; 16]) -> Result<Option<Entry>, InstanceError> {
        Ok(self.entries()?.into_iter().find(|entry| entry.owner == owner))
    }

    /// The stored payload of an entry, at most 1 MiB.
    pub fn payload(&mut self, entry: &Entry) -> Result<Vec<u8>, InstanceError> {
        if entry.size > MAX_PAYLOAD {
            let reason = format!("a record of {} bytes is not read", entry.size);
            return Err(InstanceError::invalid(entry.position, reason));
        }
        let mut payload = vec![0; entry.size as usize];
        self.storage.read_at(entry.payload_position(), &mut payload)?;
        Ok(payload)
    }

    /// The header block of an entry as it is stored, which Microdroid authenticates.
    pub fn header(&mut self, entry: &Entry) -> Result<[u8; BLOCK], InstanceError> {
        let mut header = [0; BLOCK];
        self.storage.read_at(entry.position, &mut header)?;
        Ok(header)
    }

    /// Adds an entry behind the others: the payload first, then, once it is durable, the header.
    pub fn append(&mut self, owner: [u8; 16], payload: &[u8]) -> Result<Entry, InstanceError> {
        let size = payload.len() as u64;
        let position = self.entries()?.last().map_or(BLOCK_SIZE, Entry::end);
        let entry = Entry { owner, position, size };
        if size > MAX_PAYLOAD || entry.end() > self.size {
            return Err(InstanceError::Full { size });
        }
        self.write_payload(&entry, payload)?;
        // A free end may be followed by anything; the entry after the new one must read as free.
        if entry.end() + BLOCK_SIZE <= self.size {
            self.storage.write_at(entry.end(), &[0; BLOCK])?;
        }
        self.storage.flush()?;
        self.storage.write_at(position, &header_block(owner, size))?;
        self.storage.flush()?;
        Ok(entry)
    }

    /// Replaces a payload by one of the same size.
    pub fn replace(&mut self, entry: &Entry, payload: &[u8]) -> Result<(), InstanceError> {
        let given = payload.len() as u64;
        if given != entry.size {
            return Err(InstanceError::SizeChanged { stored: entry.size, given });
        }
        self.write_payload(entry, payload)?;
        Ok(self.storage.flush()?)
    }

    fn write_payload(&mut self, entry: &Entry, payload: &[u8]) -> Result<(), InstanceError> {
        let mut blocks = payload.to_vec();
        blocks.resize(payload.len().next_multiple_of(BLOCK), 0);
        Ok(self.storage.write_at(entry.payload_position(), &blocks)?)
    }

    fn entry_at(&mut self, position: u64) -> Result<Option<Entry>, InstanceError> {
        let Some(room) = self.size.checked_sub(position).and_then(|left| left.checked_sub(BLOCK_SIZE)) else {
            return Ok(None);
        };
        let mut header = [0; BLOCK];
        self.storage.read_at(position, &mut header)?;
        let (owner, rest) = header.split_at(FREE.len());
        let (size, _) = rest.split_at(8);
        let (Ok(owner), Ok(size)) = (owner.try_into(), size.try_into()) else {
            return Ok(None);
        };
        if owner == FREE {
            return Ok(None);
        }
        let size = u64::from_le_bytes(size);
        if size > room {
            let reason = format!("a record of {size} bytes exceeds the partition");
            return Err(InstanceError::invalid(position, reason));
        }
        Ok(Some(Entry { owner, position, size }))
    }
}

/// The header block of an entry: where a payload is sealed to it, before it is written.
pub(super) fn header_block(owner: [u8; 16], size: u64) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    header[..16].copy_from_slice(&owner);
    header[16..24].copy_from_slice(&size.to_le_bytes());
    header
}
