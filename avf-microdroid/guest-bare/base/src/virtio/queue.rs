//! A split queue (virtio 1.2, 2.7) in which every descriptor has a buffer of its own for good.
//!
//! Rings and buffers are in memory that the host sees; what was given to the device is remembered apart from them. Of
//! what the host may write, only the used ring and the buffers themselves are ever read.

use core::sync::atomic::{Ordering, fence};

use super::VirtioError;
use crate::shared::SharedMemory;

/// The number of buffers of a queue.
pub const BUFFERS: usize = 8;

const DESCRIPTORS_AT: usize = 0;
const DESCRIPTOR: usize = 16;
const AVAILABLE_AT: usize = DESCRIPTORS_AT + DESCRIPTOR * BUFFERS;
const USED_AT: usize = (AVAILABLE_AT + 6 + 2 * BUFFERS).next_multiple_of(8);
const USED_ENTRY: usize = 8;
const RING: usize = 4;
const DEVICE_WRITES: u16 = 2;

/// Who writes to the buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The driver, for the device to read.
    ToDevice,
    /// The device.
    FromDevice,
}

/// A queue and its buffers.
#[derive(Debug)]
pub struct Queue {
    rings: SharedMemory,
    buffers: SharedMemory,
    direction: Direction,
    /// Which buffers the device has.
    given: [bool; BUFFERS],
    /// What the device may write to or read of a buffer that it has.
    lengths: [usize; BUFFERS],
    next_available: u16,
    next_used: u16,
}

impl Queue {
    /// The memory that rings take, in bytes.
    pub const RINGS: usize = USED_AT + 6 + USED_ENTRY * BUFFERS;

    /// A queue whose buffers are equal parts of this memory.
    pub fn new(rings: SharedMemory, buffers: SharedMemory, direction: Direction) -> Self {
        Self {
            rings,
            buffers,
            direction,
            given: [false; BUFFERS],
            lengths: [0; BUFFERS],
            next_available: 0,
            next_used: 0,
        }
    }

    /// The number of descriptors.
    pub fn size(&self) -> u16 {
        BUFFERS as u16
    }

    /// Where the device finds descriptors, available ring and used ring.
    pub fn addresses(&self) -> [u64; 3] {
        [DESCRIPTORS_AT, AVAILABLE_AT, USED_AT].map(|offset| self.rings.address(offset))
    }

    /// The length of a buffer, in bytes.
    pub fn buffer_size(&self) -> usize {
        self.buffers.size() / BUFFERS
    }

    /// Whether there is a buffer that the device does not have.
    pub fn has_free(&self) -> bool {
        self.given.contains(&false)
    }

    /// Gives the device every buffer to write to.
    pub fn give_all(&mut self) {
        for id in 0..BUFFERS {
            if !self.given[id] {
                self.give(id, self.buffer_size());
            }
        }
    }

    /// Gives the device these parts in a row to read; returns whether there was a free buffer. More than a buffer holds
    /// is a mistake of the program and panics.
    pub fn send(&mut self, parts: &[&[u8]]) -> bool {
        let Some(id) = self.given.iter().position(|given| !given) else { return false };
        let mut length = 0;
        for part in parts {
            assert!(length + part.len() <= self.buffer_size());
            self.buffers.write(id * self.buffer_size() + length, part);
            length += part.len();
        }
        self.give(id, length);
        true
    }

    /// Takes back the next buffer that the device has used; for one that it wrote to, its number and length.
    pub fn take_used(&mut self) -> Result<Option<(usize, usize)>, VirtioError> {
        let pending = self.rings.read_u16(USED_AT + 2).wrapping_sub(self.next_used);
        if pending == 0 {
            return Ok(None);
        }
        if usize::from(pending) > self.given.iter().filter(|given| **given).count() {
            return Err(VirtioError::UsedTooMany);
        }
        fence(Ordering::Acquire); // pairs with the device's release of used.idx
        let entry = USED_AT + RING + usize::from(self.next_used) % BUFFERS * USED_ENTRY;
        let (id, length) = (self.rings.read_u32(entry), self.rings.read_u32(entry + 4));
        let index = id as usize;
        if !self.given.get(index).is_some_and(|given| *given) {
            return Err(VirtioError::UsedNotGiven(id));
        }
        let most = if self.direction == Direction::FromDevice { self.lengths[index] } else { 0 };
        if length as usize > most {
            return Err(VirtioError::UsedTooLong(length));
        }
        self.given[index] = false;
        self.next_used = self.next_used.wrapping_add(1);
        Ok(Some((index, length as usize)))
    }

    /// Copies the start of a buffer that was taken back, and gives the buffer to the device again.
    pub fn read_and_give(&mut self, id: usize, target: &mut [u8]) {
        assert!(!self.given[id] && target.len() <= self.buffer_size());
        self.buffers.read(id * self.buffer_size(), target);
        self.give(id, self.buffer_size());
    }

    fn give(&mut self, id: usize, length: usize) {
        let descriptor = DESCRIPTORS_AT + id * DESCRIPTOR;
        let flags = if self.direction == Direction::FromDevice { DEVICE_WRITES } else { 0 };
        self.rings.write_u64(descriptor, self.buffers.address(id * self.buffer_size()));
        self.rings.write_u32(descriptor + 8, length as u32);
        self.rings.write_u16(descriptor + 12, flags);
        self.rings.write_u16(descriptor + 14, 0);
        self.rings.write_u16(AVAILABLE_AT + RING + usize::from(self.next_available) % BUFFERS * 2, id as u16);
        self.given[id] = true;
        self.lengths[id] = length;
        self.next_available = self.next_available.wrapping_add(1);
        fence(Ordering::Release); // pairs with the device's acquire of avail.idx
        self.rings.write_u16(AVAILABLE_AT + 2, self.next_available);
        fence(Ordering::SeqCst); // before the notification
    }
}
