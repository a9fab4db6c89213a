//! The secret of the payload, and its identity.

use alloc::vec::Vec;

use avf_formats::dice::{Chain, DiceError, PrivateKey};
use avf_formats::handover::Handover;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Sha256, Sha512};

const LABEL: &[u8] = b"avf4j protected payload";

/// Proves what runs here: the chain of the handover and the key that its last certificate is for.
pub struct Attester {
    chain: Chain,
    key: PrivateKey,
}

impl Attester {
    /// The chain as the handover has it.
    pub fn chain(&self) -> &[u8] {
        self.chain.encoded()
    }

    /// Signs a challenge of the host. The label keeps the signature from being taken for one over anything else.
    pub fn sign(&self, challenge: &[u8]) -> Vec<u8> {
        self.key.sign(&[LABEL, challenge].concat())
    }
}

/// Derives the secret of a handover, which the caller wipes.
pub fn from_handover(bytes: &[u8], secret: &mut [u8; 32]) -> Result<Attester, DiceError> {
    let handover = Handover::parse(bytes)?;
    let missing = || DiceError::Structure { position: 0, reason: "handover has no chain".into() };
    let chain = handover.chain.ok_or_else(missing)?;
    let leaf = chain.leaf_key()?;
    let key = PrivateKey::derive(leaf.algorithm(), &handover.cdis.attest);
    if key.public_key() != leaf {
        return Err(DiceError::LeafKeyMismatch);
    }
    Hkdf::<Sha512>::new(None, handover.cdis.seal.expose())
        .expand(LABEL, secret)
        .expect("32 bytes are one block of HKDF");
    Ok(Attester { chain, key })
}

/// Derives the secret of random bytes.
pub fn from_seed(seed: &[u8], secret: &mut [u8; 32]) {
    Hkdf::<Sha512>::new(None, seed).expand(LABEL, secret).expect("32 bytes are one block of HKDF");
}

/// The digest that only who has the secret can make.
pub fn answer(secret: &[u8; 32], challenge: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any size");
    mac.update(challenge);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use avf_formats::dice::{Algorithm, Cdis, Config, Input, Issuer, Mode, PublicKey};
    use avf_formats::secret::Secret;

    use super::*;

    fn handover() -> Vec<u8> {
        let root =
            Handover { cdis: Cdis { attest: Secret::copy_of(&[1; 32]), seal: Secret::copy_of(&[2; 32]) }, chain: None };
        let input = Input {
            code_hash: [3; 64],
            code_descriptor: None,
            config: Config::Descriptor(vec![0xa0]),
            authority_hash: [4; 64],
            authority_descriptor: None,
            mode: Mode::Normal,
            hidden: Secret::copy_of(&[5; 64]),
        };
        root.next(&input, &Issuer::without_profile()).unwrap().encode().expose().to_vec()
    }

    fn leaf_key(attester: &Attester) -> PublicKey {
        let chain = Chain::decode(attester.chain()).unwrap();
        chain.verify_signatures().unwrap();
        chain.leaf_key().unwrap()
    }

    #[test]
    fn the_leaf_key_of_the_chain_verifies_the_signature() {
        let mut secret = [0; 32];
        let attester = from_handover(&[&handover()[..], &[0; 100]].concat(), &mut secret).unwrap();
        let signature = attester.sign(b"challenge");
        let key = leaf_key(&attester);
        assert_eq!((key.algorithm(), signature.len()), (Algorithm::Ed25519, 64));
        assert!(key.verifies(b"avf4j protected payloadchallenge", &signature));
        assert_ne!(secret, [0; 32]);
    }

    #[test]
    fn the_same_handover_gives_the_same_secret_and_another_another() {
        let secret_of = |bytes: &[u8]| {
            let mut secret = [0; 32];
            from_handover(bytes, &mut secret).map(|_| secret)
        };
        let mut changed = handover();
        assert_eq!(secret_of(&changed), secret_of(&handover()));
        changed[39] ^= 1;
        assert_ne!(secret_of(&changed), secret_of(&handover()));
        changed[4] ^= 1;
        assert_eq!(secret_of(&changed), Err(DiceError::LeafKeyMismatch));
    }

    #[test]
    fn a_handover_without_chain_is_refused() {
        let bytes = handover();
        let without = [&[0xa2], &bytes[1..71]].concat();
        assert!(matches!(from_handover(&without, &mut [0; 32]), Err(DiceError::Structure { .. })));
    }

    /// RFC 4231, test case 2, with the key as it is padded: a block of zeros follows a short key.
    #[test]
    fn answers_with_hmac_sha_256() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let digest = answer(&key, b"what do ya want for nothing?");
        assert_eq!(digest[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_eq!(digest[28..], [0x64, 0xec, 0x38, 0x43]);
    }
}
