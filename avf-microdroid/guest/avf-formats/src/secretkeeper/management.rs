//! What a client asks the keeper, and what it answers (SecretManagement.cddl).
//!
//! ```text
//! store: [2, bstr64 id, bstr32 secret, bstr policy]       [0]
//! get:   [3, bstr64 id, bstr policy / null]               [0, bstr32 secret]
//! refused:                                                [code, tstr]
//! ```

use super::KeeperError;
use crate::cbor::{Item, Writer, decode};
use crate::kdf::sha512;
use crate::secret::{Secret, SecretBytes};
use crate::secrets::KEEPER_SECRET_SIZE;

/// The length of the name of a secret, in bytes. The secret of a VM has its instance id as its name.
pub const ID_SIZE: usize = 64;

/// There is no secret of this name.
pub const ENTRY_NOT_FOUND: i64 = 3;
/// The client's chain does not match the policy of the secret.
pub const POLICY_MISMATCH: i64 = 5;
const STORE: u64 = 2;
const GET: u64 = 3;
const OK: i64 = 0;

/// What a refusal says is for people; a longer one is cut.
const MAX_REASON: usize = 1024;

/// The name of the value that a payload may keep: the SHA-512 of the instance id.
pub fn payload_value_id(instance_id: &[u8; ID_SIZE]) -> [u8; ID_SIZE] {
    sha512(&[instance_id])
}

/// A secret that nobody has seen yet.
pub fn random_secret() -> Result<Secret<KEEPER_SECRET_SIZE>, KeeperError> {
    let mut drawn = Ok(());
    let secret = Secret::fill_with(|out| drawn = getrandom::getrandom(out));
    drawn.map_err(|_| KeeperError::NoRandom).map(|()| secret)
}

/// Stores a secret in place of the one before, for whoever matches the policy.
pub fn store_request(id: &[u8; ID_SIZE], secret: &Secret<KEEPER_SECRET_SIZE>, policy: &[u8]) -> SecretBytes {
    let mut out = Writer::new();
    out.array(4).unsigned(STORE).bytes(id).bytes(secret.expose()).bytes(policy);
    out.finish_secret()
}

/// Gets a secret; the policy is its new one.
pub fn get_request(id: &[u8; ID_SIZE], policy: &[u8]) -> SecretBytes {
    let mut out = Writer::new();
    out.array(3).unsigned(GET).bytes(id).bytes(policy);
    out.finish_secret()
}

/// Reads the response to a store request.
pub fn store_response(response: &SecretBytes) -> Result<(), KeeperError> {
    let response = decode(response.expose())?;
    match result(&response)? {
        [] => Ok(()),
        _ => Err(KeeperError::structure(0, "response to store must have no result")),
    }
}

/// Reads the response to a get request; nothing if there is no secret of that name.
pub fn get_response(response: &SecretBytes) -> Result<Option<Secret<KEEPER_SECRET_SIZE>>, KeeperError> {
    let response = decode(response.expose())?;
    let items = match result(&response) {
        Err(KeeperError::Refused { code: ENTRY_NOT_FOUND, .. }) => return Ok(None),
        items => items?,
    };
    let [secret] = items else {
        return Err(KeeperError::structure(0, "response to get must have one result"));
    };
    let wrong = || KeeperError::structure(secret.position(), "secret must have 32 bytes");
    Secret::copy_of_slice(secret.as_bytes()?).ok_or_else(wrong).map(Some)
}

fn result<'r, 'a>(response: &'r Item<'a>) -> Result<&'r [Item<'a>], KeeperError> {
    let (code, rest) = response.as_array()?.split_first().ok_or_else(|| KeeperError::structure(0, "no response"))?;
    match (code.as_i64()?, rest) {
        (OK, rest) => Ok(rest),
        (code, rest) => {
            let reason = rest.first().and_then(|reason| reason.as_text().ok()).unwrap_or_default();
            Err(KeeperError::Refused { code, reason: reason.chars().take(MAX_REASON).collect() })
        }
    }
}
