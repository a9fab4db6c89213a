//! How Microdroid's record is sealed: AES-256-GCM; nonce, ciphertext, tag; the header block is authenticated.

use aes_gcm::aead::AeadInPlace;
use aes_gcm::{Aes256Gcm, KeyInit};

use super::InstanceError;
use super::image::{MICRODROID, header_block};
use crate::dice::CDI_SIZE;
use crate::kdf::hkdf_sha256;
use crate::secret::{Secret, SecretBytes};

const NONCE: usize = 12;
const TAG: usize = 16;
const KEY_INFO: &[u8] = b"microdroid_manager_key";

/// Seals and opens records with a key that wipes itself.
#[derive(Debug)]
pub struct Sealer {
    key: Secret<32>,
}

impl Sealer {
    /// The key derives from the sealing CDI of the layer before the payload's: the one that was handed over.
    pub fn new(handed_over_cdi_seal: &Secret<CDI_SIZE>) -> Self {
        Self::of_key(Secret::fill_with(|out| hkdf_sha256(handed_over_cdi_seal.expose(), &[], KEY_INFO, out)))
    }

    /// A sealer with the key itself.
    pub fn of_key(key: Secret<32>) -> Self {
        Self { key }
    }

    /// The stored form of a plaintext, under a random nonce, for an entry whose header follows from its size.
    pub fn seal(&self, plain: &SecretBytes) -> Result<Vec<u8>, InstanceError> {
        let mut nonce = [0; NONCE];
        getrandom::getrandom(&mut nonce).map_err(|_| InstanceError::NoRandom)?;
        self.seal_with(plain, nonce)
    }

    pub(super) fn seal_with(&self, plain: &SecretBytes, nonce: [u8; NONCE]) -> Result<Vec<u8>, InstanceError> {
        let size = NONCE + plain.len() + TAG;
        let header = header_block(MICRODROID, size as u64);
        let mut sealed = Vec::with_capacity(size);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain.expose());
        let text = sealed.get_mut(NONCE..).unwrap_or_default();
        let tag = self
            .cipher()
            .encrypt_in_place_detached(&nonce.into(), &header, text)
            .map_err(|_| InstanceError::Full { size: size as u64 })?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens a stored form whose header block is given as it is stored.
    pub fn open(&self, sealed: &[u8], header: &[u8]) -> Result<SecretBytes, InstanceError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(InstanceError::NotOurs)?;
        let (text, tag) = rest.split_last_chunk::<TAG>().ok_or(InstanceError::NotOurs)?;
        SecretBytes::fill_with(text.len(), |out| {
            out.copy_from_slice(text);
            self.cipher()
                .decrypt_in_place_detached(nonce.into(), header, out, tag.into())
                .map_err(|_| InstanceError::NotOurs)
        })
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(self.key.expose().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key and nonce of `tests/data/api/instance.json`; the tag is at the end of the payload in `instance.img`.
    #[test]
    fn seals_as_the_vector_under_its_nonce() {
        let image = include_bytes!("../../tests/data/api/instance.img");
        let (header, sealed) = (&image[512..1024], &image[1024..1024 + 539]);
        let sealer = Sealer::of_key(Secret::fill_with(|key| key.iter_mut().zip(0..).for_each(|(byte, n)| *byte = n)));
        let plain = sealer.open(sealed, header).unwrap();
        let nonce = *sealed.first_chunk().unwrap();
        assert_eq!(nonce, [0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b]);
        assert_eq!(sealer.seal_with(&plain, nonce).unwrap(), sealed);
    }
}
