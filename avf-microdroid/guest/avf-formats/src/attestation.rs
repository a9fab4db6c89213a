//! The request of a VM to have a fresh key of its payload certified, with which remote attestation begins.
//!
//! ```text
//! Csr        = [ bstr(chain), bstr(Signed) ]
//! Signed     = [ h'', {}, bstr(CsrPayload), [ [bstr({1: alg}), {}, sig], [bstr({1: -7}), {}, sig] ] ]
//! CsrPayload = [ bstr(COSE_Key), bstr(challenge) ]
//! ```
//!
//! Signed is an untagged COSE_Sign, first by the key of the chain's last layer, then by the key to certify. The layout
//! is that of AVF's code, which differs from the CDDL published with it. The host's side is avf-attestation's
//! `ClientVmCsr`.

use std::fmt;

use p256::ecdsa::SigningKey;

use crate::cbor::Writer;
use crate::dice::{Algorithm, CDI_SIZE, Chain, DiceError, PrivateKey, PublicKey, protected_header};
use crate::secret::{Secret, SecretBytes};
use crate::wire::MAX_CHALLENGE;

/// The bytes of a secret key of P-256.
pub const SCALAR_SIZE: usize = 32;

/// All but one of 2^32 random scalars are keys: who draws this many others has no random numbers.
const MAX_DRAWS: usize = 8;

/// `ECPrivateKey` (RFC 5915): the sequence, version 1, and the head of the secret.
const EC_PRIVATE_KEY: [u8; 7] = [0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20];
/// The curve prime256v1, and the heads of the public key up to its uncompressed point.
const EC_PUBLIC_KEY: [u8; 18] =
    [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0xa1, 0x44, 0x03, 0x42, 0x00, 0x04];

/// Why there is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttestationError {
    /// The challenge has this many bytes, which are more than 64.
    ChallengeTooLong(usize),
    /// The chain is not one of this layer.
    Dice(DiceError),
    /// There are no random numbers to make a key of.
    NoRandom,
}

impl From<DiceError> for AttestationError {
    fn from(error: DiceError) -> Self {
        Self::Dice(error)
    }
}

impl fmt::Display for AttestationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChallengeTooLong(size) => {
                write!(f, "attestation: challenge must have at most {MAX_CHALLENGE} bytes but has {size}")
            }
            Self::Dice(error) => write!(f, "attestation: {error}"),
            Self::NoRandom => f.write_str("attestation: no random numbers to make a key of"),
        }
    }
}

impl std::error::Error for AttestationError {}

/// A key that is not certified yet, and the request to do so.
#[derive(Debug)]
pub struct KeyRequest {
    /// What goes to the host, in CBOR.
    pub csr: Vec<u8>,
    /// What goes to the payload once the key is certified: DER of an `ECPrivateKey`.
    pub private_key: SecretBytes,
}

impl KeyRequest {
    /// Makes a key with the random numbers of the system, and the request.
    ///
    /// The chain and CDI_Attest are those of the payload's layer; the challenge has at most 64 bytes and is that of
    /// whoever will verify.
    pub fn new(chain: &Chain, cdi_attest: &Secret<CDI_SIZE>, challenge: &[u8]) -> Result<Self, AttestationError> {
        Self::with_random(chain, cdi_attest, challenge, |scalar| getrandom::getrandom(scalar))
    }

    /// As [`KeyRequest::new`], with random numbers of the caller, who overwrites all bytes that are lent.
    pub fn with_random<E>(
        chain: &Chain,
        cdi_attest: &Secret<CDI_SIZE>,
        challenge: &[u8],
        mut random: impl FnMut(&mut [u8; SCALAR_SIZE]) -> Result<(), E>,
    ) -> Result<Self, AttestationError> {
        if challenge.len() > MAX_CHALLENGE {
            return Err(AttestationError::ChallengeTooLong(challenge.len()));
        }
        let leaf = chain.leaf_key()?;
        let layer = PrivateKey::derive(leaf.algorithm(), cdi_attest);
        if layer.public_key() != leaf {
            return Err(DiceError::LeafKeyMismatch.into());
        }
        let (scalar, key) = draw(&mut random)?;
        let key = PrivateKey::Es256(key);
        let public = key.public_key();
        let payload = csr_payload(&public, challenge);
        let signed = sign(&payload, &[&layer, &key]);
        let mut csr = Writer::new();
        csr.array(2).bytes(chain.encoded()).bytes(&signed);
        Ok(Self { csr: csr.finish(), private_key: ec_private_key(&scalar, &public) })
    }
}

/// A scalar that is a secret key of P-256, and that key.
fn draw<E>(
    random: &mut impl FnMut(&mut [u8; SCALAR_SIZE]) -> Result<(), E>,
) -> Result<(Secret<SCALAR_SIZE>, SigningKey), AttestationError> {
    for _ in 0..MAX_DRAWS {
        let mut drawn = Ok(());
        let scalar = Secret::fill_with(|out| drawn = random(out));
        drawn.map_err(|_| AttestationError::NoRandom)?;
        if let Ok(key) = SigningKey::from_slice(scalar.expose()) {
            return Ok((scalar, key));
        }
    }
    Err(AttestationError::NoRandom)
}

fn csr_payload(key: &PublicKey, challenge: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    out.array(2).bytes(&key.encode_without_key_ops()).bytes(challenge);
    out.finish()
}

/// A COSE_Sign whose own header has no bytes, not even those of an empty map.
fn sign(payload: &[u8], keys: &[&PrivateKey]) -> Vec<u8> {
    let mut out = Writer::new();
    out.array(4).bytes(&[]).map(0).bytes(payload).array(keys.len());
    for key in keys {
        let protected = protected_header(key.algorithm());
        let signature = key.sign(&to_be_signed(&protected, payload));
        out.array(3).bytes(&protected).map(0).bytes(&signature);
    }
    out.finish()
}

fn to_be_signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    out.array(5).text("Signature").bytes(&[]).bytes(protected).bytes(&[]).bytes(payload);
    out.finish()
}

fn ec_private_key(scalar: &Secret<SCALAR_SIZE>, public: &PublicKey) -> SecretBytes {
    debug_assert_eq!(public.algorithm(), Algorithm::Es256);
    // The full size at once, so that growing leaves no copy of the secret behind.
    let mut der = Vec::with_capacity(EC_PRIVATE_KEY.len() + SCALAR_SIZE + EC_PUBLIC_KEY.len() + public.raw().len());
    der.extend_from_slice(&EC_PRIVATE_KEY);
    der.extend_from_slice(scalar.expose());
    der.extend_from_slice(&EC_PUBLIC_KEY);
    der.extend_from_slice(public.raw());
    SecretBytes::new(der)
}
