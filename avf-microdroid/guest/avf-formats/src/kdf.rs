//! The hashes and key derivations of DICE and of Microdroid.

use hkdf::Hkdf;
use sha2::{Digest, Sha256, Sha512};

use crate::secret::Secret;

/// SHA-512 of the parts in a row.
pub fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    let mut hash = Sha512::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// SHA-256 of the parts in a row, as a secret.
pub(crate) fn secret_sha256(parts: &[&[u8]]) -> Secret<32> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    Secret::fill_with(|out| hash.finalize_into(out.into()))
}

/// HKDF with SHA-512; N is at most 64 everywhere.
pub(crate) fn hkdf_sha512<const N: usize>(key: &[u8], salt: &[u8], info: &[u8]) -> Secret<N> {
    const { assert!(N <= 64) };
    Secret::fill_with(|out| {
        Hkdf::<Sha512>::new(Some(salt), key).expand(info, out).expect("64 bytes are one block of HKDF");
    })
}

/// HKDF with SHA-256; at most 32 bytes.
pub(crate) fn hkdf_sha256(key: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) {
    assert!(out.len() <= 32, "32 bytes are one block of HKDF");
    Hkdf::<Sha256>::new(Some(salt), key).expand(info, out).expect("32 bytes are one block of HKDF");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification's check value for its KDF.
    #[test]
    fn derives_as_open_dice() {
        let key: Secret<32> = hkdf_sha512(b"myInitialKeyMaterial", b"mySalt", b"myInfo");
        let expected = [
            0x91, 0x9b, 0x8d, 0x29, 0xc4, 0x1b, 0x93, 0xd7, 0xeb, 0x09, 0xfa, 0xd7, 0xc9, 0x87, 0xb0, 0xd1, 0xcc, 0x26,
            0xef, 0x07, 0x83, 0x42, 0xcf, 0xa3, 0x45, 0x0a, 0x57, 0xe9, 0x19, 0x86, 0xef, 0x48,
        ];
        assert_eq!(key.expose(), &expected);
    }
}
