//! Requests of a payload.

use super::fields::Fields;
use super::{ROLLBACK_PROTECTED_SIZE, WireError};
use crate::secret::{Secret, SecretBytes};

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
        let mut fields = Fields::new(body);
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
