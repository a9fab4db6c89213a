//! The encrypted session: COSE_Encrypt0 messages, each direction with its own key and its own sequence, so that none
//! can be changed, repeated, left out or put in another order.
//!
//! ```text
//! message = [ bstr({1: 3, 4: session id}), {5: iv12}, ciphertext and tag ]       AES-256-GCM
//! AAD     = [ "Encrypt0", protected, external AAD ]      the sequence number from 0 on, as a CBOR integer
//! ```

use aes_gcm::aead::AeadInPlace;
use aes_gcm::{Aes256Gcm, KeyInit};

use super::KeeperError;
use crate::cbor::{Writer, decode};
use crate::secret::{Secret, SecretBytes};

const ALG: i64 = 1;
const A256GCM: i64 = 3;
const KEY_ID: i64 = 4;
const IV: i64 = 5;

const IV_SIZE: usize = 12;
const TAG_SIZE: usize = 16;

/// The client's side of a session. A message that does not open ends nothing: the sequence stays where it is.
#[derive(Debug)]
pub struct Channel {
    outgoing_key: Secret<32>,
    incoming_key: Secret<32>,
    protected: Vec<u8>,
    outgoing: u64,
    incoming: u64,
}

impl Channel {
    pub(super) fn new(outgoing_key: Secret<32>, incoming_key: Secret<32>, session_id: &[u8; 32]) -> Self {
        let mut protected = Writer::new();
        protected.map(2).integer(ALG).integer(A256GCM).integer(KEY_ID).bytes(session_id);
        Self { outgoing_key, incoming_key, protected: protected.finish(), outgoing: 0, incoming: 0 }
    }

    /// Encrypts the next message to the keeper.
    pub fn seal(&mut self, message: &SecretBytes) -> Result<Vec<u8>, KeeperError> {
        self.seal_with_random(message, |iv| getrandom::getrandom(iv))
    }

    /// As [`Channel::seal`], with random numbers of the caller, who overwrites all bytes that are lent, and never gives
    /// the same twice.
    pub fn seal_with_random<E>(
        &mut self,
        message: &SecretBytes,
        random: impl FnOnce(&mut [u8; IV_SIZE]) -> Result<(), E>,
    ) -> Result<Vec<u8>, KeeperError> {
        let mut iv = [0; IV_SIZE];
        random(&mut iv).map_err(|_| KeeperError::NoRandom)?;
        let mut text = Vec::with_capacity(message.len() + TAG_SIZE);
        text.extend_from_slice(message.expose());
        let tag = cipher(&self.outgoing_key)
            .encrypt_in_place_detached(&iv.into(), &self.aad(self.outgoing), &mut text)
            .map_err(|_| KeeperError::structure(0, "message is too long to be encrypted"))?;
        text.extend_from_slice(&tag);
        self.outgoing += 1;
        let mut out = Writer::new();
        out.array(3).bytes(&self.protected).map(1).integer(IV).bytes(&iv).bytes(&text);
        Ok(out.finish())
    }

    /// Decrypts the next message of the keeper.
    pub fn open(&mut self, message: &[u8]) -> Result<SecretBytes, KeeperError> {
        let message = decode(message)?;
        let [protected, unprotected, sealed] = message.as_array()? else {
            return Err(KeeperError::structure(0, "message must be an array of 3"));
        };
        let iv = <[u8; IV_SIZE]>::try_from(unprotected.require(IV)?.as_bytes()?);
        let (Ok(iv), true, 1) = (iv, protected.as_bytes()? == self.protected, unprotected.as_map()?.len()) else {
            return Err(KeeperError::NotNext);
        };
        let (text, tag) = sealed.as_bytes()?.split_last_chunk::<TAG_SIZE>().ok_or(KeeperError::NotNext)?;
        let plain = SecretBytes::fill_with(text.len(), |out| {
            out.copy_from_slice(text);
            cipher(&self.incoming_key)
                .decrypt_in_place_detached(&iv.into(), &self.aad(self.incoming), out, tag.into())
                .map_err(|_| KeeperError::NotNext)
        })?;
        self.incoming += 1;
        Ok(plain)
    }

    fn aad(&self, sequence_number: u64) -> Vec<u8> {
        let mut external = Writer::new();
        external.unsigned(sequence_number);
        let mut out = Writer::new();
        out.array(3).text("Encrypt0").bytes(&self.protected).bytes(&external.finish());
        out.finish()
    }
}

fn cipher(key: &Secret<32>) -> Aes256Gcm {
    Aes256Gcm::new(key.expose().into())
}
