//! What the tests share.

use std::fs;
use std::path::Path;

use avf_formats::{Kind, Result};

/// A file of `tests/data`.
pub fn data(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn json(name: &str) -> serde_json::Value {
    serde_json::from_slice(&data(name)).unwrap()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// The kind of a refusal; a panic if it was none.
#[track_caller]
pub fn refused<T>(result: Result<T>) -> Kind {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error.kind().unwrap_or_else(|| panic!("not a refusal: {error}")),
    }
}

/// SplitMix64: the same numbers in every run.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Numbers(seed)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) % limit as u64) as usize
    }
}

/// Calls `judge` with one bit flipped at each of `positions`; it must say no.
pub fn refuses_flips(bytes: &[u8], positions: impl Iterator<Item = usize>, judge: impl Fn(&[u8]) -> bool) {
    let mut numbers = Numbers::new(0x5eed);
    let mut changed = bytes.to_vec();
    for at in positions {
        let bit = 1 << numbers.below(8);
        changed[at] ^= bit;
        assert!(!judge(&changed), "taken although bit {bit:#x} of byte {at} was flipped");
        changed[at] ^= bit;
    }
}

/// Calls `parse` with damaged bytes, which may be taken or refused, but must not panic.
pub fn survives_damage(bytes: &[u8], rounds: usize, parse: impl Fn(&[u8])) {
    let mut numbers = Numbers::new(0xda3a6e);
    for _ in 0..rounds {
        let mut changed = bytes.to_vec();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(changed.len());
            let count = 1 + numbers.below(8);
            let value = [0x00, 0x01, 0x7f, 0x80, 0xff, numbers.below(256) as u8][numbers.below(6)];
            for byte in changed.iter_mut().skip(at).take(count) {
                *byte = value;
            }
        }
        if numbers.below(4) == 0 {
            changed.truncate(numbers.below(bytes.len()));
        }
        parse(&changed);
    }
}
