//! How this VM asks its host: for certificates, and for what the keeper of secrets has.

use avf_formats::attestation::KeyRequest;
use avf_formats::secret::SecretBytes;
use avf_formats::wire::{Refusal, Response};

use super::attestation::{self, LayerAttestor};
use super::errands::{Desk, Errand};
use super::host::AttestationResult;
use super::secretkeeper::{Asked, Session};
use crate::report::Report;

/// The desk of a running VM.
pub struct HostDesk {
    pub attestor: LayerAttestor,
    /// Only a VM with secrets of version 2 and a keeper has one.
    pub keeper: Option<Session>,
}

/// What waits for the host.
pub enum Pending {
    /// The private key that is to be certified.
    Attestation(SecretBytes),
    Kept(Asked),
}

impl HostDesk {
    fn keeper(&mut self) -> Result<&mut Session, Refusal> {
        let words = "this VM has no keeper of secrets: it needs to be updatable";
        self.keeper.as_mut().ok_or_else(|| Refusal::Unsupported(words.into()))
    }
}

impl Desk for HostDesk {
    type Pending = Pending;

    fn prepare(&mut self, errand: Errand) -> Result<(Report, Pending), Refusal> {
        let (report, asked) = match errand {
            Errand::Attest { challenge, test_mode } => {
                let KeyRequest { csr, private_key } = self.attestor.prepare(&challenge)?;
                return Ok((Report::AttestationRequest { test_mode, csr }, Pending::Attestation(private_key)));
            }
            Errand::ReadRollbackProtected => self.keeper()?.read()?,
            Errand::WriteRollbackProtected(value) => self.keeper()?.write(&value)?,
        };
        Ok((report, Pending::Kept(asked)))
    }

    fn settle(&mut self, pending: Pending, body: &[u8]) -> Result<Response, String> {
        match pending {
            Pending::Attestation(key) => {
                AttestationResult::parse(body).map(|result| attestation::response(key, result))
            }
            Pending::Kept(asked) => {
                let keeper = self.keeper.as_mut().ok_or("there is no session with a keeper")?;
                keeper.settle(asked, body)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::secrets::tests::{derived, record};
    use avf_formats::secret::Secret;

    #[test]
    fn without_a_keeper_nothing_is_asked_and_rollback_protection_is_unsupported() {
        let secrets = derived(1, &record(1, 1), false);
        let attestor = LayerAttestor { chain: secrets.chain, cdi_attest: secrets.cdi_attest };
        let mut desk = HostDesk { attestor, keeper: None };
        for errand in [Errand::ReadRollbackProtected, Errand::WriteRollbackProtected(Secret::copy_of(&[1; 32]))] {
            assert!(matches!(desk.prepare(errand).err(), Some(Refusal::Unsupported(_))));
        }
        let attest = Errand::Attest { challenge: vec![1], test_mode: true };
        let (report, pending) = desk.prepare(attest).unwrap();
        assert!(matches!(report, Report::AttestationRequest { test_mode: true, .. }));
        // The keeper's answer is none to this.
        assert!(desk.settle(pending, &[3, 0]).is_err());
    }
}
