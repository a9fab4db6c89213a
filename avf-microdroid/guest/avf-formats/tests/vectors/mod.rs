//! The vectors in `tests/data`; `dice-README.md` there says where they come from.
#![allow(dead_code, reason = "every test file uses some of it")]

use std::path::Path;

use avf_formats::dice::{Cdis, Config, Input, Mode};
use avf_formats::secret::Secret;
use serde_json::Value;

pub fn bytes(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn json(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap()
}

pub fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap_or_else(|| panic!("no hexadecimal digits but {value}"));
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

pub fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().unwrap()
}

pub fn secret<const N: usize>(value: &Value) -> Secret<N> {
    Secret::copy_of(&array(value))
}

pub fn cdis(attest: &Value, seal: &Value) -> Cdis {
    Cdis { attest: secret(attest), seal: secret(seal) }
}

pub fn mode(value: &Value) -> Mode {
    match value.as_u64().unwrap() {
        0 => Mode::NotConfigured,
        1 => Mode::Normal,
        2 => Mode::Debug,
        3 => Mode::Recovery,
        other => panic!("mode {other}"),
    }
}

/// An input whose configuration is a descriptor and that has no other descriptors.
pub fn android_input(layer: &Value) -> Input {
    Input {
        code_hash: array(&layer["code_hash"]),
        code_descriptor: None,
        config: Config::Descriptor(hex(&layer["config_descriptor"])),
        authority_hash: array(&layer["authority_hash"]),
        authority_descriptor: None,
        mode: mode(&layer["mode"]),
        hidden: secret(&layer["hidden"]),
    }
}

/// Pseudo-random numbers that are the same in every run.
pub struct SplitMix(pub u64);

impl SplitMix {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// Bytes with a few of them changed, cut off, or repeated.
pub fn mutate(original: &[u8], random: &mut SplitMix) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..=random.below(3) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.truncate(at),
            _ => {
                let piece = bytes[at..(at + 16).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}
