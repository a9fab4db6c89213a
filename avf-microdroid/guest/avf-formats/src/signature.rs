//! Public keys and the signatures that they verify.
//!
//! Without `std` nothing here makes a key on a curve: AVB knows RSA alone.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

use alloc::vec;
use alloc::vec::Vec;

use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Sha256, Sha512};

use crate::hash::Hash;

const MIN_RSA_BITS: usize = 512;
const MAX_RSA_BITS: usize = 16384;

/// How a signature is made of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// RSASSA-PSS, MGF1 with the same hash, a salt as long as the digest.
    Pss,
    /// RSASSA-PKCS1-v1_5.
    Pkcs1,
    /// ECDSA, the signature in DER.
    Ecdsa,
}

/// A key that can be used here.
pub enum PublicKey {
    Rsa(RsaPublicKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

impl PublicKey {
    /// An RSA key of these numbers, big-endian.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let modulus = BigUint::from_bytes_be(modulus);
        if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&modulus.bits()) {
            return None;
        }
        RsaPublicKey::new_with_max_size(modulus, BigUint::from_bytes_be(exponent), MAX_RSA_BITS)
            .ok()
            .map(PublicKey::Rsa)
    }

    /// Whether signatures of this kind are made with such keys.
    pub fn fits(&self, padding: Padding) -> bool {
        matches!(self, PublicKey::Rsa(_)) != (padding == Padding::Ecdsa)
    }

    /// Whether the signature is the key's over the data; what is malformed is simply none.
    pub fn verifies(&self, padding: Padding, hash: Hash, data: &[u8], signature: &[u8]) -> bool {
        self.verifies_digest(padding, hash, &hash.digest(data), signature)
    }

    /// The same for a digest of the data.
    pub fn verifies_digest(&self, padding: Padding, hash: Hash, digest: &[u8], signature: &[u8]) -> bool {
        match self {
            PublicKey::Rsa(key) => match (padding, hash) {
                (Padding::Pss, Hash::Sha256) => key.verify(Pss::new::<Sha256>(), digest, signature).is_ok(),
                (Padding::Pss, Hash::Sha512) => key.verify(Pss::new::<Sha512>(), digest, signature).is_ok(),
                (Padding::Pkcs1, Hash::Sha256) => key.verify(Pkcs1v15Sign::new::<Sha256>(), digest, signature).is_ok(),
                (Padding::Pkcs1, Hash::Sha512) => key.verify(Pkcs1v15Sign::new::<Sha512>(), digest, signature).is_ok(),
                (Padding::Ecdsa, _) => false,
            },
            _ if padding != Padding::Ecdsa => false,
            PublicKey::P256(key) => verifies_p256(key, digest, signature),
            PublicKey::P384(key) => verifies_p384(key, digest, signature),
            PublicKey::P521(key) => verifies_p521(key, digest, signature),
        }
    }
}

macro_rules! ecdsa_verifier {
    ($name:ident, $curve:ident, $size:literal) => {
        fn $name(key: &$curve::ecdsa::VerifyingKey, digest: &[u8], signature: &[u8]) -> bool {
            use $curve::ecdsa::signature::hazmat::PrehashVerifier as _;
            let Ok(signature) = $curve::ecdsa::Signature::from_der(signature) else { return false };
            key.verify_prehash(&padded::<$size>(digest), &signature).is_ok()
        }
    };
}

ecdsa_verifier!(verifies_p256, p256, 32);
ecdsa_verifier!(verifies_p384, p384, 48);
ecdsa_verifier!(verifies_p521, p521, 66);

/// A digest with zeros before it up to the curve's size, which does not change the number that it is; the library
/// refuses digests that are much shorter.
fn padded<const SIZE: usize>(digest: &[u8]) -> Vec<u8> {
    let mut number = vec![0; SIZE.saturating_sub(digest.len())];
    number.extend_from_slice(digest);
    number
}
