//! DICE as the Open Profile and Android's profile have it: secrets, keys and certificates of a layer.
//!
//! [`Cdis`] are the two secrets of a layer and [`Input`] is what the next layer is made of; [`Issuer`] certifies the
//! key of the next layer, [`Chain`] holds the certificates, and [`payload`] says what Microdroid's last layer, that of
//! the payload, is made of. The twin of avf-attestation's package of the same name, with the same decisions.

mod certificate;
mod chain;
mod key;
#[cfg(feature = "std")]
pub mod payload;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroize;

pub use certificate::Issuer;
#[cfg(feature = "std")]
pub(crate) use certificate::{protected_header, to_be_signed};
pub use chain::{Chain, MAX_CERTIFICATES, MAX_CHAIN_BYTES};
pub use key::{Algorithm, PrivateKey, PublicKey};

use crate::cbor::CborError;
use crate::kdf::{hkdf_sha512, sha512};
use crate::secret::Secret;

/// The length of a CDI, in bytes.
pub const CDI_SIZE: usize = 32;

/// The length of hashes and of the hidden input, in bytes.
pub const HASH_SIZE: usize = 64;

/// What is wrong with a handover, a chain or an input of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiceError {
    /// The bytes have another structure; the position is in bytes from the start of the document.
    Structure { position: usize, reason: String },
    /// The last certificate is for another key than the one that CDI_Attest gives.
    LeafKeyMismatch,
    /// A certificate, counted from 0, is not signed with the key before it.
    Signature { certificate: usize },
    /// What the payload's layer should be made of is not usable.
    Input(String),
}

impl DiceError {
    pub(crate) fn structure(position: usize, reason: impl Into<String>) -> Self {
        Self::Structure { position, reason: reason.into() }
    }
}

impl From<CborError> for DiceError {
    fn from(error: CborError) -> Self {
        Self::Structure { position: error.position, reason: error.reason }
    }
}

impl fmt::Display for DiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Structure { position, reason } => write!(f, "DICE: {reason} (at byte {position})"),
            Self::LeafKeyMismatch => {
                f.write_str("DICE: the last certificate of the chain is not for the key of this layer")
            }
            Self::Signature { certificate } => {
                write!(f, "DICE: certificate {certificate} is not signed with the key before it")
            }
            Self::Input(reason) => write!(f, "DICE: {reason}"),
        }
    }
}

impl core::error::Error for DiceError {}

/// The mode of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    NotConfigured = 0,
    Normal = 1,
    Debug = 2,
    Recovery = 3,
}

/// The configuration input of a layer.
#[derive(Clone, Debug)]
pub enum Config {
    /// The configuration is itself these bytes.
    Inline([u8; HASH_SIZE]),
    /// The SHA-512 of a descriptor of any length enters the secrets.
    Descriptor(Vec<u8>),
}

impl Config {
    /// What enters the secrets.
    pub fn input(&self) -> [u8; HASH_SIZE] {
        match self {
            Self::Inline(value) => *value,
            Self::Descriptor(value) => sha512(&[value]),
        }
    }
}

/// What one layer is made of. The hidden input is in no certificate, is wiped, and never printed.
pub struct Input {
    pub code_hash: [u8; HASH_SIZE],
    /// More about the code, for the certificate alone.
    pub code_descriptor: Option<Vec<u8>>,
    pub config: Config,
    pub authority_hash: [u8; HASH_SIZE],
    /// More about the authority, for the certificate alone.
    pub authority_descriptor: Option<Vec<u8>>,
    pub mode: Mode,
    pub hidden: Secret<HASH_SIZE>,
}

impl Input {
    fn attest_salt(&self) -> Secret<64> {
        self.salt(&[&self.code_hash, &self.config.input(), &self.authority_hash])
    }

    fn seal_salt(&self) -> Secret<64> {
        self.salt(&[&self.authority_hash])
    }

    fn salt(&self, known: &[&[u8]]) -> Secret<64> {
        let mode = [self.mode as u8];
        let mut parts = known.to_vec();
        parts.push(&mode);
        parts.push(self.hidden.expose());
        let mut hash = sha512(&parts);
        let salt = Secret::copy_of(&hash);
        hash.zeroize();
        salt
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Input[mode {:?}, {:?}]", self.mode, self.config)
    }
}

/// The two secrets of a layer: one to attest with, which depends on all that is known of the layer, and one to seal
/// with, which survives an update of its code.
#[derive(Debug)]
pub struct Cdis {
    pub attest: Secret<CDI_SIZE>,
    pub seal: Secret<CDI_SIZE>,
}

impl Cdis {
    /// The secrets of the next layer.
    pub fn next(&self, input: &Input) -> Self {
        Self {
            attest: hkdf_sha512(self.attest.expose(), input.attest_salt().expose(), b"CDI_Attest"),
            seal: hkdf_sha512(self.seal.expose(), input.seal_salt().expose(), b"CDI_Seal"),
        }
    }
}
