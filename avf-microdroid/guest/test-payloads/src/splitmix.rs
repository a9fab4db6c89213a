//! SplitMix64, the generator of Java's `SplittableRandom`: host and guest make the same bytes without sending them.

use std::io::{self, Read};

pub struct SplitMix {
    state: u64,
    word: [u8; 8],
    used: usize,
}

impl SplitMix {
    pub fn new(seed: u64) -> Self {
        Self { state: seed, word: [0; 8], used: 8 }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// An endless stream of the words, little-endian.
impl Read for SplitMix {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        for byte in bytes.iter_mut() {
            if self.used == self.word.len() {
                self.word = self.next().to_le_bytes();
                self.used = 0;
            }
            *byte = self.word[self.used];
            self.used += 1;
        }
        Ok(bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `var r = new SplittableRandom(5001); r.nextLong(); r.nextLong()` in jshell.
    const BY_JAVA: [i64; 2] = [5_595_001_295_607_049_747, -9_064_339_013_005_230_854];

    #[test]
    fn makes_the_words_of_java_splittable_random() {
        let mut generator = SplitMix::new(5001);
        for word in BY_JAVA {
            let mut bytes = [0; 8];
            generator.read_exact(&mut bytes).unwrap();
            assert_eq!(i64::from_le_bytes(bytes), word);
        }
    }

    #[test]
    fn stream_does_not_depend_on_how_it_is_read() {
        let (mut whole, mut pieces) = ([0; 21], [0; 21]);
        SplitMix::new(1).read_exact(&mut whole).unwrap();
        let mut generator = SplitMix::new(1);
        pieces.chunks_mut(4).for_each(|piece| generator.read_exact(piece).unwrap());
        assert_eq!(whole, pieces);
    }
}
