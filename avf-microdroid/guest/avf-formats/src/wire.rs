//! What a payload asks the manager over its socket, `/dev/socket/vm_payload_service`.
//!
//! The client sends a request and reads one response, any number of times on one connection. A frame is the length of
//! its body (u32) and the body: a byte that says which, and fields. All integers are little-endian; "bytes" goes up to
//! the end of the body, "sized" is a u32 length and as many bytes. A body has at most 64 KiB in a request and at most
//! [`MAX_RESPONSE`] in a response; whoever reads a longer one, or one with bytes left over, closes the connection.
//!
//! | request | fields | response if it is OK |
//! |---|---|---|
//! | 1 notifyPayloadReady | | |
//! | 2 getVmInstanceSecret | u32 size, bytes identifier | bytes secret, of the size asked for |
//! | 3 getDiceAttestationChain | | bytes chain |
//! | 4 getDiceAttestationCdi | | bytes CDI |
//! | 5 requestAttestation | u8 test mode (0 or 1), bytes challenge | sized private key, u32 count, that many sized certificates, leaf first |
//! | 6 readRollbackProtectedSecret | | nothing if there is none, or 32 bytes |
//! | 7 writeRollbackProtectedSecret | 32 bytes | |
//! | 8 isNewInstance | | u8 (0 or 1) |
//!
//! | response | fields | means |
//! |---|---|---|
//! | 0 | as above | OK |
//! | 1 | bytes message | security: the call is restricted and the VM was not started from a configuration file |
//! | 2 | bytes message | illegal argument |
//! | 3 | bytes message | unsupported: neither this VM nor its host can do it |
//! | 4 | bytes message | failed: it should have worked, but did not |
//!
//! The numbers 1 to 5 are those of AVF's `IVmPayloadService`, of which this is a stand-in without Binder.

use std::fmt;
use std::io::{self, Read, Write};

use zeroize::Zeroize;

use crate::secret::{Secret, SecretBytes};

/// Where the manager listens.
pub const SOCKET_PATH: &str = "/dev/socket/vm_payload_service";

/// The longest body of a request.
pub const MAX_REQUEST: usize = 64 << 10;

/// The longest body of a response: a chain of 1 MiB and a little.
pub const MAX_RESPONSE: usize = (1 << 20) + (4 << 10);

/// The longest challenge of an attestation.
pub const MAX_CHALLENGE: usize = 64;

/// The length of the value that is protected against rollback.
pub const ROLLBACK_PROTECTED_SIZE: usize = 32;

/// The greatest number of certificates of an attestation.
const MAX_CERTIFICATES: usize = 64;
/// Messages are for people; a longer one is cut.
const MAX_MESSAGE: usize = 4096;

const OK: u8 = 0;

/// The body of a frame is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    /// In bytes from the start of the body.
    pub position: usize,
    pub reason: &'static str,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "payload service: {} (at byte {} of the frame)", self.reason, self.position)
    }
}

impl std::error::Error for WireError {}

/// What a payload asks.
#[derive(Debug)]
pub enum Request {
    NotifyPayloadReady,
    GetVmInstanceSecret { size: u32, identifier: Vec<u8> },
    GetDiceAttestationChain,
    GetDiceAttestationCdi,
    RequestAttestation { test_mode: bool, challenge: Vec<u8> },
    ReadRollbackProtectedSecret,
    WriteRollbackProtectedSecret(Secret<ROLLBACK_PROTECTED_SIZE>),
    IsNewInstance,
}

impl Request {
    /// The body of a frame.
    pub fn encode(&self) -> SecretBytes {
        let mut body = Vec::with_capacity(64);
        match self {
            Self::NotifyPayloadReady => body.push(1),
            Self::GetVmInstanceSecret { size, identifier } => {
                body.push(2);
                body.extend_from_slice(&size.to_le_bytes());
                body.extend_from_slice(identifier);
            }
            Self::GetDiceAttestationChain => body.push(3),
            Self::GetDiceAttestationCdi => body.push(4),
            Self::RequestAttestation { test_mode, challenge } => {
                body.push(5);
                body.push(u8::from(*test_mode));
                body.extend_from_slice(challenge);
            }
            Self::ReadRollbackProtectedSecret => body.push(6),
            Self::WriteRollbackProtectedSecret(value) => {
                body.push(7);
                body.extend_from_slice(value.expose());
            }
            Self::IsNewInstance => body.push(8),
        }
        SecretBytes::new(body)
    }

    /// Reads the body of a frame.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut fields = Fields { body, at: 0 };
        let request = match fields.byte()? {
            1 => Self::NotifyPayloadReady,
            2 => Self::GetVmInstanceSecret { size: fields.number()?, identifier: fields.rest().to_vec() },
            3 => Self::GetDiceAttestationChain,
            4 => Self::GetDiceAttestationCdi,
            5 => Self::RequestAttestation { test_mode: fields.bool()?, challenge: fields.rest().to_vec() },
            6 => Self::ReadRollbackProtectedSecret,
            7 => Self::WriteRollbackProtectedSecret(fields.value()?),
            8 => Self::IsNewInstance,
            _ => return Err(WireError { position: 0, reason: "unknown request" }),
        };
        fields.end()?;
        Ok(request)
    }
}

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
        let mut fields = Fields { body, at: 0 };
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
                let start = fields.at;
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
                let start = fields.at;
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

struct Fields<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn take(&mut self, size: usize) -> Result<&'a [u8], WireError> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let bytes = rest.get(..size).ok_or(WireError { position: self.at, reason: "body ends inside a field" })?;
        self.at += size;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, WireError> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    fn bool(&mut self) -> Result<bool, WireError> {
        let position = self.at;
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError { position, reason: "must be 0 or 1" }),
        }
    }

    fn number(&mut self) -> Result<u32, WireError> {
        Ok(self.take(4)?.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte)))
    }

    fn value(&mut self) -> Result<Secret<ROLLBACK_PROTECTED_SIZE>, WireError> {
        let position = self.at;
        Secret::copy_of_slice(self.rest()).ok_or(WireError { position, reason: "value must have 32 bytes" })
    }

    fn sized(&mut self) -> Result<&'a [u8], WireError> {
        let size = self.number()? as usize;
        self.take(size)
    }

    fn rest(&mut self) -> &'a [u8] {
        let rest = self.body.get(self.at..).unwrap_or_default();
        self.at = self.body.len();
        rest
    }

    fn is_at_end(&self) -> bool {
        self.at == self.body.len()
    }

    fn end(&self) -> Result<(), WireError> {
        if self.is_at_end() {
            Ok(())
        } else {
            Err(WireError { position: self.at, reason: "bytes follow the last field" })
        }
    }
}

/// Writes a frame. A body that is too long is a mistake of the caller and is not sent.
pub fn write_frame(to: &mut impl Write, body: &SecretBytes, limit: usize) -> io::Result<()> {
    if body.is_empty() || body.len() > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a frame of this size is not sent"));
    }
    to.write_all(&(body.len() as u32).to_le_bytes())?;
    to.write_all(body.expose())?;
    to.flush()
}

/// Reads the body of a frame; nothing at the end of the stream. Memory grows with what arrives, not with what a lying
/// length announces.
pub fn read_frame(from: &mut impl Read, limit: usize) -> io::Result<Option<SecretBytes>> {
    let mut length = [0; 4];
    let (first, others) = length.split_at_mut(1);
    loop {
        match from.read(first) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    from.read_exact(others)?;
    let length = u32::from_le_bytes(length) as usize;
    if length == 0 || length > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame of this size is not read"));
    }
    let mut body = Vec::new();
    let mut chunk = [0; 4096];
    while body.len() < length {
        let wanted = chunk.len().min(length - body.len());
        from.read_exact(&mut chunk[..wanted])?;
        append_wiping(&mut body, &chunk[..wanted]);
    }
    chunk.zeroize();
    Ok(Some(SecretBytes::new(body)))
}

/// Appends without leaving the outgrown array behind.
fn append_wiping(body: &mut Vec<u8>, bytes: &[u8]) {
    if body.len() + bytes.len() > body.capacity() {
        let mut larger = Vec::with_capacity(2 * (body.len() + bytes.len()));
        larger.extend_from_slice(body);
        body.zeroize();
        *body = larger;
    }
    body.extend_from_slice(bytes);
}
