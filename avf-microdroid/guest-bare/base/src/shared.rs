//! Memory that the host sees.

use core::ptr::NonNull;

/// Memory that the host may read and write at any time.
///
/// There are never references into it: every access copies, and what was read once is not read again. Offsets are in
/// bytes from its start; one that leads out of it is a mistake of the program and panics.
#[derive(Debug)]
pub struct SharedMemory {
    start: NonNull<u8>,
    size: usize,
}

impl SharedMemory {
    /// The memory from `start` on.
    ///
    /// # Safety
    /// The memory is valid for reads and writes as long as the program runs, begins at a multiple of 8, and nothing but
    /// the result uses it.
    pub const unsafe fn new(start: NonNull<u8>, size: usize) -> Self {
        Self { start, size }
    }

    /// Where a device finds an offset.
    pub fn address(&self, offset: usize) -> u64 {
        self.start.as_ptr() as u64 + offset as u64
    }

    /// The number of bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Another view of a part of it; both see the same bytes.
    pub fn part(&self, offset: usize, size: usize) -> Self {
        self.require(offset, size, 8);
        // SAFETY: inside, and accesses of both views copy.
        Self { start: unsafe { self.start.add(offset) }, size }
    }

    /// A little-endian number.
    pub fn read_u16(&self, offset: usize) -> u16 {
        self.require(offset, 2, 2);
        // SAFETY: inside and aligned.
        u16::from_le(unsafe { self.start.add(offset).cast::<u16>().read_volatile() })
    }

    /// A little-endian number.
    pub fn read_u32(&self, offset: usize) -> u32 {
        self.require(offset, 4, 4);
        // SAFETY: inside and aligned.
        u32::from_le(unsafe { self.start.add(offset).cast::<u32>().read_volatile() })
    }

    /// Writes a little-endian number.
    pub fn write_u16(&self, offset: usize, value: u16) {
        self.require(offset, 2, 2);
        // SAFETY: inside and aligned.
        unsafe { self.start.add(offset).cast::<u16>().write_volatile(value.to_le()) }
    }

    /// Writes a little-endian number.
    pub fn write_u32(&self, offset: usize, value: u32) {
        self.require(offset, 4, 4);
        // SAFETY: inside and aligned.
        unsafe { self.start.add(offset).cast::<u32>().write_volatile(value.to_le()) }
    }

    /// Writes a little-endian number.
    pub fn write_u64(&self, offset: usize, value: u64) {
        self.require(offset, 8, 8);
        // SAFETY: inside and aligned.
        unsafe { self.start.add(offset).cast::<u64>().write_volatile(value.to_le()) }
    }

    /// Copies bytes out of it.
    pub fn read(&self, offset: usize, target: &mut [u8]) {
        self.require(offset, target.len(), 1);
        for (index, byte) in target.iter_mut().enumerate() {
            // SAFETY: inside. Volatile, or a compiler might read it from here again instead of from the copy.
            *byte = unsafe { self.start.add(offset + index).read_volatile() };
        }
    }

    /// Copies bytes into it.
    pub fn write(&self, offset: usize, bytes: &[u8]) {
        self.require(offset, bytes.len(), 1);
        for (index, byte) in bytes.iter().enumerate() {
            // SAFETY: inside.
            unsafe { self.start.add(offset + index).write_volatile(*byte) }
        }
    }

    fn require(&self, offset: usize, size: usize, alignment: usize) {
        let inside = offset.checked_add(size).is_some_and(|end| end <= self.size);
        assert!(inside && offset % alignment == 0, "{size} bytes at {offset} of {}", self.size);
    }
}
