//! The client's side of the manager's socket.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use avf_formats::secret::{Secret, SecretBytes};
use avf_formats::wire::{
    MAX_CHALLENGE, MAX_REQUEST, MAX_RESPONSE, ROLLBACK_PROTECTED_SIZE, Refusal, Request, Response, SOCKET_PATH,
    WireError, read_frame, write_frame,
};

use crate::attestation::Attested;

/// Names another socket, for tests and for tools outside a virtual machine.
pub const SOCKET_VARIABLE: &str = "AVF_VM_PAYLOAD_SERVICE";

/// Why a call has no result.
#[derive(Debug)]
pub enum CallError {
    /// The manager's socket does not answer.
    Unreachable(io::Error),
    /// The manager answers what is no answer to the request.
    Protocol(WireError),
    /// The manager does not do it.
    Refused(Refusal),
    /// The request itself is not possible.
    Invalid(String),
}

impl From<WireError> for CallError {
    fn from(error: WireError) -> Self {
        Self::Protocol(error)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(f, "the virtual machine's payload service cannot be reached: {error}"),
            Self::Protocol(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Invalid(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for CallError {}

/// Calls the manager, on a new connection each time.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// A client of the manager of this virtual machine.
    pub fn new() -> Self {
        let socket = std::env::var_os(SOCKET_VARIABLE).unwrap_or_else(|| OsString::from(SOCKET_PATH));
        Self { socket: socket.into() }
    }

    /// Tells the host that the payload serves clients.
    pub fn notify_payload_ready(&self) -> Result<(), CallError> {
        self.call(&Request::NotifyPayloadReady).map(|_| ())
    }

    /// The secret of this instance for an identifier, at most 32 bytes.
    pub fn vm_instance_secret(&self, identifier: &[u8], size: usize) -> Result<SecretBytes, CallError> {
        let size = u32::try_from(size).map_err(|_| CallError::Invalid("secret is too long".into()))?;
        let request = Request::GetVmInstanceSecret { size, identifier: identifier.to_vec() };
        self.bytes(&request)
    }

    /// The chain up to the payload's layer; for payloads that were started from a configuration file.
    pub fn dice_attestation_chain(&self) -> Result<SecretBytes, CallError> {
        self.bytes(&Request::GetDiceAttestationChain)
    }

    /// The CDI to attest with; for payloads that were started from a configuration file.
    pub fn dice_attestation_cdi(&self) -> Result<SecretBytes, CallError> {
        self.bytes(&Request::GetDiceAttestationCdi)
    }

    /// An attestation of the payload that contains the challenge, at most 64 bytes.
    pub fn request_attestation(&self, challenge: &[u8], test_mode: bool) -> Result<Attested, CallError> {
        if challenge.len() > MAX_CHALLENGE {
            return Err(CallError::Invalid(format!("a challenge has at most {MAX_CHALLENGE} bytes")));
        }
        match self.call(&Request::RequestAttestation { test_mode, challenge: challenge.to_vec() })? {
            Response::Attested(attestation) => Attested::new(attestation)
                .ok_or_else(|| CallError::Refused(Refusal::Failed("the attestation has no usable key".into()))),
            _ => Err(unexpected()),
        }
    }

    /// The value that was last written, if there is one.
    pub fn rollback_protected_secret(&self) -> Result<Option<Secret<ROLLBACK_PROTECTED_SIZE>>, CallError> {
        match self.call(&Request::ReadRollbackProtectedSecret)? {
            Response::RollbackProtected(value) => Ok(value),
            _ => Err(unexpected()),
        }
    }

    /// Keeps a value where an older state of the instance's disks does not bring an older value back.
    pub fn write_rollback_protected_secret(&self, value: Secret<ROLLBACK_PROTECTED_SIZE>) -> Result<(), CallError> {
        self.call(&Request::WriteRollbackProtectedSecret(value)).map(|_| ())
    }

    /// Whether this is the first boot of the instance.
    pub fn is_new_instance(&self) -> Result<bool, CallError> {
        match self.call(&Request::IsNewInstance)? {
            Response::Bool(value) => Ok(value),
            _ => Err(unexpected()),
        }
    }

    fn bytes(&self, request: &Request) -> Result<SecretBytes, CallError> {
        match self.call(request)? {
            Response::Bytes(bytes) => Ok(bytes),
            _ => Err(unexpected()),
        }
    }

    fn call(&self, request: &Request) -> Result<Response, CallError> {
        let body = request.encode();
        if body.len() > MAX_REQUEST {
            return Err(CallError::Invalid(format!("a request has at most {MAX_REQUEST} bytes")));
        }
        let answer = self.exchange(&body).map_err(CallError::Unreachable)?;
        match Response::decode(request, answer.expose())? {
            Response::Refused(refusal) => Err(CallError::Refused(refusal)),
            response => Ok(response),
        }
    }

    fn exchange(&self, body: &SecretBytes) -> io::Result<SecretBytes> {
        let mut connection = Connection(UnixStream::connect(&self.socket)?);
        write_frame(&mut connection, body, MAX_REQUEST)?;
        read_frame(&mut connection, MAX_RESPONSE)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

/// Which response a request has is decided when it is decoded.
fn unexpected() -> CallError {
    CallError::Protocol(WireError { position: 0, reason: "another response than the request's" })
}

/// A stream that never raises SIGPIPE, whose disposition is the payload's.
struct Connection(UnixStream);

impl Read for Connection {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.0.read(target)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: pointer and length are those of a slice.
        let sent = unsafe { libc::send(self.0.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
