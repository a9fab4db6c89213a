//! The VM's side of the AuthGraph key exchange: the source, P1. The keeper is the sink, P2.

use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use sha2::{Digest, Sha256};

use super::policy::{canonical_key, explicit_key_chain};
use super::{Channel, KeeperError};
use crate::cbor::{Writer, decode};
use crate::dice::{CDI_SIZE, Chain, DiceError, PrivateKey, PublicKey, protected_header, to_be_signed};
use crate::secret::Secret;

/// The length of a nonce, in bytes.
pub const NONCE_SIZE: usize = 16;

const VERSION: u64 = 1;
const SCALAR_SIZE: usize = 32;

/// Key agreement on P-256: what is written, and what older texts have.
const ECDH: i64 = -25;
const OLDER_ECDH: i64 = -27;

/// All but one of 2^32 random scalars are keys: who draws this many others has no random numbers.
const MAX_DRAWS: usize = 8;

/// One exchange. Send [`Source::hello`], give the answer to [`Source::finish`], send its signature.
pub struct Source {
    chain: Vec<u8>,
    key: PrivateKey,
    scalar: p256::SecretKey,
    nonce: [u8; NONCE_SIZE],
}

impl Source {
    /// Begins an exchange with the random numbers of the system. Chain and CDI_Attest are those of the payload's layer.
    pub fn new(chain: &Chain, cdi_attest: &Secret<CDI_SIZE>) -> Result<Self, KeeperError> {
        Self::with_random(chain, cdi_attest, getrandom::getrandom)
    }

    /// As [`Source::new`], with random numbers of the caller, who overwrites all bytes that are lent: first those of
    /// the exchange key, then those of the nonce.
    pub fn with_random<E>(
        chain: &Chain,
        cdi_attest: &Secret<CDI_SIZE>,
        mut random: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, KeeperError> {
        let leaf = chain.leaf_key()?;
        let key = PrivateKey::derive(leaf.algorithm(), cdi_attest);
        if key.public_key() != leaf {
            return Err(DiceError::LeafKeyMismatch.into());
        }
        let scalar = draw(&mut random)?;
        let mut nonce = [0; NONCE_SIZE];
        random(&mut nonce).map_err(|_| KeeperError::NoRandom)?;
        Ok(Self { chain: explicit_key_chain(chain)?, key, scalar, nonce })
    }

    /// The first message.
    pub fn hello(&self) -> Vec<u8> {
        let mut identity = Writer::new();
        identity.array(2).unsigned(VERSION).bytes(&self.chain);
        let mut out = Writer::new();
        out.array(4).bytes(&self.exchange_key()).bytes(&identity.finish()).bytes(&self.nonce).unsigned(VERSION);
        out.finish()
    }

    /// Takes the keeper's answer. Returns the signature to be sent to it, and the session.
    ///
    /// `expected` is the keeper's COSE_Key from a trusted place. A keeper with a chain of certificates is refused: ours
    /// has a root key alone.
    pub fn finish(self, answer: &[u8], expected: &[u8]) -> Result<(Vec<u8>, Channel), KeeperError> {
        let answer = decode(answer)?;
        let [exchange_key, identity, nonce, version, session_id, signature] = answer.as_array()? else {
            return Err(KeeperError::structure(0, "answer must be an array of 6"));
        };
        if version.as_u64()? != VERSION {
            return Err(KeeperError::Untrusted("the keeper speaks another version"));
        }
        let nonce = <[u8; NONCE_SIZE]>::try_from(nonce.as_bytes()?)
            .map_err(|_| KeeperError::structure(nonce.position(), "nonce must have 16 bytes"))?;
        let (sink_chain, sink_key) = sink(identity.as_bytes()?)?;
        if sink_key != PublicKey::parse(&decode(expected)?)? {
            return Err(KeeperError::Untrusted("the keeper's root key is not the one that is expected"));
        }
        let transcript = Transcript {
            sink_key: exchange_key.as_bytes()?,
            source_key: &self.exchange_key(),
            sink_nonce: &nonce,
            source_nonce: &self.nonce,
            sink_chain,
            source_chain: &self.chain,
        };
        let peer = parse_exchange_key(transcript.sink_key)?;
        let shared = p256::ecdh::diffie_hellman(self.scalar.to_nonzero_scalar(), peer.as_affine());
        let keys = Keys::derive(shared.raw_secret_bytes(), &transcript);
        if session_id.as_bytes()? != keys.session_id || !is_signed(signature.as_bytes()?, &sink_key, &keys.session_id)?
        {
            return Err(KeeperError::Untrusted("the keeper does not hold its key, or saw another exchange"));
        }
        let signature = sign(&self.key, &keys.session_id);
        Ok((signature, Channel::new(keys.source_to_sink, keys.sink_to_source, &keys.session_id)))
    }

    fn exchange_key(&self) -> Vec<u8> {
        let point = self.scalar.public_key().to_encoded_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(SCALAR_SIZE);
        let mut out = Writer::new();
        out.map(5).integer(1).integer(2).integer(3).integer(ECDH).integer(-1).integer(1);
        out.integer(-2).bytes(x).integer(-3).bytes(y);
        out.finish()
    }
}

fn draw<E>(random: &mut impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<p256::SecretKey, KeeperError> {
    for _ in 0..MAX_DRAWS {
        let mut drawn = Ok(());
        let scalar: Secret<SCALAR_SIZE> = Secret::fill_with(|out| drawn = random(out));
        drawn.map_err(|_| KeeperError::NoRandom)?;
        if let Ok(key) = p256::SecretKey::from_slice(scalar.expose()) {
            return Ok(key);
        }
    }
    Err(KeeperError::NoRandom)
}

fn parse_exchange_key(encoded: &[u8]) -> Result<p256::PublicKey, KeeperError> {
    let key = decode(encoded)?;
    let is = |label, expected: &[i64]| Ok::<_, KeeperError>(expected.contains(&key.require(label)?.as_i64()?));
    if key.as_map()?.len() != 5 || !is(1, &[2])? || !is(-1, &[1])? || !is(3, &[ECDH, OLDER_ECDH])? {
        return Err(KeeperError::structure(0, "exchange key must be a public key of P-256 for key agreement"));
    }
    let mut point = vec![4];
    for label in [-2, -3] {
        let coordinate = key.require(label)?;
        if coordinate.as_bytes()?.len() != SCALAR_SIZE {
            return Err(KeeperError::structure(coordinate.position(), "a coordinate must have 32 bytes"));
        }
        point.extend_from_slice(coordinate.as_bytes()?);
    }
    p256::PublicKey::from_sec1_bytes(&point)
        .map_err(|_| KeeperError::structure(0, "exchange key is not a point of P-256"))
}

/// The chain and the key of a keeper's identity: `[1, bstr([1, bstr(root key)]), ? policy]`.
fn sink(identity: &[u8]) -> Result<(&[u8], PublicKey), KeeperError> {
    let identity = decode(identity)?;
    let (version, chain) = match identity.as_array()? {
        [version, chain] | [version, chain, _] => (version, chain),
        _ => return Err(KeeperError::structure(0, "identity must be version 1, a chain and at most a policy")),
    };
    let encoded = chain.as_bytes()?;
    let chain = decode(encoded)?;
    let [chain_version, root] = chain.as_array()? else {
        return Err(KeeperError::structure(0, "the keeper's chain must be a root key alone"));
    };
    if version.as_u64()? != VERSION || chain_version.as_u64()? != VERSION {
        return Err(KeeperError::structure(0, "identity and its chain must be of version 1"));
    }
    let key = decode(root.as_bytes()?)?;
    if canonical_key(&key)? != root.as_bytes()? {
        return Err(KeeperError::structure(0, "the keeper's root key must be in canonical order"));
    }
    Ok((encoded, PublicKey::parse(&key)?))
}

/// What both sides have seen, none of it secret.
struct Transcript<'a> {
    sink_key: &'a [u8],
    source_key: &'a [u8],
    sink_nonce: &'a [u8; NONCE_SIZE],
    source_nonce: &'a [u8; NONCE_SIZE],
    sink_chain: &'a [u8],
    source_chain: &'a [u8],
}

struct Keys {
    source_to_sink: Secret<32>,
    sink_to_source: Secret<32>,
    session_id: [u8; 32],
}

impl Keys {
    fn derive(shared: &[u8], transcript: &Transcript<'_>) -> Self {
        let mut out = Writer::new();
        out.array(7).unsigned(VERSION).bytes(transcript.sink_key).bytes(transcript.source_key);
        out.bytes(transcript.sink_nonce).bytes(transcript.source_nonce);
        out.bytes(transcript.sink_chain).bytes(transcript.source_chain);
        let salt = Sha256::digest(out.finish());
        let prk = Hkdf::<Sha256>::new(Some(&salt), shared);
        let expand = |info: &str| {
            Secret::fill_with(|out| prk.expand(info.as_bytes(), out).expect("32 bytes are one block of HKDF"))
        };
        let mut nonces = Writer::new();
        nonces.array(2).bytes(transcript.sink_nonce).bytes(transcript.source_nonce);
        let mac_key: Secret<32> = expand("KE_HMAC_KEY");
        let mut mac = Hmac::<Sha256>::new_from_slice(mac_key.expose()).expect("HMAC takes a key of any size");
        mac.update(&nonces.finish());
        Self {
            source_to_sink: expand("KE_ENCRYPTION_KEY_SOURCE_TO_SINK"),
            sink_to_source: expand("KE_ENCRYPTION_KEY_SINK_TO_SOURCE"),
            session_id: mac.finalize().into_bytes().into(),
        }
    }
}

/// A COSE_Sign1 whose payload is not part of it.
fn sign(key: &PrivateKey, session_id: &[u8; 32]) -> Vec<u8> {
    let protected = protected_header(key.algorithm());
    let signature = key.sign(&to_be_signed(&protected, session_id));
    let mut out = Writer::new();
    out.array(4).bytes(&protected).map(0).null().bytes(&signature);
    out.finish()
}

fn is_signed(message: &[u8], key: &PublicKey, session_id: &[u8; 32]) -> Result<bool, KeeperError> {
    let message = decode(message)?;
    let [protected, unprotected, payload, signature] = message.as_array()? else {
        return Err(KeeperError::structure(0, "signature must be an array of 4"));
    };
    let is_plain = unprotected.as_map()?.is_empty() && payload.is_null();
    // No other header is one that this side would have to understand.
    let names_key = protected.as_bytes()? == protected_header(key.algorithm());
    Ok(is_plain && names_key && key.verifies(&to_be_signed(protected.as_bytes()?, session_id), signature.as_bytes()?))
}
