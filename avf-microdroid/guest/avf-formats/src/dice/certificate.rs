//! Certificates in CBOR: what one layer says of the next, in a COSE_Sign1.

use super::{Algorithm, Config, DiceError, Input, PrivateKey, PublicKey};
use crate::cbor::{Item, Limits, Writer, decode_within};

const ISSUER: i64 = 1;
const SUBJECT: i64 = 2;
const CODE_HASH: i64 = -4670545;
const CODE_DESCRIPTOR: i64 = -4670546;
const CONFIG_HASH: i64 = -4670547;
const CONFIG_DESCRIPTOR: i64 = -4670548;
const AUTHORITY_HASH: i64 = -4670549;
const AUTHORITY_DESCRIPTOR: i64 = -4670550;
const MODE: i64 = -4670551;
const SUBJECT_PUBLIC_KEY: i64 = -4670552;
const KEY_USAGE: i64 = -4670553;
const PROFILE_NAME: i64 = -4670554;

/// Bit 5, little-endian.
const KEY_CERT_SIGN: [u8; 1] = [0x20];
/// The label of the algorithm in a COSE header.
const ALG: i64 = 1;

/// How certificates are written: with which algorithm the next layer's key is made, and under which profile name.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// The algorithm of the key that is certified.
    pub subject_algorithm: Algorithm,
    /// The name that certificates carry, such as `android.16`; AVF wrote none until January 2025.
    pub profile_name: Option<String>,
}

impl Issuer {
    /// Ed25519 without a profile name: AVF in January 2025.
    pub fn without_profile() -> Self {
        Self { subject_algorithm: Algorithm::Ed25519, profile_name: None }
    }

    /// Makes the certificate of the next layer, signed with the key of the layer that derives it.
    pub fn issue(&self, current: &PrivateKey, next: &PublicKey, input: &Input) -> Vec<u8> {
        let protected = protected_header(current.algorithm());
        let payload = self.payload(&current.public_key(), next, input);
        let signature = current.sign(&to_be_signed(&protected, &payload));
        let mut out = Writer::new();
        out.array(4).bytes(&protected).map(0).bytes(&payload).bytes(&signature);
        out.finish()
    }

    /// The order of the entries is that of open-dice, which is not sorted.
    fn payload(&self, issuer: &PublicKey, next: &PublicKey, input: &Input) -> Vec<u8> {
        let optional = [
            input.code_descriptor.is_some(),
            matches!(input.config, Config::Descriptor(_)),
            input.authority_descriptor.is_some(),
            self.profile_name.is_some(),
        ];
        let mut out = Writer::new();
        out.map(8 + optional.iter().filter(|&&present| present).count());
        out.integer(ISSUER).text(&issuer.id_text());
        out.integer(SUBJECT).text(&next.id_text());
        out.integer(CODE_HASH).bytes(&input.code_hash);
        if let Some(descriptor) = &input.code_descriptor {
            out.integer(CODE_DESCRIPTOR).bytes(descriptor);
        }
        match &input.config {
            Config::Inline(value) => out.integer(CONFIG_DESCRIPTOR).bytes(value),
            Config::Descriptor(value) => {
                out.integer(CONFIG_DESCRIPTOR).bytes(value).integer(CONFIG_HASH).bytes(&input.config.input())
            }
        };
        out.integer(AUTHORITY_HASH).bytes(&input.authority_hash);
        if let Some(descriptor) = &input.authority_descriptor {
            out.integer(AUTHORITY_DESCRIPTOR).bytes(descriptor);
        }
        out.integer(MODE).bytes(&[input.mode as u8]);
        out.integer(SUBJECT_PUBLIC_KEY).bytes(&next.encode());
        out.integer(KEY_USAGE).bytes(&KEY_CERT_SIGN);
        if let Some(name) = &self.profile_name {
            out.integer(PROFILE_NAME).text(name);
        }
        out.finish()
    }
}

fn protected_header(algorithm: Algorithm) -> Vec<u8> {
    let mut out = Writer::new();
    out.map(1).integer(ALG).integer(algorithm.cose());
    out.finish()
}

fn to_be_signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    out.array(4).text("Signature1").bytes(protected).bytes(&[]).bytes(payload);
    out.finish()
}

/// The four parts of a certificate, as they were read.
pub(super) struct Certificate<'a> {
    position: usize,
    protected: &'a [u8],
    payload: &'a [u8],
    payload_position: usize,
    signature: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Checks the structure: an untagged COSE_Sign1 with one protected header, the algorithm, around a map.
    pub(super) fn parse(item: &Item<'a>) -> Result<Self, DiceError> {
        let [protected, unprotected, payload, signature] = item.as_array()? else {
            return Err(DiceError::structure(item.position(), "certificate must be an array of 4"));
        };
        if !unprotected.as_map()?.is_empty() {
            return Err(DiceError::structure(unprotected.position(), "unprotected header must be empty"));
        }
        let certificate = Self {
            position: item.position(),
            protected: protected.as_bytes()?,
            payload: payload.as_bytes()?,
            payload_position: payload.content_position()?,
            signature: signature.as_bytes()?,
        };
        let header = decode_within(certificate.protected, protected.content_position()?, Limits::DEFAULT)?;
        header.require(ALG)?.as_i64()?;
        certificate.subject_public_key_bytes()?;
        Ok(certificate)
    }

    fn subject_public_key_bytes(&self) -> Result<(&'a [u8], usize), DiceError> {
        let payload = decode_within(self.payload, self.payload_position, Limits::DEFAULT)?;
        let key = payload.require(SUBJECT_PUBLIC_KEY)?;
        Ok((key.as_bytes()?, key.content_position()?))
    }

    /// The key that is certified, if its algorithm is one of ours.
    pub(super) fn subject_public_key(&self) -> Result<PublicKey, DiceError> {
        let (bytes, position) = self.subject_public_key_bytes()?;
        PublicKey::parse(&decode_within(bytes, position, Limits::DEFAULT)?)
    }

    /// Whether this certificate is signed with the key, in the algorithm that its header names.
    pub(super) fn is_signed_with(&self, key: &PublicKey) -> Result<bool, DiceError> {
        if self.protected != protected_header(key.algorithm()) {
            return Err(DiceError::structure(self.position, "certificate names another algorithm than its signer's"));
        }
        Ok(key.verifies(&to_be_signed(self.protected, self.payload), self.signature))
    }
}
