//! Attestations of the payload: a key and a request that this guest makes, certificates that the host gets for them.

use avf_formats::attestation::KeyRequest;
use avf_formats::dice::{CDI_SIZE, Chain};
use avf_formats::secret::{Secret, SecretBytes};
use avf_formats::wire::{Attestation, Refusal, Response};

use super::host::AttestationResult;

/// Has the key of the payload's layer vouch for each new key.
pub struct LayerAttestor {
    pub chain: Chain,
    pub cdi_attest: Secret<CDI_SIZE>,
}

impl LayerAttestor {
    /// A new key and a request for certificates that name the challenge, which has at most 64 bytes.
    pub fn prepare(&self, challenge: &[u8]) -> Result<KeyRequest, Refusal> {
        KeyRequest::new(&self.chain, &self.cdi_attest, challenge).map_err(|error| Refusal::Failed(error.to_string()))
    }
}

/// What becomes of a key when the host has answered.
pub fn response(private_key: SecretBytes, result: AttestationResult) -> Response {
    match result {
        AttestationResult::Certificates(certificates) => Response::Attested(Attestation { private_key, certificates }),
        AttestationResult::Unsupported(reason) => Response::Refused(Refusal::Unsupported(reason)),
        AttestationResult::Failed(reason) => Response::Refused(Refusal::Failed(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::secrets::tests::{derived, record};

    #[test]
    fn the_payloads_layer_vouches_for_each_new_key() {
        let secrets = derived(1, &record(1, 1), false);
        let chain = secrets.chain.encoded().to_vec();
        let attestor = LayerAttestor { chain: secrets.chain, cdi_attest: secrets.cdi_attest };
        let first = attestor.prepare(b"challenge").unwrap();
        assert!(first.csr.windows(chain.len()).any(|part| part == chain));
        assert_ne!(attestor.prepare(b"challenge").unwrap().private_key.expose(), first.private_key.expose());
    }
}
