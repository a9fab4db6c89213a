//! The registers of a device (virtio 1.2, 4.2.2) and how it is set up (3.1.1).

use super::{Queue, Registers, VirtioError};

const MAGIC: u32 = 0x7472_6976;
const VERSION: u32 = 2;

const REG_MAGIC: u32 = 0x00;
const REG_VERSION: u32 = 0x04;
const REG_DEVICE_ID: u32 = 0x08;
const REG_DEVICE_FEATURES: u32 = 0x10;
const REG_DEVICE_FEATURES_SELECT: u32 = 0x14;
const REG_DRIVER_FEATURES: u32 = 0x20;
const REG_DRIVER_FEATURES_SELECT: u32 = 0x24;
const REG_QUEUE_SELECT: u32 = 0x30;
const REG_QUEUE_MAX: u32 = 0x34;
const REG_QUEUE_SIZE: u32 = 0x38;
const REG_QUEUE_READY: u32 = 0x44;
const REG_QUEUE_NOTIFY: u32 = 0x50;
const REG_INTERRUPT_STATUS: u32 = 0x60;
const REG_INTERRUPT_ACK: u32 = 0x64;
const REG_STATUS: u32 = 0x70;
const REG_QUEUE_DESCRIPTORS: u32 = 0x80;
const REG_QUEUE_AVAILABLE: u32 = 0x90;
const REG_QUEUE_USED: u32 = 0xa0;
const REG_GENERATION: u32 = 0xfc;
const REG_CONFIG: u32 = 0x100;

const ACKNOWLEDGE: u32 = 1;
const DRIVER: u32 = 2;
const DRIVER_OK: u32 = 4;
const FEATURES_OK: u32 = 8;
const NEEDS_RESET: u32 = 0x40;
const FAILED: u32 = 0x80;

/// In the upper word.
const VERSION_1: u32 = 1 << 0;
const ACCESS_PLATFORM: u32 = 1 << 1;

const PATIENCE: usize = 1000;

/// A device that was found.
pub struct Device<R> {
    registers: R,
}

impl<R: Registers> Device<R> {
    /// Looks for a device of this kind behind registers.
    pub fn find(registers: R, id: u32) -> Option<Self> {
        let found = registers.read(REG_MAGIC) == MAGIC
            && registers.read(REG_VERSION) == VERSION
            && registers.read(REG_DEVICE_ID) == id;
        found.then_some(Self { registers })
    }

    /// Resets it and agrees on virtio 1 and nothing more, but that it reaches memory as the platform has it.
    pub fn begin(&self) -> Result<(), VirtioError> {
        self.registers.write(REG_STATUS, 0);
        if !(0..PATIENCE).any(|_| self.registers.read(REG_STATUS) == 0) {
            return Err(VirtioError::NotVirtio);
        }
        self.registers.write(REG_STATUS, ACKNOWLEDGE);
        self.registers.write(REG_STATUS, ACKNOWLEDGE | DRIVER);
        self.registers.write(REG_DEVICE_FEATURES_SELECT, 1);
        let offered = self.registers.read(REG_DEVICE_FEATURES);
        if offered & VERSION_1 == 0 {
            return self.fail(VirtioError::NotModern);
        }
        for (word, features) in [(0, 0), (1, offered & (VERSION_1 | ACCESS_PLATFORM))] {
            self.registers.write(REG_DRIVER_FEATURES_SELECT, word);
            self.registers.write(REG_DRIVER_FEATURES, features);
        }
        self.registers.write(REG_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
        if self.registers.read(REG_STATUS) & FEATURES_OK == 0 {
            return self.fail(VirtioError::FeaturesRefused);
        }
        Ok(())
    }

    /// Tells the device where a queue is.
    pub fn add_queue(&self, index: u32, queue: &Queue) -> Result<(), VirtioError> {
        self.registers.write(REG_QUEUE_SELECT, index);
        let unusable =
            self.registers.read(REG_QUEUE_READY) != 0 || self.registers.read(REG_QUEUE_MAX) < u32::from(queue.size());
        if unusable {
            return self.fail(VirtioError::QueueUnusable(index));
        }
        self.registers.write(REG_QUEUE_SIZE, queue.size().into());
        let [descriptors, available, used] = queue.addresses();
        for (register, address) in
            [(REG_QUEUE_DESCRIPTORS, descriptors), (REG_QUEUE_AVAILABLE, available), (REG_QUEUE_USED, used)]
        {
            self.registers.write(register, address as u32);
            self.registers.write(register + 4, (address >> 32) as u32);
        }
        self.registers.write(REG_QUEUE_READY, 1);
        Ok(())
    }

    /// Lets the device work.
    pub fn finish(&self) {
        self.registers.write(REG_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
    }

    /// Says that a queue has new buffers.
    pub fn notify(&self, index: u32) {
        self.registers.write(REG_QUEUE_NOTIFY, index);
    }

    /// Takes note of what the device says by its interrupt; fails if it has given up.
    pub fn acknowledge(&self) -> Result<(), VirtioError> {
        let interrupts = self.registers.read(REG_INTERRUPT_STATUS);
        if interrupts != 0 {
            self.registers.write(REG_INTERRUPT_ACK, interrupts);
        }
        if self.registers.read(REG_STATUS) & NEEDS_RESET != 0 {
            return Err(VirtioError::NeedsReset);
        }
        Ok(())
    }

    /// A number of the device's configuration, as it was at one moment.
    pub fn config_u64(&self, offset: u32) -> u64 {
        loop {
            let generation = self.registers.read(REG_GENERATION);
            let low = self.registers.read(REG_CONFIG + offset);
            let high = self.registers.read(REG_CONFIG + offset + 4);
            if self.registers.read(REG_GENERATION) == generation {
                return u64::from(high) << 32 | u64::from(low);
            }
        }
    }

    fn fail<T>(&self, error: VirtioError) -> Result<T, VirtioError> {
        self.registers.write(REG_STATUS, FAILED);
        Err(error)
    }
}
