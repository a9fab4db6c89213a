//! What the payload asks its manager: the answers that need nobody else.

use avf_formats::secret::SecretBytes;
use avf_formats::wire::{MAX_CHALLENGE, Refusal, Request, Response};

use super::errands::Errand;
use super::secrets::Secrets;

/// The payload service of one VM.
pub struct Service {
    pub secrets: Secrets,
    /// Whether the payload was started from a configuration file, and so may have the DICE chain and the CDI.
    pub restricted_allowed: bool,
    pub is_new_instance: bool,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Outcome {
    Answer(Response),
    /// The payload is ready, which the host is to be told once.
    Ready,
    /// The answer takes the host.
    AskHost(Errand),
}

impl Service {
    /// Takes the body of a request; an error means that the connection is not to be used any more.
    pub fn handle(&self, body: &[u8]) -> Result<Outcome, String> {
        let request = Request::decode(body).map_err(|error| error.to_string())?;
        Ok(Outcome::Answer(match request {
            Request::NotifyPayloadReady => return Ok(Outcome::Ready),
            Request::RequestAttestation { challenge, .. } if challenge.len() > MAX_CHALLENGE => {
                let words = format!("a challenge has at most {MAX_CHALLENGE} bytes but this has {}", challenge.len());
                Response::Refused(Refusal::IllegalArgument(words))
            }
            Request::RequestAttestation { test_mode, challenge } => {
                return Ok(Outcome::AskHost(Errand::Attest { challenge, test_mode }));
            }
            Request::GetVmInstanceSecret { size, identifier } => {
                match self.secrets.vm.payload_secret(&identifier, size as usize) {
                    Ok(secret) => Response::Bytes(secret),
                    Err(error) => Response::Refused(Refusal::IllegalArgument(error.to_string())),
                }
            }
            Request::GetDiceAttestationChain => self.restricted(|secrets| secrets.chain.encoded()),
            Request::GetDiceAttestationCdi => self.restricted(|secrets| secrets.cdi_attest.expose()),
            Request::ReadRollbackProtectedSecret => return Ok(Outcome::AskHost(Errand::ReadRollbackProtected)),
            Request::WriteRollbackProtectedSecret(value) => {
                return Ok(Outcome::AskHost(Errand::WriteRollbackProtected(value)));
            }
            Request::IsNewInstance => Response::Bool(self.is_new_instance),
        }))
    }

    fn restricted<'a>(&'a self, value: impl FnOnce(&'a Secrets) -> &'a [u8]) -> Response {
        if self.restricted_allowed {
            Response::Bytes(SecretBytes::new(value(&self.secrets).to_vec()))
        } else {
            let words = "only a payload that was started from a configuration file may call this";
            Response::Refused(Refusal::Security(words.into()))
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::manager::secrets::tests::{derived, record};
    use avf_formats::secret::Secret;

    pub fn service(restricted_allowed: bool) -> Service {
        Service { secrets: derived(1, &record(1, 1), false), restricted_allowed, is_new_instance: true }
    }

    fn answer(service: &Service, request: &Request) -> Response {
        match service.handle(request.encode().expose()).unwrap() {
            Outcome::Answer(response) => response,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn gives_secrets_of_the_size_asked_for_and_no_longer_ones() {
        let service = service(false);
        let secret = |size| answer(&service, &Request::GetVmInstanceSecret { size, identifier: b"x".to_vec() });
        assert!(matches!(secret(16), Response::Bytes(bytes) if bytes.len() == 16));
        assert!(matches!(secret(33), Response::Refused(Refusal::IllegalArgument(_))));
        assert!(matches!(secret(u32::MAX), Response::Refused(Refusal::IllegalArgument(_))));
    }

    #[test]
    fn the_chain_and_the_cdi_are_for_payloads_with_a_configuration_only() {
        for request in [Request::GetDiceAttestationChain, Request::GetDiceAttestationCdi] {
            assert!(matches!(answer(&service(false), &request), Response::Refused(Refusal::Security(_))));
        }
        let allowed = service(true);
        let Response::Bytes(chain) = answer(&allowed, &Request::GetDiceAttestationChain) else { panic!() };
        assert_eq!(chain.expose(), allowed.secrets.chain.encoded());
        assert!(matches!(answer(&allowed, &Request::GetDiceAttestationCdi), Response::Bytes(cdi) if cdi.len() == 32));
    }

    #[test]
    fn passes_on_what_it_cannot_answer_itself() {
        let service = service(false);
        let outcome = |request: &Request| service.handle(request.encode().expose()).unwrap();
        assert!(matches!(outcome(&Request::NotifyPayloadReady), Outcome::Ready));
        let attest = |size| Request::RequestAttestation { test_mode: true, challenge: vec![5; size] };
        assert!(
            matches!(outcome(&attest(64)), Outcome::AskHost(Errand::Attest { challenge, test_mode: true }) if challenge.len() == 64)
        );
        assert!(matches!(outcome(&attest(65)), Outcome::Answer(Response::Refused(Refusal::IllegalArgument(_)))));
        let read = outcome(&Request::ReadRollbackProtectedSecret);
        assert!(matches!(read, Outcome::AskHost(Errand::ReadRollbackProtected)));
        let write = outcome(&Request::WriteRollbackProtectedSecret(Secret::copy_of(&[3; 32])));
        assert!(matches!(write, Outcome::AskHost(Errand::WriteRollbackProtected(value)) if value.expose() == &[3; 32]));
    }

    #[test]
    fn says_whether_the_instance_is_new() {
        let service = service(false);
        assert!(matches!(answer(&service, &Request::IsNewInstance), Response::Bool(true)));
    }

    #[test]
    fn bytes_that_are_no_request_end_the_connection() {
        for body in [&[][..], &[0], &[9], &[1, 1], &[2, 1], &[5, 2]] {
            assert!(service(true).handle(body).is_err(), "{body:?}");
        }
    }
}
