//! Who protects the instance against older code, and the salt of its secrets.

use sha2::{Digest, Sha512};

use crate::payload::{Capability, VerifiedPayload};
use crate::{PvmfwError, Result};

/// The version that a service VM must have.
const SERVICE_VM_VERSION: u64 = 1;

/// The ways of protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The guest does it with a Secretkeeper.
    Deferred,
    /// The code must have one version: a service VM.
    Fixed,
    /// An instance image would remember the code. There is none, so that every boot is that of a new instance.
    Legacy,
}

/// A decision.
pub struct RollbackDecision {
    /// How it was decided.
    pub mode: Mode,
    /// Of the guest's secrets.
    pub salt: [u8; 64],
    /// Whether the instance has not run before, as far as the firmware knows.
    pub new_instance: bool,
}

impl RollbackDecision {
    /// Whether the guest protects itself: a bit of the hidden input.
    pub fn is_deferred(&self) -> bool {
        self.mode == Mode::Deferred
    }
}

/// Says who protects, and checks the rollback index where it decides.
pub fn mode_of(payload: &VerifiedPayload, host_asks_to_defer: bool) -> Result<Mode> {
    if payload.capabilities.has(Capability::RemoteAttest) {
        return match payload.rollback_index {
            SERVICE_VM_VERSION => Ok(Mode::Fixed),
            _ => Err(PvmfwError::RollbackIndexMismatch),
        };
    }
    let deferrable = payload.capabilities.has(Capability::TrustySecurityVm)
        || (host_asks_to_defer && payload.capabilities.has(Capability::SecretkeeperProtection));
    match (deferrable, payload.rollback_index) {
        (false, _) => Ok(Mode::Legacy),
        (true, 0) => Err(PvmfwError::RollbackIndexZero),
        (true, _) => Ok(Mode::Deferred),
    }
}

/// Decides. `random` gives 64 random bytes, if there are any.
pub fn decide(
    payload: &VerifiedPayload,
    instance_hash: Option<&[u8; 64]>,
    host_asks_to_defer: bool,
    random: impl FnOnce() -> Option<[u8; 64]>,
) -> Result<RollbackDecision> {
    let mode = mode_of(payload, host_asks_to_defer)?;
    let (salt, new_instance) = match mode {
        Mode::Legacy => {
            let random = random().ok_or(PvmfwError::NoRandomNumbers)?;
            // Labelled, so that no random value can be an instance hash.
            (Sha512::new().chain_update(b"RNG_BASED").chain_update(random).finalize().into(), true)
        }
        Mode::Deferred | Mode::Fixed => (*instance_hash.ok_or(PvmfwError::MissingInstanceId)?, false),
    };
    Ok(RollbackDecision { mode, salt, new_instance })
}
