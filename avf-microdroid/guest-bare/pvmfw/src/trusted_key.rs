//! The key that must have signed what boots: a place in the image, which a host fills with another key before it loads
//! the firmware.

/// What a place can hold: an RSA key of 4096 bits.
const ROOM: usize = 1032;

/// Stands before the key; hosts find the place by it.
const MARKER: [u8; 16] = *b"avf4j AVB key v1";

/// A key in AVB's encoding, with its length (little-endian) before it.
#[repr(C)]
pub struct KeyPlace {
    marker: [u8; MARKER.len()],
    length: [u8; 4],
    bytes: [u8; ROOM],
}

impl KeyPlace {
    const fn of(key: &[u8]) -> Self {
        assert!(key.len() <= ROOM, "the trusted key must have at most 4096 bits");
        let mut bytes = [0; ROOM];
        let mut at = 0;
        while at < key.len() {
            bytes[at] = key[at];
            at += 1;
        }
        Self { marker: MARKER, length: (key.len() as u32).to_le_bytes(), bytes }
    }

    /// The key; none if the place was filled wrongly.
    pub fn key(&self) -> Option<&[u8]> {
        // The compiler must not believe that the image holds what it put there.
        let place = core::hint::black_box(self);
        place.bytes.get(..u32::from_le_bytes(place.length) as usize)
    }
}

/// The key for development, which everybody has, unless another was compiled in or put here since.
#[used]
pub static TRUSTED_KEY: KeyPlace = KeyPlace::of(include_bytes!(env!("TRUSTED_KEY")));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_key_for_development() {
        assert_eq!(TRUSTED_KEY.key().map(<[u8]>::len), Some(ROOM));
        assert_eq!(TRUSTED_KEY.marker, MARKER);
    }

    #[test]
    fn takes_a_shorter_key_and_refuses_a_length_beyond_the_place() {
        let mut place = KeyPlace::of(&[7; 520]);
        assert_eq!(place.key(), Some(&[7; 520][..]));
        place.length = 1033u32.to_le_bytes();
        assert_eq!(place.key(), None);
    }
}
