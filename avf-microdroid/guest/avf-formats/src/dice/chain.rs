//! A chain of certificates, from a root key to the key of the current layer.

use alloc::format;
use alloc::vec::Vec;

use super::certificate::Certificate;
use super::{DiceError, PublicKey};
use crate::cbor::{Item, Limits, Reader, Writer, decode_within};

/// The longest chain that is read, in bytes.
pub const MAX_CHAIN_BYTES: usize = 1 << 20;

/// The greatest number of certificates.
pub const MAX_CERTIFICATES: usize = 256;

const LIMITS: Limits = Limits { bytes: MAX_CHAIN_BYTES, ..Limits::DEFAULT };

/// A root key and certificates, each of which certifies the key of the next layer.
///
/// Parsing checks the structure; only [`Chain::verify_signatures`] verifies. Keys of layers above the last may be of
/// algorithms that are not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    encoded: Vec<u8>,
}

impl Chain {
    /// Takes bytes that are exactly one chain.
    pub fn decode(bytes: &[u8]) -> Result<Self, DiceError> {
        let (chain, rest) = Self::read(bytes, 0)?;
        match rest.len() {
            0 => Ok(chain),
            left => Err(DiceError::structure(bytes.len() - left, format!("{left} bytes follow the chain"))),
        }
    }

    /// Reads a chain that begins at `position` of a document, and returns what follows it.
    pub(crate) fn read(bytes: &[u8], position: usize) -> Result<(Self, &[u8]), DiceError> {
        let within = bytes.get(..MAX_CHAIN_BYTES).unwrap_or(bytes);
        let mut reader = Reader::new(within, position, LIMITS)?;
        let chain = reader.read()?;
        check(&chain)?;
        let rest = bytes.get(chain.encoded().len()..).unwrap_or_default();
        Ok((Self { encoded: chain.encoded().to_vec() }, rest))
    }

    /// The chain of a first certificate, which begins with the key that signed it.
    pub(crate) fn begin(root: &PublicKey, certificate: &[u8]) -> Result<Self, DiceError> {
        let mut out = Writer::new();
        out.array(2).encoded(&root.encode()).encoded(certificate);
        Self::decode(&out.finish())
    }

    /// A chain with one certificate more; the others stay as they are, byte for byte.
    pub fn append(&self, certificate: &[u8]) -> Result<Self, DiceError> {
        let chain = self.item()?;
        let items = chain.as_array()?;
        let mut out = Writer::new();
        out.array(items.len() + 1);
        for item in items {
            out.encoded(item.encoded());
        }
        out.encoded(certificate);
        Self::decode(&out.finish())
    }

    /// The exact bytes.
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// The number of certificates.
    pub fn certificates(&self) -> Result<usize, DiceError> {
        Ok(self.item()?.as_array()?.len() - 1)
    }

    /// The key of the current layer: that of the last certificate.
    pub fn leaf_key(&self) -> Result<PublicKey, DiceError> {
        let chain = self.item()?;
        let leaf = chain.as_array()?.last().ok_or_else(|| DiceError::structure(0, "chain is empty"))?;
        Certificate::parse(leaf)?.subject_public_key()
    }

    /// Verifies that every certificate is signed with the key before it, and nothing else.
    pub fn verify_signatures(&self) -> Result<(), DiceError> {
        let chain = self.item()?;
        let (root, certificates) =
            chain.as_array()?.split_first().ok_or_else(|| DiceError::structure(0, "chain is empty"))?;
        let mut key = PublicKey::parse(root)?;
        for (index, item) in certificates.iter().enumerate() {
            let certificate = Certificate::parse(item)?;
            if !certificate.is_signed_with(&key)? {
                return Err(DiceError::Signature { certificate: index });
            }
            key = certificate.subject_public_key()?;
        }
        Ok(())
    }

    pub(crate) fn item(&self) -> Result<Item<'_>, DiceError> {
        Ok(decode_within(&self.encoded, 0, LIMITS)?)
    }
}

fn check(chain: &Item<'_>) -> Result<(), DiceError> {
    let items = chain.as_array()?;
    if items.len() < 2 || items.len() > MAX_CERTIFICATES + 1 {
        let reason = format!(
            "chain must have a root key and 1 to {MAX_CERTIFICATES} certificates but has {} items",
            items.len()
        );
        return Err(DiceError::structure(chain.position(), reason));
    }
    let (root, certificates) = items.split_at(1);
    for key in root {
        PublicKey::parse_or_foreign(key)?;
    }
    for certificate in certificates {
        Certificate::parse(certificate)?;
    }
    Ok(())
}
