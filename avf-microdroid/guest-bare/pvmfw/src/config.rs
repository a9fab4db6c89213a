//! The configuration data that a loader puts behind the firmware: a header and up to five blobs, little-endian.

use crate::{PvmfwError, Result};

/// The bytes `pvmf`.
const MAGIC: u32 = 0x666d_7670;
const FIXED: usize = 16;
const ENTRY: usize = 8;
const MAJOR: u16 = 1;

/// The number of entries of version 1.`minor`; an unknown one has those of 1.3.
fn entries(minor: u16) -> usize {
    match minor {
        0 => 2,
        1 => 3,
        2 => 4,
        _ => 5,
    }
}

/// The DICE handover in configuration data that begin with the first byte of the region; the region may go on after
/// them. All entries are checked.
pub fn dice_handover(region: &[u8]) -> Result<&[u8]> {
    let word = |at: usize| {
        let bytes = region.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_le_bytes).ok_or(PvmfwError::ConfigBufferTooSmall)
    };
    if region.len() < FIXED {
        return Err(PvmfwError::ConfigBufferTooSmall);
    }
    if word(0)? != MAGIC {
        return Err(PvmfwError::ConfigInvalidMagic);
    }
    let version = word(4)?;
    if (version >> 16) as u16 != MAJOR {
        return Err(PvmfwError::ConfigUnsupportedVersion);
    }
    let table = FIXED + ENTRY * entries(version as u16);
    if region.len() < table {
        return Err(PvmfwError::ConfigBufferTooSmall);
    }
    let total = word(8)? as usize;
    if total < FIXED || total > region.len() {
        return Err(PvmfwError::ConfigInvalidSize);
    }
    let mut handover = None;
    let mut previous_end = table;
    for at in (FIXED..table).step_by(ENTRY) {
        let (start, size) = (word(at)? as usize, word(at + 4)? as usize);
        if size == 0 {
            continue;
        }
        let end = start.checked_add(size).filter(|end| start >= table && *end <= total);
        let end = end.ok_or(PvmfwError::ConfigEntryOutOfBounds)?;
        if start < previous_end {
            return Err(PvmfwError::ConfigEntryOutOfOrder);
        }
        previous_end = end;
        if at == FIXED {
            handover = region.get(start..end);
        }
    }
    handover.ok_or(PvmfwError::ConfigMissingEntry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(minor: u32, total: u32, entries: &[[u32; 2]], size: usize) -> Vec<u8> {
        let words = [MAGIC, 1 << 16 | minor, total, 0].into_iter().chain(entries.iter().copied().flatten());
        let mut bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        for at in bytes.len()..size {
            bytes.push(at as u8);
        }
        bytes
    }

    #[test]
    fn finds_the_handover_in_every_version() {
        for (minor, entries) in [(0, 2), (1, 3), (2, 4), (3, 5), (9, 5)] {
            let table = 16 + 8 * entries as u32;
            let mut all = vec![[0; 2]; entries];
            all[0] = [table, 3];
            all[entries - 1] = [table + 8, 4];
            let region = region(minor, table + 12, &all, 200);
            assert_eq!(dice_handover(&region).unwrap(), [table as u8, table as u8 + 1, table as u8 + 2]);
        }
    }

    #[test]
    fn refuses_by_the_rules_of_the_reference() {
        use PvmfwError as E;
        let good = [[32, 8], [40, 8]];
        for (bytes, error) in [
            (vec![0; 15], E::ConfigBufferTooSmall),
            (vec![0; 64], E::ConfigInvalidMagic),
            (region(0, 48, &good, 48)[..31].to_vec(), E::ConfigBufferTooSmall),
            (region(0, 15, &good, 48), E::ConfigInvalidSize),
            (region(0, 49, &good, 48), E::ConfigInvalidSize),
            (region(1 << 16, 48, &good, 48), E::ConfigUnsupportedVersion),
            (region(0, 48, &[[31, 8], [40, 8]], 48), E::ConfigEntryOutOfBounds),
            (region(0, 48, &[[32, 17], [0, 0]], 48), E::ConfigEntryOutOfBounds),
            (region(0, 48, &[[32, u32::MAX], [0, 0]], 48), E::ConfigEntryOutOfBounds),
            (region(0, 48, &[[u32::MAX, 8], [0, 0]], 48), E::ConfigEntryOutOfBounds),
            (region(0, 48, &[[32, 9], [40, 8]], 48), E::ConfigEntryOutOfOrder),
            (region(0, 48, &[[40, 8], [32, 8]], 48), E::ConfigEntryOutOfOrder),
            (region(0, 48, &[[0, 0], [40, 8]], 48), E::ConfigMissingEntry),
        ] {
            assert_eq!(dice_handover(&bytes), Err(error));
        }
        assert!(dice_handover(&region(0, 48, &good, 48)).is_ok());
    }
}
