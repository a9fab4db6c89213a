//! The key pair of a layer, and keys as certificates hold them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use ed25519_dalek::{Signer as _, Verifier as _};
use hmac::{Hmac, Mac};
use sha2::Sha512;
use zeroize::Zeroizing;

use super::{CDI_SIZE, DiceError};
use crate::cbor::{Item, Value, Writer};
use crate::kdf::hkdf_sha512;
use crate::secret::Secret;

const ASYM_SALT: [u8; 64] = [
    0x63, 0xb6, 0xa0, 0x4d, 0x2c, 0x07, 0x7f, 0xc1, 0x0f, 0x63, 0x9f, 0x21, 0xda, 0x79, 0x38, 0x44, 0x35, 0x6c, 0xc2,
    0xb0, 0xb4, 0x41, 0xb3, 0xa7, 0x71, 0x24, 0x03, 0x5c, 0x03, 0xf8, 0xe1, 0xbe, 0x60, 0x35, 0xd3, 0x1f, 0x28, 0x28,
    0x21, 0xa7, 0x45, 0x0a, 0x02, 0x22, 0x2a, 0xb1, 0xb3, 0xcf, 0xf1, 0x67, 0x9b, 0x05, 0xab, 0x1c, 0xa5, 0xd1, 0xaf,
    0xfb, 0x78, 0x9c, 0xcd, 0x2b, 0x0b, 0x3b,
];
const ID_SALT: [u8; 64] = [
    0xdb, 0xdb, 0xae, 0xbc, 0x80, 0x20, 0xda, 0x9f, 0xf0, 0xdd, 0x5a, 0x24, 0xc8, 0x3a, 0xa5, 0xa5, 0x42, 0x86, 0xdf,
    0xc2, 0x63, 0x03, 0x1e, 0x32, 0x9b, 0x4d, 0xa1, 0x48, 0x43, 0x06, 0x59, 0xfe, 0x62, 0xcd, 0xb5, 0xb7, 0xe1, 0xe0,
    0x0f, 0xc6, 0x80, 0x30, 0x67, 0x11, 0xeb, 0x44, 0x4a, 0xf7, 0x72, 0x09, 0x35, 0x94, 0x96, 0xfc, 0xff, 0x1d, 0xb9,
    0x52, 0x0b, 0xa5, 0x1c, 0x7b, 0x29, 0xea,
];

/// The labels of a COSE_Key (RFC 9052, RFC 9053).
const KTY: i64 = 1;
const KID: i64 = 2;
const ALG: i64 = 3;
const KEY_OPS: i64 = 4;
const BASE_IV: i64 = 5;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const AKP_PUB: i64 = -1;
const VERIFY: i64 = 2;

/// A signature algorithm of a layer's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Ed25519,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
}

impl Algorithm {
    /// The number in COSE.
    pub fn cose(self) -> i64 {
        match self {
            Self::Ed25519 => -8,
            Self::Es256 => -7,
            Self::Es384 => -35,
        }
    }

    pub fn of_cose(number: i64) -> Option<Self> {
        [Self::Ed25519, Self::Es256, Self::Es384].into_iter().find(|algorithm| algorithm.cose() == number)
    }

    /// Key type, curve and bytes of a coordinate.
    fn shape(self) -> (i64, i64, usize) {
        match self {
            Self::Ed25519 => (1, 6, 32),
            Self::Es256 => (2, 1, 32),
            Self::Es384 => (2, 2, 48),
        }
    }
}

/// The public key of a layer in raw bytes: x, and y where the algorithm has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: Algorithm,
    raw: Vec<u8>,
}

impl PublicKey {
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The id of the key: 20 bytes, the first bit 0.
    pub fn id(&self) -> [u8; 20] {
        id_of(&self.raw)
    }

    /// The id as certificates hold it: 40 lower-case hexadecimal digits.
    pub fn id_text(&self) -> String {
        self.id().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The COSE_Key, in the order of open-dice.
    pub fn encode(&self) -> Vec<u8> {
        self.encode_with(true)
    }

    /// The COSE_Key without `key_ops`: the form of a key that a virtual machine asks to certify.
    pub fn encode_without_key_ops(&self) -> Vec<u8> {
        self.encode_with(false)
    }

    fn encode_with(&self, key_ops: bool) -> Vec<u8> {
        let (kty, crv, size) = self.algorithm.shape();
        let (x, y) = self.raw.split_at(size.min(self.raw.len()));
        let mut out = Writer::new();
        out.map(4 + usize::from(key_ops) + usize::from(!y.is_empty()));
        out.integer(KTY).integer(kty).integer(ALG).integer(self.algorithm.cose());
        if key_ops {
            out.integer(KEY_OPS).array(1).integer(VERIFY);
        }
        out.integer(CRV).integer(crv).integer(X).bytes(x);
        if !y.is_empty() {
            out.integer(Y).bytes(y);
        }
        out.finish()
    }

    /// Takes a COSE_Key of one of the [`Algorithm`]s apart.
    pub fn parse(key: &Item<'_>) -> Result<Self, DiceError> {
        let foreign = || DiceError::structure(key.position(), "no layer of the guest has a key of ML-DSA");
        Self::parse_or_foreign(key)?.ok_or_else(foreign)
    }

    /// Takes a COSE_Key apart that is public and no more; nothing if it is one of ML-DSA, which layers before the
    /// guest's may have.
    pub(super) fn parse_or_foreign(key: &Item<'_>) -> Result<Option<Self>, DiceError> {
        let number = key.require(ALG)?.as_i64()?;
        let Some(algorithm) = Algorithm::of_cose(number) else {
            return check_ml_dsa(key, number).map(|()| None);
        };
        let (kty, crv, size) = algorithm.shape();
        require_number(key, KTY, kty)?;
        refuse_other_labels(key, if kty == 2 { Y } else { X })?;
        require_number(key, CRV, crv)?;
        let mut raw = coordinate(key.require(X)?, size)?.to_vec();
        if kty == 2 {
            raw.extend_from_slice(coordinate(key.require(Y)?, size)?);
        }
        let key_found = Self { algorithm, raw };
        if !key_found.is_point() {
            return Err(DiceError::structure(key.position(), "public key is not a point of its curve"));
        }
        Ok(Some(key_found))
    }

    fn is_point(&self) -> bool {
        match self.algorithm {
            Algorithm::Ed25519 => self.ed25519().is_some(),
            Algorithm::Es256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(&self.uncompressed()).is_ok(),
            Algorithm::Es384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(&self.uncompressed()).is_ok(),
        }
    }

    /// Not a point of small order either, for which anybody can sign.
    fn ed25519(&self) -> Option<ed25519_dalek::VerifyingKey> {
        let raw = <[u8; 32]>::try_from(&self.raw[..]).ok()?;
        ed25519_dalek::VerifyingKey::from_bytes(&raw).ok().filter(|key| !key.is_weak())
    }

    /// Whether a signature in COSE's form is right.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self.algorithm {
            Algorithm::Ed25519 => {
                let key = self.ed25519();
                let signature = ed25519_dalek::Signature::from_slice(signature).ok();
                matches!((key, signature), (Some(key), Some(signature)) if key.verify_strict(message, &signature).is_ok())
            }
            Algorithm::Es256 => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&self.uncompressed()).ok();
                let signature = p256::ecdsa::Signature::from_slice(signature).ok();
                matches!((key, signature), (Some(key), Some(signature)) if key.verify(message, &signature).is_ok())
            }
            Algorithm::Es384 => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&self.uncompressed()).ok();
                let signature = p384::ecdsa::Signature::from_slice(signature).ok();
                matches!((key, signature), (Some(key), Some(signature)) if key.verify(message, &signature).is_ok())
            }
        }
    }

    /// The form of SEC 1 that has both coordinates.
    fn uncompressed(&self) -> Vec<u8> {
        [&[4], &self.raw[..]].concat()
    }
}

/// The public keys of ML-DSA-65 and ML-DSA-87 (FIPS 204).
fn check_ml_dsa(key: &Item<'_>, algorithm: i64) -> Result<(), DiceError> {
    let size = match algorithm {
        -49 => 1952,
        -50 => 2592,
        _ => return Err(DiceError::structure(key.position(), format!("key of unknown algorithm {algorithm}"))),
    };
    require_number(key, KTY, 7)?;
    refuse_other_labels(key, AKP_PUB)?;
    coordinate(key.require(AKP_PUB)?, size).map(|_| ())
}

fn require_number(key: &Item<'_>, label: i64, expected: i64) -> Result<(), DiceError> {
    let found = key.require(label)?;
    if found.as_i64()? == expected {
        return Ok(());
    }
    Err(DiceError::structure(found.position(), format!("entry {label} of the key must be {expected}")))
}

/// A public key holds the common labels and those of its type, down to the least; a private part is none of them.
fn refuse_other_labels(key: &Item<'_>, least: i64) -> Result<(), DiceError> {
    for (label, value) in key.as_map()? {
        match label.as_i64() {
            Ok(KID | BASE_IV) => drop(value.as_bytes()?),
            Ok(KEY_OPS) => check_key_ops(value)?,
            Ok(number) if (KTY..=BASE_IV).contains(&number) || (least..0).contains(&number) => {}
            _ => return Err(DiceError::structure(label.position(), "public key holds a label it must not hold")),
        }
    }
    Ok(())
}

/// `key_ops` is an array that allows verifying or is empty, or, as android.13 wrote it, that number itself.
fn check_key_ops(operations: &Item<'_>) -> Result<(), DiceError> {
    let verifies = match operations.value() {
        Value::Unsigned(_) | Value::Negative(_) => operations.as_i64() == Ok(VERIFY),
        _ => {
            let items = operations.as_array()?;
            items.is_empty() || items.iter().any(|item| item.as_i64() == Ok(VERIFY))
        }
    };
    if verifies { Ok(()) } else { Err(DiceError::structure(operations.position(), "key_ops does not allow verifying")) }
}

fn coordinate<'a>(item: &Item<'a>, size: usize) -> Result<&'a [u8], DiceError> {
    let bytes = item.as_bytes()?;
    if bytes.len() != size {
        let reason = format!("a coordinate must have {size} bytes but has {}", bytes.len());
        return Err(DiceError::structure(item.position(), reason));
    }
    Ok(bytes)
}

fn id_of(raw_public_key: &[u8]) -> [u8; 20] {
    let mut id = *hkdf_sha512::<20>(raw_public_key, &ID_SALT, b"ID").expose();
    id[0] &= 0x7f;
    id
}

/// The private key of a layer, which wipes itself and never prints.
pub enum PrivateKey {
    Ed25519(ed25519_dalek::SigningKey),
    Es256(p256::ecdsa::SigningKey),
    Es384(p384::ecdsa::SigningKey),
}

impl PrivateKey {
    /// The key of a layer, derived from its CDI_Attest.
    pub fn derive(algorithm: Algorithm, cdi_attest: &Secret<CDI_SIZE>) -> Self {
        let seed: Secret<32> = hkdf_sha512(cdi_attest.expose(), &ASYM_SALT, b"Key Pair");
        match algorithm {
            Algorithm::Ed25519 => Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed.expose())),
            Algorithm::Es256 => {
                Self::Es256(ScalarGenerator::new(&seed).find(|v| p256::ecdsa::SigningKey::from_slice(&v[..32]).ok()))
            }
            Algorithm::Es384 => {
                Self::Es384(ScalarGenerator::new(&seed).find(|v| p384::ecdsa::SigningKey::from_slice(&v[..48]).ok()))
            }
        }
    }

    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::Ed25519,
            Self::Es256(_) => Algorithm::Es256,
            Self::Es384(_) => Algorithm::Es384,
        }
    }

    pub fn public_key(&self) -> PublicKey {
        let raw = match self {
            Self::Ed25519(key) => key.verifying_key().to_bytes().to_vec(),
            Self::Es256(key) => key.verifying_key().to_encoded_point(false).as_bytes()[1..].to_vec(),
            Self::Es384(key) => key.verifying_key().to_encoded_point(false).as_bytes()[1..].to_vec(),
        };
        PublicKey { algorithm: self.algorithm(), raw }
    }

    /// Signs in COSE's form. ECDSA takes its nonce from key and message (RFC 6979): early in a boot no random number is
    /// good enough, and a verifier sees no difference.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            Self::Es256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Self::Es384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
        }
    }
}

impl core::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PrivateKey[{:?}]", self.algorithm())
    }
}

/// Makes the scalar of an ECDSA key of a seed. It looks like the generator of RFC 6979 but is not: V is not updated
/// after the second K, and is updated twice before each candidate.
struct ScalarGenerator {
    k: Zeroizing<[u8; 64]>,
    v: Zeroizing<[u8; 64]>,
}

impl ScalarGenerator {
    fn new(seed: &Secret<32>) -> Self {
        let mut generator = Self { k: Zeroizing::new([0; 64]), v: Zeroizing::new([1; 64]) };
        generator.update_k(&[&[0], seed.expose()]);
        generator.update_v();
        generator.update_k(&[&[1], seed.expose()]);
        generator
    }

    /// The first candidate that the function takes. All but one in 2^32 are taken.
    fn find<T>(mut self, accept: impl Fn(&[u8; 64]) -> Option<T>) -> T {
        loop {
            self.update_v();
            self.update_v();
            if let Some(found) = accept(&self.v) {
                return found;
            }
            self.update_k(&[&[0]]);
        }
    }

    fn update_k(&mut self, parts: &[&[u8]]) {
        let mut mac = self.mac();
        mac.update(&*self.v);
        for part in parts {
            mac.update(part);
        }
        self.k.copy_from_slice(&mac.finalize().into_bytes());
    }

    fn update_v(&mut self) {
        let mut mac = self.mac();
        mac.update(&*self.v);
        self.v.copy_from_slice(&mac.finalize().into_bytes());
    }

    fn mac(&self) -> Hmac<Sha512> {
        Hmac::new_from_slice(&*self.k).expect("HMAC takes a key of any size")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The specification's check values.
    #[test]
    fn derives_and_signs_as_open_dice() {
        let cdi = Secret::copy_of_slice(&crate::kdf::sha512(&[b"MySeedString"])[..32]).unwrap();
        let key = PrivateKey::derive(Algorithm::Ed25519, &cdi);
        assert_eq!(hex(key.public_key().raw()), "47424bbdd723b4cdcae28edc6bfc23c9215c482147ee5bfaaf889a52f1610637");
        assert_eq!(
            hex(&key.sign(b"MyMessage")),
            "44aecce2b99618390e610f5307bff2323d44d4f2072330853218d269b8293c26\
             e60d9ca5c273cd8cb83c3e5bfd628df6c427a6e911065ab22b64f7fcbbab4a0e"
        );
        assert_eq!(hex(&id_of(b"MyPubKey")), "7a36452c02f62becf980067587a5c1440cd3c06d");
    }

    #[test]
    fn a_cose_key_is_read_as_it_was_written() {
        for algorithm in [Algorithm::Ed25519, Algorithm::Es256, Algorithm::Es384] {
            let key = PrivateKey::derive(algorithm, &Secret::copy_of(&[1; 32])).public_key();
            let encoded = key.encode();
            assert_eq!(PublicKey::parse(&crate::cbor::decode(&encoded).unwrap()), Ok(key));
        }
    }

    #[test]
    fn a_signature_verifies_for_its_message_and_key_alone() {
        for algorithm in [Algorithm::Ed25519, Algorithm::Es256, Algorithm::Es384] {
            let key = PrivateKey::derive(algorithm, &Secret::copy_of(&[1; 32]));
            let other = PrivateKey::derive(algorithm, &Secret::copy_of(&[2; 32]));
            let signature = key.sign(b"message");
            assert!(key.public_key().verifies(b"message", &signature));
            assert!(!key.public_key().verifies(b"massage", &signature));
            assert!(!other.public_key().verifies(b"message", &signature));
            assert!(!key.public_key().verifies(b"message", &signature[1..]));
        }
    }
}
