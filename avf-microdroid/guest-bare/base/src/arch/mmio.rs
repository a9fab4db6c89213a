//! Registers of devices in memory.

use core::arch::asm;

use crate::virtio::Registers;

/// The registers of a device, from their first address on.
///
/// Each access is one plain instruction: a hypervisor can only tell what a guest wants by its syndrome, which
/// instructions that also change their address have not.
#[derive(Clone, Copy, Debug)]
pub struct Mmio {
    base: usize,
}

impl Mmio {
    /// Registers at an address.
    ///
    /// # Safety
    /// The address is a device's, mapped as a device, and what is read and written there has no effect on memory that
    /// the program uses otherwise.
    pub const unsafe fn new(base: usize) -> Self {
        Self { base }
    }

    /// Writes one byte.
    pub fn write8(self, offset: usize, value: u8) {
        // SAFETY: the address is a device's, by the contract of `new`.
        unsafe { asm!("strb {:w}, [{}]", in(reg) u32::from(value), in(reg) self.base + offset, options(nostack)) }
    }

    /// Reads 32 bits.
    pub fn read32(self, offset: usize) -> u32 {
        let value: u32;
        // SAFETY: the address is a device's, by the contract of `new`.
        unsafe { asm!("ldr {:w}, [{}]", out(reg) value, in(reg) self.base + offset, options(nostack)) }
        value
    }

    /// Writes 32 bits.
    pub fn write32(self, offset: usize, value: u32) {
        // SAFETY: the address is a device's, by the contract of `new`.
        unsafe { asm!("str {:w}, [{}]", in(reg) value, in(reg) self.base + offset, options(nostack)) }
    }
}

impl Registers for Mmio {
    fn read(&self, offset: u32) -> u32 {
        self.read32(offset as usize)
    }

    fn write(&self, offset: u32, value: u32) {
        self.write32(offset as usize, value);
    }
}
