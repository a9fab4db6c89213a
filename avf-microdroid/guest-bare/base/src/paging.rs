//! Translation tables that map addresses to themselves (stage 1, 4 KiB granule, 39 bits).

use core::mem::MaybeUninit;

/// The size of a page.
pub const PAGE: u64 = 4096;

/// No address at or above it is mapped.
pub const END: u64 = 1 << 39;

const ENTRIES: usize = 512;
const VALID: u64 = 1;
/// At levels 1 and 2 another table, at level 3 a page.
const TABLE: u64 = 1 << 1;
const NORMAL: u64 = 1 << 2;
const READ_ONLY: u64 = 1 << 7;
const INNER_SHAREABLE: u64 = 3 << 8;
const ACCESSED: u64 = 1 << 10;
const NOT_GLOBAL: u64 = 1 << 11;
const NEVER_PRIVILEGED: u64 = 1 << 53;
const NEVER: u64 = 1 << 54;
const ADDRESS: u64 = (1 << 48) - PAGE;

/// What memory may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Registers.
    Device,
    /// What is executed and read.
    Code,
    /// What is read.
    Constants,
    /// What is read and written.
    Data,
}

impl Kind {
    fn bits(self) -> u64 {
        let common = VALID | ACCESSED | NOT_GLOBAL | NEVER;
        let normal = NORMAL | INNER_SHAREABLE;
        match self {
            Self::Device => common | NEVER_PRIVILEGED,
            Self::Code => common | normal | READ_ONLY,
            Self::Constants => common | normal | READ_ONLY | NEVER_PRIVILEGED,
            Self::Data => common | normal | NEVER_PRIVILEGED,
        }
    }
}

/// Why a range is not mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PagingError {
    /// Its ends are not those of pages, or it is not below [`END`].
    Range,
    /// Part of it is mapped already.
    Overlap,
    /// There are no more tables.
    TablesUsedUp,
}

/// A table.
#[repr(C, align(4096))]
pub struct Table([u64; ENTRIES]);

/// Builds tables in a fixed number of them, the first of which is the root. Those that it does not need stay untouched.
pub struct Tables<'a> {
    /// The first `used` of them are written.
    tables: &'a mut [MaybeUninit<Table>],
    used: usize,
}

impl<'a> Tables<'a> {
    /// Begins with a root that maps nothing.
    pub fn new(tables: &'a mut [MaybeUninit<Table>]) -> Result<Self, PagingError> {
        let mut tables = Self { tables, used: 0 };
        tables.take()?;
        Ok(tables)
    }

    /// Makes an empty table of the next one.
    fn take(&mut self) -> Result<usize, PagingError> {
        let index = self.used;
        self.tables.get_mut(index).ok_or(PagingError::TablesUsedUp)?.write(Table([0; ENTRIES]));
        self.used += 1;
        Ok(index)
    }

    fn table(&mut self, index: usize) -> &mut [u64; ENTRIES] {
        let written = &mut self.tables[..self.used];
        // SAFETY: `take` has written all of them.
        unsafe { &mut written[index].assume_init_mut().0 }
    }

    /// The address of the root.
    pub fn root(&self) -> u64 {
        self.address(0)
    }

    /// Maps from `start` up to `end`; an empty range maps nothing.
    pub fn map(&mut self, start: u64, end: u64, kind: Kind) -> Result<(), PagingError> {
        if start % PAGE != 0 || end % PAGE != 0 || end > END || start > end {
            return Err(PagingError::Range);
        }
        let mut at = start;
        while at < end {
            at += self.map_one(at, end - at, kind)?;
        }
        Ok(())
    }

    /// Maps the greatest block that begins at this address and is not longer than `most`; returns its size.
    fn map_one(&mut self, at: u64, most: u64, kind: Kind) -> Result<u64, PagingError> {
        let mut table = 0;
        for level in 1_u32..=3 {
            let shift = 39 - 9 * level;
            let size = 1_u64 << shift;
            let index = (at >> shift) as usize % ENTRIES;
            let entry = self.table(table)[index];
            let fits = at % size == 0 && most >= size;
            if fits && entry != 0 {
                return Err(PagingError::Overlap);
            }
            if fits {
                let page = if level == 3 { TABLE } else { 0 };
                self.table(table)[index] = at | kind.bits() | page;
                return Ok(size);
            }
            table = if entry == 0 {
                let next = self.take()?;
                self.table(table)[index] = self.address(next) | VALID | TABLE;
                next
            } else if entry & TABLE != 0 {
                ((entry & ADDRESS) - self.root()) as usize / size_of::<Table>()
            } else {
                return Err(PagingError::Overlap);
            };
        }
        // A range begins and ends with a page, which fits at level 3.
        Err(PagingError::Range)
    }

    fn address(&self, table: usize) -> u64 {
        self.tables.as_ptr() as u64 + (table * size_of::<Table>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables in memory that was used before.
    fn dirty(count: usize) -> Vec<MaybeUninit<Table>> {
        (0..count).map(|_| MaybeUninit::new(Table([!0; ENTRIES]))).collect()
    }

    /// What the processor would find: the entry that maps an address.
    fn walk(tables: &mut Tables<'_>, at: u64) -> Option<u64> {
        let mut table = 0;
        for level in 1..=3 {
            let entry = tables.table(table)[(at >> (39 - 9 * level)) as usize % ENTRIES];
            if entry & VALID == 0 {
                return None;
            }
            if level == 3 || entry & TABLE == 0 {
                return Some(entry);
            }
            table = ((entry & ADDRESS) - tables.root()) as usize / size_of::<Table>();
        }
        None
    }

    #[test]
    fn maps_every_address_to_itself_in_the_greatest_blocks() {
        let mut memory = dirty(8);
        let mut tables = Tables::new(&mut memory).unwrap();
        tables.map(0, 0x4000_0000, Kind::Device).unwrap();
        tables.map(0x8000_0000, 0x8020_3000, Kind::Data).unwrap();
        tables.map(0x8020_3000, 0x8020_4000, Kind::Code).unwrap();
        tables.map(0x8020_4000, 0x1_0000_0000, Kind::Data).unwrap();
        assert_eq!(walk(&mut tables, 0x3f8), Some(Kind::Device.bits()));
        assert_eq!(walk(&mut tables, 0x8000_1000), Some(0x8000_0000 | Kind::Data.bits()));
        assert_eq!(walk(&mut tables, 0x8020_3fff), Some(0x8020_3000 | Kind::Code.bits() | TABLE));
        assert_eq!(walk(&mut tables, 0x8020_4000), Some(0x8020_4000 | Kind::Data.bits() | TABLE));
        assert_eq!(walk(&mut tables, 0xffff_ffff), Some(0xc000_0000 | Kind::Data.bits()));
        assert_eq!(walk(&mut tables, 0x4000_0000), None);
        assert_eq!(walk(&mut tables, 0x1_0000_0000), None);
        assert_eq!(tables.used, 3);
    }

    #[test]
    fn needs_a_root() {
        assert_eq!(Tables::new(&mut []).err(), Some(PagingError::TablesUsedUp));
    }

    #[test]
    fn nothing_is_both_written_and_executed() {
        for kind in [Kind::Device, Kind::Code, Kind::Constants, Kind::Data] {
            assert!(kind.bits() & READ_ONLY != 0 || kind.bits() & NEVER_PRIVILEGED != 0, "{kind:?}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_map() {
        let mut memory = dirty(2);
        let mut tables = Tables::new(&mut memory).unwrap();
        assert_eq!(tables.map(0x800, 0x1000, Kind::Data), Err(PagingError::Range));
        assert_eq!(tables.map(0x2000, 0x1000, Kind::Data), Err(PagingError::Range));
        assert_eq!(tables.map(END, END + PAGE, Kind::Data), Err(PagingError::Range));
        assert_eq!(tables.map(0, 0x1000, Kind::Data), Err(PagingError::TablesUsedUp));
        tables.map(0x4000_0000, 0x8000_0000, Kind::Data).unwrap();
        assert_eq!(tables.map(0x4000_0000, 0x4000_1000, Kind::Data), Err(PagingError::Overlap));
        assert_eq!(tables.map(0x4000_0000, 0x8000_0000, Kind::Data), Err(PagingError::Overlap));
    }
}
