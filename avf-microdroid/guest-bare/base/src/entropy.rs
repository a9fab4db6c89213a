//! Random numbers of the hypervisor (Arm DEN0098, TRNG 1.0).

use crate::hypervisor::Hypercall;

const VERSION: u32 = 0x8400_0050;
const RND64: u32 = 0xc400_0053;
const LEAST_VERSION: i64 = 0x1_0000;
const BITS: u64 = 192;
const NO_ENTROPY: i64 = -3;
const PATIENCE: usize = 1000;

/// Why there are no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntropyError {
    /// The hypervisor has none to give.
    Missing,
    /// It never had enough of it.
    Exhausted,
    /// What it gave is not random: it repeated itself.
    Unhealthy,
    /// It refused, with this code.
    Refused(i64),
}

/// Fills bytes with random numbers of the hypervisor.
///
/// Two words in a row that are equal, or one of zeros or ones alone, are taken for a source that is stuck: among all
/// words of healthy sources that happens once in 2^62.
pub fn fill(hypercall: &impl Hypercall, target: &mut [u8]) -> Result<(), EntropyError> {
    if (hypercall.call(VERSION, [0; 3])[0] as i32) < LEAST_VERSION as i32 {
        return Err(EntropyError::Missing);
    }
    let mut last = None;
    for part in target.chunks_mut(24) {
        let words = words(hypercall)?;
        for word in words {
            if last == Some(word) || word == 0 || word == u64::MAX {
                return Err(EntropyError::Unhealthy);
            }
            last = Some(word);
        }
        let mut bytes = [0; 24];
        for (target, word) in bytes.chunks_exact_mut(8).zip(words) {
            target.copy_from_slice(&word.to_le_bytes());
        }
        part.copy_from_slice(&bytes[..part.len()]);
    }
    Ok(())
}

fn words(hypercall: &impl Hypercall) -> Result<[u64; 3], EntropyError> {
    for _ in 0..PATIENCE {
        let [status, high, middle, low] = hypercall.call(RND64, [BITS, 0, 0]);
        match status as i64 {
            0 => return Ok([low, middle, high]),
            NO_ENTROPY => {}
            other => return Err(EntropyError::Refused(other)),
        }
    }
    Err(EntropyError::Exhausted)
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    const NOT_SUPPORTED: u64 = -1_i64 as u64;

    #[test]
    fn fills_any_number_of_bytes() {
        let counter = Cell::new(1);
        let source = |function: u32, arguments: [u64; 3]| {
            if function == VERSION {
                return [0x1_0000, 0, 0, 0];
            }
            assert_eq!(arguments[0], 192);
            let next = || counter.replace(counter.get() + 1);
            let (low, middle, high) = (next(), next(), next());
            [0, high, middle, low]
        };
        let mut bytes = [0; 32];
        fill(&source, &mut bytes).unwrap();
        assert_eq!(bytes.chunks(8).map(|word| word[0]).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    fn tells_a_source_that_is_missing_or_stuck() {
        let missing = |_: u32, _: [u64; 3]| [NOT_SUPPORTED; 4];
        assert_eq!(fill(&missing, &mut [0; 8]), Err(EntropyError::Missing));
        let answering = |status: i64, word: u64| {
            move |function: u32, _: [u64; 3]| match function {
                VERSION => [0x1_0000, 0, 0, 0],
                _ => [status as u64, word, word, word],
            }
        };
        for (status, word, error) in [
            (0, 0, EntropyError::Unhealthy),
            (0, 7, EntropyError::Unhealthy),
            (NO_ENTROPY, 7, EntropyError::Exhausted),
            (-2, 7, EntropyError::Refused(-2)),
        ] {
            assert_eq!(fill(&answering(status, word), &mut [0; 8]), Err(error));
        }
    }
}
