//! Reads the partition table (GPT) of the payload disk.
//!
//! The disk is one that the host composed as crosvm does. Of its oddities two matter to a reader: the protective MBR
//! counts one sector too many, and the secondary header says that its entries are at sector 2. So neither is read:
//! what counts is the primary header with its entries, and both have checksums. A disk whose primary table is broken
//! was composed wrongly, and there is nobody to repair it.
//!
//! Everything on the disk is untrusted. A partition outside of the disk or over another one, or two of one name, is an
//! error of the whole table.

use std::fmt;
use std::io;

use avf_formats::ReadAt;

const SECTOR: u64 = 512;
const HEADER_BYTES: usize = 92;
const ENTRY_BYTES: usize = 128;
const MAX_ENTRIES: usize = 128;
const NAME_UNITS: usize = 36;

/// A named range of the disk, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    pub name: String,
    pub offset: u64,
    pub length: u64,
}

#[derive(Debug)]
pub enum Error {
    Read(io::Error),
    /// The table breaks its format; the words say where.
    Malformed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "cannot read the partition table: {error}"),
            Self::Malformed(what) => write!(f, "partition table: {what}"),
        }
    }
}

impl std::error::Error for Error {}

fn malformed<T>(what: impl Into<String>) -> Result<T, Error> {
    Err(Error::Malformed(what.into()))
}

/// The partitions in the order of their entries.
#[derive(Debug)]
pub struct Table(Vec<Partition>);

impl Table {
    /// Reads and checks the table of a disk of `size` bytes.
    pub fn read(disk: &impl ReadAt, size: u64) -> Result<Self, Error> {
        let mut header = [0; HEADER_BYTES];
        disk.read_exact_at(SECTOR, &mut header).map_err(Error::Read)?;
        let (entries, checksum) = check_header(&header, size)?;
        let mut bytes = vec![0; entries * ENTRY_BYTES];
        disk.read_exact_at(2 * SECTOR, &mut bytes).map_err(Error::Read)?;
        if crc32fast::hash(&bytes) != checksum {
            return malformed("the entries' checksum is wrong");
        }
        let first_usable = (2 * SECTOR + bytes.len() as u64).div_ceil(SECTOR);
        let mut partitions = Vec::new();
        for (index, entry) in bytes.chunks_exact(ENTRY_BYTES).enumerate() {
            if entry[..16] != [0; 16] {
                partitions.push(partition(index, entry, first_usable, size / SECTOR)?);
            }
        }
        check_overlap(&partitions)?;
        Ok(Self(partitions))
    }

    #[cfg(test)]
    pub(crate) fn of(partitions: Vec<Partition>) -> Self {
        Self(partitions)
    }

    /// All partitions in the order of the table.
    pub fn partitions(&self) -> &[Partition] {
        &self.0
    }

    /// The partition of that name.
    pub fn find(&self, name: &str) -> Option<&Partition> {
        self.0.iter().find(|partition| partition.name == name)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}

/// Checks the primary header; returns the count of entries and their checksum.
fn check_header(header: &[u8; HEADER_BYTES], size: u64) -> Result<(usize, u32), Error> {
    if &header[..8] != b"EFI PART" {
        return malformed("there is no header at byte 512");
    }
    if u32_at(header, 8) != 0x0001_0000 || u32_at(header, 12) as usize != HEADER_BYTES {
        return malformed("the header must have revision 1.0 and 92 bytes");
    }
    let mut zeroed = *header;
    zeroed[16..20].fill(0);
    if crc32fast::hash(&zeroed) != u32_at(header, 16) {
        return malformed("the header's checksum is wrong");
    }
    if u64_at(header, 24) != 1 || u64_at(header, 72) != 2 {
        return malformed("the header must be in sector 1 and its entries in sector 2");
    }
    let (count, bytes) = (u32_at(header, 80) as usize, u32_at(header, 84) as usize);
    if !(1..=MAX_ENTRIES).contains(&count) || bytes != ENTRY_BYTES {
        return malformed(format!(
            "there must be 1 to {MAX_ENTRIES} entries of {ENTRY_BYTES} bytes but there are {count} of {bytes}"
        ));
    }
    if u64_at(header, 32) >= size / SECTOR {
        return malformed("the secondary header is outside of the disk");
    }
    Ok((count, u32_at(header, 88)))
}

fn partition(index: usize, entry: &[u8], first_usable: u64, sectors: u64) -> Result<Partition, Error> {
    let (first, last) = (u64_at(entry, 32), u64_at(entry, 40));
    if first < first_usable || last < first || last >= sectors {
        return malformed(format!(
            "partition {index} must be in sectors {first_usable} to {} but is in {first} to {last}",
            sectors.saturating_sub(1)
        ));
    }
    let units: Vec<u16> = entry[56..56 + 2 * NAME_UNITS]
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .take_while(|&unit| unit != 0)
        .collect();
    let name = String::from_utf16(&units)
        .map_err(|_| Error::Malformed(format!("the name of partition {index} is not UTF-16")))?;
    // In range: the last sector is one of the disk's, and its size is a u64 of bytes.
    Ok(Partition { name, offset: first * SECTOR, length: (last - first + 1) * SECTOR })
}

fn check_overlap(partitions: &[Partition]) -> Result<(), Error> {
    let mut sorted: Vec<&Partition> = partitions.iter().collect();
    sorted.sort_by_key(|partition| partition.offset);
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0].offset + pair[0].length > pair[1].offset) {
        return malformed(format!("partitions {:?} and {:?} overlap", pair[0].name, pair[1].name));
    }
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    match sorted.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => malformed(format!("two partitions have the name {:?}", pair[0].name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first 20480 bytes of a disk that crosvm composed, as avf-microdroid's tests have it.
    const HEADER: &[u8] = include_bytes!("../tests/data/composite-header.bin");

    fn disk() -> (Vec<u8>, u64) {
        // The secondary header is the disk's last sector.
        (HEADER.to_vec(), (u64_at(HEADER, 512 + 32) + 1) * SECTOR)
    }

    fn read(disk: &[u8], size: u64) -> Result<Table, String> {
        Table::read(&disk.to_vec(), size).map_err(|error| error.to_string())
    }

    /// The same with entries changed and both checksums right again.
    fn changed(change: impl Fn(&mut [u8])) -> Result<Table, String> {
        let (mut bytes, size) = disk();
        change(&mut bytes);
        let entries = crc32fast::hash(&bytes[1024..1024 + 128 * ENTRY_BYTES]);
        bytes[512 + 88..512 + 92].copy_from_slice(&entries.to_le_bytes());
        bytes[512 + 16..512 + 20].fill(0);
        let header = crc32fast::hash(&bytes[512..512 + HEADER_BYTES]);
        bytes[512 + 16..512 + 20].copy_from_slice(&header.to_le_bytes());
        read(&bytes, size)
    }

    #[test]
    fn finds_the_partitions_of_a_composed_disk_by_name() {
        let (bytes, size) = disk();
        let table = read(&bytes, size).unwrap();
        let first = &table.partitions()[0];
        assert_eq!(first.offset, 20480);
        assert_eq!(table.find(&first.name), Some(first));
        assert_eq!(table.find("absent"), None);
        let mut end = 20480;
        for partition in table.partitions() {
            assert_eq!((partition.offset, partition.length % 4096), (end, 0));
            end += partition.length;
        }
        assert_eq!(end + 3584 + 33 * SECTOR, size);
    }

    #[test]
    fn any_changed_byte_of_header_or_entries_is_noticed() {
        let (good, size) = disk();
        for at in (512..512 + HEADER_BYTES).chain((1024..1024 + 128 * ENTRY_BYTES).step_by(61)) {
            let mut bytes = good.clone();
            bytes[at] ^= 0x10;
            assert!(read(&bytes, size).is_err(), "byte {at}");
        }
    }

    #[test]
    fn rejects_partitions_outside_of_the_disk_or_over_another_even_with_right_checksums() {
        let put = |entry: usize, field: usize, value: u64| {
            move |bytes: &mut [u8]| {
                let at = 1024 + entry * ENTRY_BYTES + field;
                bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
            }
        };
        assert!(changed(|_| {}).is_ok());
        assert!(changed(put(0, 32, 0)).unwrap_err().contains("must be in sectors"));
        assert!(changed(put(0, 40, u64::MAX)).unwrap_err().contains("must be in sectors"));
        assert!(changed(put(0, 40, 1)).unwrap_err().contains("must be in sectors"));
        assert!(changed(put(1, 32, 40)).unwrap_err().contains("overlap"));
    }

    #[test]
    fn rejects_two_partitions_of_one_name_and_names_that_are_no_text() {
        let twice = changed(|bytes| bytes.copy_within(1024 + 56..1024 + 128, 1024 + ENTRY_BYTES + 56));
        assert!(twice.unwrap_err().contains("two partitions"));
        let lone = changed(|bytes| bytes[1024 + 56..1024 + 58].copy_from_slice(&0xd800u16.to_le_bytes()));
        assert!(lone.unwrap_err().contains("UTF-16"));
    }

    #[test]
    fn rejects_a_disk_that_is_cut() {
        let (bytes, _) = disk();
        assert!(read(&bytes[..600], 600).is_err());
        assert!(read(&bytes[..4096], 4096).is_err());
        assert!(read(&[], 0).is_err());
    }
}
