//! Responses of the manager.

use std::fmt;

use super::fields::Fields;
use super::{ROLLBACK_PROTECTED_SIZE, Request, WireError};
use crate::secret::{Secret, SecretBytes};

/// The greatest number of certificates of an attestation.
const MAX_CERTIFICATES: usize = 64;
/// Messages are for people; a longer one is cut.
const MAX_MESSAGE: usize = 4096;

const OK: u8 = 0;

/// Why the manager does not do what a payload asks; the message is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Security(String),
    IllegalArgument(String),
    Unsupported(String),
    Failed(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Security(message) => write!(f, "not allowed: {message}"),
            Self::IllegalArgument(message) => write!(f, "illegal argument: {message}"),
            Self::Unsupported(message) => write!(f, "unsupported: {message}"),
            Self::Failed(message) => write!(f, "failed: {message}"),
        }
    }
}

/// An attestation of the payload.
#[derive(Debug)]
pub struct Attestation {
    /// DER of an `ECPrivateKey` of P-256.
    pub private_key: SecretBytes,
    /// DER of X.509, leaf first.
    pub certificates: Vec<Vec<u8>>,
}

/// What the manager answers. Which kind of value it is follows from the request.
#[derive(Debug)]
pub enum Response {
    Done,
    Bytes(SecretBytes),
    Attested(Attestation),
    RollbackProtected(Option<Secret<ROLLBACK_PROTECTED_SIZE>>),
    Bool(bool),
    Refused(Refusal),
}

impl Response {
    /// The body of a frame.
    pub fn encode(&self) -> SecretBytes {
        let size = match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Attested(attestation) => {
                let certificates: usize = attestation.certificates.iter().map(|bytes| 4 + bytes.len()).sum();
                8 + attestation.private_key.len() + certificates
            }
            _ => ROLLBACK_PROTECTED_SIZE,
        };
        // The full size at once, so that growing leaves no copy of a secret behind.
        let mut body = Vec::with_capacity(1 + size);
        body.push(OK);
        match self {
            Self::Done => {}
            Self::Bytes(bytes) => body.extend_from_slice(bytes.expose()),
            Self::Attested(attestation) => {
                put_sized(&mut body, attestation.private_key.expose());
                body.extend_from_slice(&(attestation.certificates.len() as u32).to_le_bytes());
                for certificate in &attestation.certificates {
                    put_sized(&mut body, certificate);
                }
            }
            Self::RollbackProtected(value) => {
                if let Some(value) = value {
                    body.extend_from_slice(value.expose());
                }
            }
            Self::Bool(value) => body.push(u8::from(*value)),
            Self::Refused(refusal) => {
                let (code, message) = match refusal {
                    Refusal::Security(message) => (1, message),
                    Refusal::IllegalArgument(message) => (2, message),
                    Refusal::Unsupported(message) => (3, message),
                    Refusal::Failed(message) => (4, message),
                };
                body[0] = code;
                body.extend(message.bytes().take(MAX_MESSAGE));
            }
        }
        SecretBytes::new(body)
    }

    /// Reads the body of the frame that answers a request.
    pub fn decode(request: &Request, body: &[u8]) -> Result<Self, WireError> {
        let mut fields = Fields::new(body);
        let refusal = match fields.byte()? {
            OK => {
                let response = Self::decode_value(request, &mut fields)?;
                fields.end()?;
                return Ok(response);
            }
            1 => Refusal::Security,
            2 => Refusal::IllegalArgument,
            3 => Refusal::Unsupported,
            4 => Refusal::Failed,
            _ => return Err(WireError { position: 0, reason: "unknown response" }),
        };
        let message = fields.rest();
        let message = message.get(..MAX_MESSAGE).unwrap_or(message);
        Ok(Self::Refused(refusal(String::from_utf8_lossy(message).into_owned())))
    }

    fn decode_value(request: &Request, fields: &mut Fields<'_>) -> Result<Self, WireError> {
        Ok(match request {
            Request::NotifyPayloadReady | Request::WriteRollbackProtectedSecret(_) => Self::Done,
            Request::GetVmInstanceSecret { size, .. } => {
                let start = fields.position();
                let secret = SecretBytes::new(fields.rest().to_vec());
                if u32::try_from(secret.len()) != Ok(*size) {
                    return Err(WireError { position: start, reason: "secret has not the size asked for" });
                }
                Self::Bytes(secret)
            }
            Request::GetDiceAttestationChain | Request::GetDiceAttestationCdi => {
                Self::Bytes(SecretBytes::new(fields.rest().to_vec()))
            }
            Request::RequestAttestation { .. } => {
                let private_key = SecretBytes::new(fields.sized()?.to_vec());
                let start = fields.position();
                let count = fields.number()? as usize;
                if count > MAX_CERTIFICATES {
                    return Err(WireError { position: start, reason: "more than 64 certificates" });
                }
                let certificates = (0..count).map(|_| Ok(fields.sized()?.to_vec())).collect::<Result<_, _>>()?;
                Self::Attested(Attestation { private_key, certificates })
            }
            Request::ReadRollbackProtectedSecret if fields.is_at_end() => Self::RollbackProtected(None),
            Request::ReadRollbackProtectedSecret => Self::RollbackProtected(Some(fields.value()?)),
            Request::IsNewInstance => Self::Bool(fields.bool()?),
        })
    }
}

fn put_sized(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    body.extend_from_slice(bytes);
}
