//! Writes CBOR items, each in its shortest form.

use alloc::vec::Vec;

use zeroize::Zeroize;

use crate::secret::SecretBytes;

/// Writes items one after the other.
///
/// [`Writer::array`] and [`Writer::map`] announce how many items follow; the writer counts them, and taking the bytes
/// of an incomplete item is a mistake of the program and panics. Keys that occur twice are not looked for. What it
/// wrote is wiped unless it is taken, and arrays it outgrew are wiped too.
#[derive(Default)]
pub struct Writer {
    out: Vec<u8>,
    open: Vec<u64>,
}

impl Writer {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn unsigned(&mut self, value: u64) -> &mut Self {
        self.item(0, value)
    }

    pub fn integer(&mut self, value: i64) -> &mut Self {
        match u64::try_from(value) {
            Ok(value) => self.item(0, value),
            Err(_) => self.item(1, !value as u64),
        }
    }

    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.item(2, value.len() as u64).append(value)
    }

    pub fn text(&mut self, value: &str) -> &mut Self {
        self.item(3, value.len() as u64).append(value.as_bytes())
    }

    /// Begins an array of `count` items.
    pub fn array(&mut self, count: usize) -> &mut Self {
        self.begin(4, count as u64, count as u64)
    }

    /// Begins a map of `count` entries, which follow as key, value, key, value.
    pub fn map(&mut self, count: usize) -> &mut Self {
        self.begin(5, count as u64, 2 * count as u64)
    }

    /// Tags the item that follows.
    pub fn tag(&mut self, number: u64) -> &mut Self {
        self.begin(6, number, 1)
    }

    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.item(7, if value { 21 } else { 20 })
    }

    pub fn null(&mut self) -> &mut Self {
        self.item(7, 22)
    }

    /// Writes one item whose encoding the caller has, byte for byte and unchecked.
    pub fn encoded(&mut self, item: &[u8]) -> &mut Self {
        self.count_item();
        self.append(item)
    }

    /// The bytes. Panics if an array, map or tag is not complete.
    pub fn finish(mut self) -> Vec<u8> {
        assert!(self.open.is_empty(), "finish() needs complete items but {:?} are missing", self.open);
        core::mem::take(&mut self.out)
    }

    /// The bytes, as a secret. Panics if an array, map or tag is not complete.
    pub fn finish_secret(self) -> SecretBytes {
        SecretBytes::new(self.finish())
    }

    fn item(&mut self, major: u8, argument: u64) -> &mut Self {
        self.count_item();
        self.head(major, argument)
    }

    fn begin(&mut self, major: u8, argument: u64, items: u64) -> &mut Self {
        self.count_item();
        if items > 0 {
            self.open.push(items);
        }
        self.head(major, argument)
    }

    /// The levels below the last one have items left: a level goes when its last item begins.
    fn count_item(&mut self) {
        if let Some(left) = self.open.last_mut() {
            *left -= 1;
            if *left == 0 {
                self.open.pop();
            }
        }
    }

    fn head(&mut self, major: u8, argument: u64) -> &mut Self {
        let major = major << 5;
        match argument {
            0..24 => self.append(&[major | argument as u8]),
            24..=0xff => self.append(&[major | 24, argument as u8]),
            0x100..=0xffff => self.append(&[major | 25]).append(&(argument as u16).to_be_bytes()),
            0x1_0000..=0xffff_ffff => self.append(&[major | 26]).append(&(argument as u32).to_be_bytes()),
            _ => self.append(&[major | 27]).append(&argument.to_be_bytes()),
        }
    }

    fn append(&mut self, bytes: &[u8]) -> &mut Self {
        let size = self.out.len() + bytes.len();
        if size > self.out.capacity() {
            let mut larger = Vec::with_capacity((2 * size).max(256));
            larger.extend_from_slice(&self.out);
            self.out.zeroize();
            self.out = larger;
        }
        self.out.extend_from_slice(bytes);
        self
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.out.zeroize();
    }
}
