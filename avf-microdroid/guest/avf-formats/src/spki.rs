//! Public keys in DER, as certificates hold them.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

use crate::der::{self, Elements};
use crate::signature::PublicKey;

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const UNCOMPRESSED: u8 = 4;

impl PublicKey {
    /// Reads a DER SubjectPublicKeyInfo.
    pub fn from_spki(spki: &[u8]) -> Option<Self> {
        let mut outer = der::single(spki, der::SEQUENCE)?;
        let mut algorithm = outer.enter(der::SEQUENCE)?;
        let bits = der::bits(outer.expect(der::BIT_STRING)?)?;
        if !outer.is_empty() {
            return None;
        }
        let id = algorithm.expect(der::OBJECT_ID)?.content;
        match id {
            RSA => rsa(algorithm, bits),
            EC => {
                let curve = algorithm.expect(der::OBJECT_ID)?.content;
                algorithm.is_empty().then_some(())?;
                elliptic(curve, bits)
            }
            _ => None,
        }
    }
}

fn rsa(mut parameters: Elements<'_>, bits: &[u8]) -> Option<PublicKey> {
    if !parameters.is_empty() {
        let null = parameters.expect(der::NULL)?;
        (null.content.is_empty() && parameters.is_empty()).then_some(())?;
    }
    let mut numbers = der::single(bits, der::SEQUENCE)?;
    let modulus = der::unsigned(numbers.expect(der::INTEGER)?)?;
    let exponent = der::unsigned(numbers.expect(der::INTEGER)?)?;
    if !numbers.is_empty() {
        return None;
    }
    PublicKey::rsa(modulus, exponent)
}

fn elliptic(curve: &[u8], point: &[u8]) -> Option<PublicKey> {
    if point.first() != Some(&UNCOMPRESSED) {
        return None;
    }
    match curve {
        P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(PublicKey::P256),
        P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(PublicKey::P384),
        P521 => p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(PublicKey::P521),
        _ => None,
    }
}
