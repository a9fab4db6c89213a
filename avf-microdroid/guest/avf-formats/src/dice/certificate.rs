//! Certificates in CBOR: what one layer says of the next, in a COSE_Sign1.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Algorithm, Config, DiceError, Input, PrivateKey, PublicKey};
use crate::cbor::{Item, Limits, Value, Writer, decode_within};

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
/// Labels of a COSE header.
const ALG: i64 = 1;
const CRIT: i64 = 2;

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

/// The header that names the algorithm and nothing else.
pub(crate) fn protected_header(algorithm: Algorithm) -> Vec<u8> {
    let mut out = Writer::new();
    out.map(1).integer(ALG).integer(algorithm.cose());
    out.finish()
}

/// What the signature of a COSE_Sign1 is over, with nothing authenticated besides.
pub(crate) fn to_be_signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    out.array(4).text("Signature1").bytes(protected).bytes(&[]).bytes(payload);
    out.finish()
}

/// The four parts of a certificate, as they were read.
pub(super) struct Certificate<'a> {
    position: usize,
    protected: &'a [u8],
    header_algorithm: Option<Algorithm>,
    payload: &'a [u8],
    signature: &'a [u8],
    subject_key: Option<PublicKey>,
}

impl<'a> Certificate<'a> {
    /// Checks the structure: an untagged COSE_Sign1 around a map with known labels of the right types.
    pub(super) fn parse(item: &Item<'a>) -> Result<Self, DiceError> {
        let [protected, unprotected, payload, signature] = item.as_array()? else {
            return Err(DiceError::structure(item.position(), "certificate must be an array of 4"));
        };
        let header_algorithm = header_algorithm(protected)?;
        if !unprotected.as_map()?.is_empty() {
            return Err(DiceError::structure(unprotected.position(), "unprotected header must be empty"));
        }
        let fields = nested(payload)?;
        check_labels(&fields)?;
        let subject_key = nested(fields.require(SUBJECT_PUBLIC_KEY)?)?;
        Ok(Self {
            position: item.position(),
            protected: protected.as_bytes()?,
            header_algorithm,
            payload: payload.as_bytes()?,
            signature: signature.as_bytes()?,
            subject_key: PublicKey::parse_or_foreign(&subject_key)?,
        })
    }

    /// The key that is certified, if its algorithm is one of ours.
    pub(super) fn subject_public_key(self) -> Result<PublicKey, DiceError> {
        self.subject_key.ok_or_else(|| DiceError::structure(self.position, "no layer of the guest has a key of ML-DSA"))
    }

    /// Whether this certificate is signed with the key, in the algorithm that its header names.
    pub(super) fn is_signed_with(&self, key: &PublicKey) -> Result<bool, DiceError> {
        if self.header_algorithm != Some(key.algorithm()) {
            return Err(DiceError::structure(self.position, "certificate names another algorithm than its signer's"));
        }
        Ok(key.verifies(&to_be_signed(self.protected, self.payload), self.signature))
    }
}

/// The item that is the content of a byte string.
fn nested<'a>(bytes: &Item<'a>) -> Result<Item<'a>, DiceError> {
    Ok(decode_within(bytes.as_bytes()?, bytes.content_position()?, Limits::DEFAULT)?)
}

/// The algorithm that a protected header names, if it is one of ours; no bytes are an empty header.
fn header_algorithm(protected: &Item<'_>) -> Result<Option<Algorithm>, DiceError> {
    if protected.as_bytes()?.is_empty() {
        return Ok(None);
    }
    let header = nested(protected)?;
    for (label, _) in header.as_map()? {
        if !matches!(label.value(), Value::Unsigned(_) | Value::Negative(_) | Value::Text(_)) {
            return Err(DiceError::structure(label.position(), "header label must be an integer or text"));
        }
        if label.as_i64() == Ok(CRIT) {
            return Err(DiceError::structure(label.position(), "critical headers are not supported"));
        }
    }
    Ok(header.get(ALG)?.and_then(|found| found.as_i64().ok()).and_then(Algorithm::of_cose))
}

fn check_labels(payload: &Item<'_>) -> Result<(), DiceError> {
    for (label, value) in payload.as_map()? {
        match label.as_i64()? {
            ISSUER | SUBJECT | PROFILE_NAME => drop(value.as_text()?),
            // Of one byte; android.14 wrote an integer.
            MODE => match value.value() {
                Value::Unsigned(_) | Value::Negative(_) => drop(value.as_i64()?),
                _ if value.as_bytes()?.len() == 1 => {}
                _ => return Err(DiceError::structure(value.position(), "mode must have one byte")),
            },
            PROFILE_NAME..=CODE_HASH => drop(value.as_bytes()?),
            other => return Err(DiceError::structure(label.position(), format!("label {other} is not known"))),
        }
    }
    Ok(())
}
