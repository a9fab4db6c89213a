//! The secret of a virtual machine and what is derived from it: payload secrets and the encrypted store's key.

use std::fmt;

use crate::dice::CDI_SIZE;
use crate::kdf::{hkdf_sha256, secret_sha256};
use crate::secret::{Secret, SecretBytes};

/// The greatest length of a payload secret, in bytes.
pub const MAX_PAYLOAD_SECRET: usize = 32;

/// The length of a secret of the Secretkeeper, in bytes.
pub const KEEPER_SECRET_SIZE: usize = 32;

const PAYLOAD_SALT: [u8; 32] = [
    0x8b, 0x0f, 0xf0, 0xd3, 0xb1, 0x69, 0x2b, 0x95, 0x84, 0x2c, 0x9e, 0x3c, 0x99, 0x56, 0x7a, 0x22, 0x55, 0xf8, 0x08,
    0x23, 0x81, 0x5f, 0xf5, 0x16, 0x20, 0x3e, 0xbe, 0xba, 0xb7, 0xa8, 0x43, 0x92,
];
const STORE_SALT: [u8; 32] = [
    0xfc, 0x1d, 0x35, 0x7b, 0x96, 0xf3, 0xef, 0x17, 0x78, 0x7d, 0x70, 0xed, 0xea, 0xfe, 0x1d, 0x6f, 0xb3, 0xf9, 0x40,
    0xce, 0xdd, 0x99, 0x40, 0xaa, 0xa7, 0x0e, 0x92, 0x73, 0x90, 0x86, 0x4a, 0x75,
];
const STORE_INFO: &[u8] = b"encryptedstore_key";

/// A payload asked for a secret of this many bytes, which is more than [`MAX_PAYLOAD_SECRET`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretTooLong(pub usize);

impl fmt::Display for SecretTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "size of a payload secret must be in 0..={MAX_PAYLOAD_SECRET} but was {}", self.0)
    }
}

impl std::error::Error for SecretTooLong {}

/// The secret from which all others of the payload are derived. The two versions give different secrets.
#[derive(Debug)]
pub struct VmSecret(Secret<32>);

impl VmSecret {
    /// Rollback protection by the instance image: the sealing CDI of the payload's layer.
    pub fn v1(cdi_seal: &Secret<CDI_SIZE>) -> Self {
        Self(cdi_seal.duplicate())
    }

    /// Rollback protection by the Secretkeeper: its secret, which older code does not get, is mixed in. A machine that
    /// is not protected uses 32 zeros.
    pub fn v2(cdi_seal: &Secret<CDI_SIZE>, keeper_secret: &Secret<KEEPER_SECRET_SIZE>) -> Self {
        Self(secret_sha256(&[cdi_seal.expose(), keeper_secret.expose()]))
    }

    /// The secret that a payload gets for an identifier of its choice.
    pub fn payload_secret(&self, identifier: &[u8], size: usize) -> Result<SecretBytes, SecretTooLong> {
        if size > MAX_PAYLOAD_SECRET {
            return Err(SecretTooLong(size));
        }
        SecretBytes::fill_with(size, |out| {
            hkdf_sha256(self.0.expose(), &PAYLOAD_SALT, identifier, out);
            Ok(())
        })
    }

    /// The key of the encrypted store, for aes-hctr2-plain64.
    pub fn encrypted_store_key(&self) -> Secret<32> {
        Secret::fill_with(|out| hkdf_sha256(self.0.expose(), &STORE_SALT, STORE_INFO, out))
    }
}
