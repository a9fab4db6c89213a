//! An attestation that a payload holds: a key and certificates that say where the key came from.

use std::fmt;

use avf_formats::wire::Attestation;
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::RandomizedSigner;
use rand_core::OsRng;

/// The longest DER of an ECDSA signature with P-256: two integers of 33 bytes, their heads, and a head.
pub const MAX_SIGNATURE: usize = 72;

/// A key that was made for this payload and challenge, and its certificates.
pub struct Attested {
    attestation: Attestation,
    key: SigningKey,
}

impl Attested {
    /// Takes an attestation whose private key is one of P-256 and that has certificates.
    pub(crate) fn new(attestation: Attestation) -> Option<Self> {
        let key = p256::SecretKey::from_sec1_der(attestation.private_key.expose()).ok()?;
        (!attestation.certificates.is_empty()).then(|| Self { attestation, key: key.into() })
    }

    /// DER of an `ECPrivateKey`.
    pub fn private_key(&self) -> &[u8] {
        self.attestation.private_key.expose()
    }

    /// DER of X.509, leaf first.
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.attestation.certificates
    }

    /// DER of an ECDSA signature with SHA-256, another one each time.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = self.key.sign_with_rng(&mut OsRng, message);
        signature.to_der().as_bytes().to_vec()
    }
}

impl fmt::Debug for Attested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attested[{} certificates]", self.certificates().len())
    }
}
