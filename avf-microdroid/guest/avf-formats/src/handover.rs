//! What one layer hands the next: its secrets and the chain that certifies its key.
//!
//! ```text
//! { 1: CDI_Attest, 32 bytes, 2: CDI_Seal, 32 bytes, ? 3: chain }
//! a3 01 5820 <32> 02 5820 <32> 03 <chain>
//! ```
//!
//! AOSP calls it AndroidDiceHandover, and BccHandover in older places. Bytes after the map are ignored: the reference
//! hands over a page filled up with zeros.

use alloc::vec::Vec;

use crate::dice::{CDI_SIZE, Cdis, Chain, DiceError, Input, Issuer, PrivateKey};
use crate::secret::{Secret, SecretBytes};

const ATTEST_HEAD: [u8; 3] = [0x01, 0x58, 0x20];
const SEAL_HEAD: [u8; 3] = [0x02, 0x58, 0x20];
const CHAIN_KEY: u8 = 3;

/// The secrets of a layer and the chain up to it.
#[derive(Debug)]
pub struct Handover {
    pub cdis: Cdis,
    pub chain: Option<Chain>,
}

impl Handover {
    /// Takes a handover apart. The caller wipes the input. The signatures of the chain are not verified.
    pub fn parse(bytes: &[u8]) -> Result<Self, DiceError> {
        let mut fields = Fields { bytes, at: 0 };
        let has_chain = match fields.take(1, "handover is empty")? {
            [0xa2] => false,
            [0xa3] => true,
            _ => return Err(DiceError::structure(0, "handover must be a map of 2 or 3 entries")),
        };
        let cdis = Cdis {
            attest: fields.cdi(ATTEST_HEAD, "CDI_Attest must be entry 1, with 32 bytes")?,
            seal: fields.cdi(SEAL_HEAD, "CDI_Seal must be entry 2, with 32 bytes")?,
        };
        let chain = if has_chain {
            fields.expect(&[CHAIN_KEY], "entry 3 must be the chain")?;
            let rest = bytes.get(fields.at..).unwrap_or_default();
            Some(Chain::read(rest, fields.at)?.0)
        } else {
            None
        };
        Ok(Self { cdis, chain })
    }

    /// Makes the handover of the next layer: derives its secrets and key, certifies the key, and appends the
    /// certificate to the chain. Where there is no chain, it begins with the key of this layer.
    ///
    /// The key of this layer is of the algorithm that its certificate names; a chain that ends in another key is
    /// refused, as nobody would ever believe what is appended to it.
    pub fn next(&self, input: &Input, issuer: &Issuer) -> Result<Self, DiceError> {
        let leaf = self.chain.as_ref().map(Chain::leaf_key).transpose()?;
        let algorithm = leaf.as_ref().map_or(issuer.subject_algorithm, |key| key.algorithm());
        let current = PrivateKey::derive(algorithm, &self.cdis.attest);
        if leaf.is_some_and(|key| key != current.public_key()) {
            return Err(DiceError::LeafKeyMismatch);
        }
        let cdis = self.cdis.next(input);
        let next = PrivateKey::derive(issuer.subject_algorithm, &cdis.attest).public_key();
        let certificate = issuer.issue(&current, &next, input);
        let chain = match &self.chain {
            Some(chain) => chain.append(&certificate)?,
            None => Chain::begin(&current.public_key(), &certificate)?,
        };
        Ok(Self { cdis, chain: Some(chain) })
    }

    /// The encoded handover, secrets included.
    pub fn encode(&self) -> SecretBytes {
        let chain = self.chain.as_ref().map(Chain::encoded);
        // The full size at once, so that growing leaves no copy of the secrets behind.
        let mut out = Vec::with_capacity(72 + chain.map_or(0, <[u8]>::len));
        out.push(if chain.is_some() { 0xa3 } else { 0xa2 });
        out.extend_from_slice(&ATTEST_HEAD);
        out.extend_from_slice(self.cdis.attest.expose());
        out.extend_from_slice(&SEAL_HEAD);
        out.extend_from_slice(self.cdis.seal.expose());
        if let Some(chain) = chain {
            out.push(CHAIN_KEY);
            out.extend_from_slice(chain);
        }
        SecretBytes::new(out)
    }
}

/// Reads heads and secrets by hand: a CBOR tree would hold on to them.
struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn take(&mut self, size: usize, reason: &str) -> Result<&'a [u8], DiceError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let bytes = rest.get(..size).ok_or_else(|| DiceError::structure(self.at, reason))?;
        self.at += size;
        Ok(bytes)
    }

    fn expect(&mut self, expected: &[u8], reason: &str) -> Result<(), DiceError> {
        let start = self.at;
        if self.take(expected.len(), reason)? == expected { Ok(()) } else { Err(DiceError::structure(start, reason)) }
    }

    fn cdi(&mut self, head: [u8; 3], reason: &str) -> Result<Secret<CDI_SIZE>, DiceError> {
        self.expect(&head, reason)?;
        let start = self.at;
        Secret::copy_of_slice(self.take(CDI_SIZE, reason)?).ok_or_else(|| DiceError::structure(start, reason))
    }
}
