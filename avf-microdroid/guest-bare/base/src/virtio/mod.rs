//! Virtio 1.2 over memory-mapped registers, with split queues whose buffers the host sees.

mod device;
mod queue;

use core::fmt;

pub use device::Device;
pub use queue::{BUFFERS, Direction, Queue};

/// The registers of a device: 32-bit accesses at an offset.
pub trait Registers {
    /// Reads one.
    fn read(&self, offset: u32) -> u32;

    /// Writes one.
    fn write(&self, offset: u32, value: u32);
}

/// Why a device cannot be used, or not any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VirtioError {
    /// There are no registers of virtio, version 2.
    NotVirtio,
    /// It does not offer what every device of virtio 1 offers.
    NotModern,
    /// It refused the features.
    FeaturesRefused,
    /// A queue of it is too short, or in use.
    QueueUnusable(u32),
    /// It claims to have used more buffers than it was given.
    UsedTooMany,
    /// It claims to have used a buffer that it does not have.
    UsedNotGiven(u32),
    /// It claims to have written beyond the end of a buffer.
    UsedTooLong(u32),
    /// It wants to be reset.
    NeedsReset,
}

impl fmt::Display for VirtioError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotVirtio => out.write_str("there is no virtio device of version 2"),
            Self::NotModern => out.write_str("the device does not offer virtio 1"),
            Self::FeaturesRefused => out.write_str("the device refuses the features"),
            Self::QueueUnusable(queue) => write!(out, "queue {queue} of the device cannot be used"),
            Self::UsedTooMany => out.write_str("the device claims to have used more buffers than it has"),
            Self::UsedNotGiven(id) => write!(out, "the device claims to have used buffer {id}, which it does not have"),
            Self::UsedTooLong(length) => write!(out, "the device claims to have written {length} bytes"),
            Self::NeedsReset => out.write_str("the device wants to be reset"),
        }
    }
}

impl core::error::Error for VirtioError {}
