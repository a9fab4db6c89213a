//! Attestations of the payload: a key and a request that this guest makes, certificates that the host gets for them.
//!
//! The host answers one request at a time, in its own time. A request that waits too long fails; as answers bear no
//! number, nothing more is asked until its late answer has come.

use std::collections::VecDeque;
use std::time::Duration;

use avf_formats::attestation::KeyRequest;
use avf_formats::dice::{CDI_SIZE, Chain};
use avf_formats::secret::{Secret, SecretBytes};
use avf_formats::wire::{Attestation, Refusal, Response};

use super::host::AttestationResult;
use crate::report::{MAX_BODY_BYTES, Report};
use crate::sys::Deadline;

/// How long the host may take to get certificates.
const LIMIT: Duration = Duration::from_secs(60);

/// Kind and test mode of the report.
const REPORT_HEAD_BYTES: usize = 2;

/// Who asked: a connection of the payload. Numbers are never used twice.
pub type ClientId = u64;

/// An answer for a client, which may be gone by now.
pub type Answer = (ClientId, Response);

/// Makes the key that is attested.
pub trait Attestor {
    /// A new key and a request for certificates that name the challenge, which has at most 64 bytes.
    fn prepare(&mut self, challenge: &[u8]) -> Result<KeyRequest, Refusal>;
}

/// Has the key of the payload's layer vouch for each new key.
pub struct LayerAttestor {
    pub chain: Chain,
    pub cdi_attest: Secret<CDI_SIZE>,
}

impl Attestor for LayerAttestor {
    fn prepare(&mut self, challenge: &[u8]) -> Result<KeyRequest, Refusal> {
        KeyRequest::new(&self.chain, &self.cdi_attest, challenge).map_err(|error| Refusal::Failed(error.to_string()))
    }
}

/// One that was asked and has not been looked at.
struct Waiting {
    client: ClientId,
    challenge: Vec<u8>,
    test_mode: bool,
}

enum State {
    Idle,
    Asked {
        client: ClientId,
        private_key: SecretBytes,
        deadline: Deadline,
    },
    /// The answer to a request that was given up is still to come.
    Late,
    /// The host cannot be understood any more, for this reason.
    Broken(String),
}

/// The requests of all clients. Memory is bounded by the count of connections, each of which has at most one.
pub struct Attestations<A> {
    attestor: A,
    waiting: VecDeque<Waiting>,
    state: State,
}

impl<A: Attestor> Attestations<A> {
    pub fn new(attestor: A) -> Self {
        Self { attestor, waiting: VecDeque::new(), state: State::Idle }
    }

    /// Takes a request; [`Self::go_on`] then says what becomes of it.
    pub fn request(&mut self, client: ClientId, challenge: Vec<u8>, test_mode: bool) {
        self.waiting.push_back(Waiting { client, challenge, test_mode });
    }

    /// When a request is to be given up, if nothing comes before.
    pub fn deadline(&self) -> Option<Deadline> {
        match self.state {
            State::Asked { deadline, .. } => Some(deadline),
            _ => None,
        }
    }

    /// What came from the host: the body of a frame, or why nothing can come any more.
    pub fn receive(&mut self, body: Result<Vec<u8>, String>) -> Option<Answer> {
        let result = body.and_then(|body| AttestationResult::parse(&body));
        let (next, result) = match result {
            Ok(result) => (State::Idle, Ok(result)),
            Err(reason) => (State::Broken(reason.clone()), Err(reason)),
        };
        match std::mem::replace(&mut self.state, next) {
            State::Asked { client, private_key, .. } => Some((client, response(private_key, result))),
            State::Late => None,
            State::Idle => {
                if let Ok(_unasked) = result {
                    self.state = State::Broken("the host answered what was not asked".into());
                }
                None
            }
            broken @ State::Broken(_) => {
                self.state = broken;
                None
            }
        }
    }

    /// Gives up what has waited too long and asks for what is next. Call it until it returns nothing.
    pub fn go_on(&mut self, send: &mut dyn FnMut(&Report)) -> Option<Answer> {
        match &self.state {
            State::Asked { client, deadline, .. } if deadline.passed() => {
                let client = *client;
                self.state = State::Late;
                Some((client, failed(format!("the host did not answer within {LIMIT:?}"))))
            }
            State::Asked { .. } => None,
            State::Late => {
                let next = self.waiting.pop_front()?;
                Some((next.client, failed("the host has not answered an earlier request")))
            }
            State::Broken(reason) => {
                let next = self.waiting.pop_front()?;
                Some((next.client, failed(format!("no answer from the host: {reason}"))))
            }
            State::Idle => {
                let next = self.waiting.pop_front()?;
                self.ask(next, send)
            }
        }
    }

    fn ask(&mut self, next: Waiting, send: &mut dyn FnMut(&Report)) -> Option<Answer> {
        let Waiting { client, challenge, test_mode } = next;
        match self.attestor.prepare(&challenge) {
            Err(refusal) => Some((client, Response::Refused(refusal))),
            Ok(KeyRequest { csr, .. }) if csr.len() + REPORT_HEAD_BYTES > MAX_BODY_BYTES => {
                Some((client, failed(format!("a request of {} bytes is not sent", csr.len()))))
            }
            Ok(KeyRequest { private_key, csr }) => {
                send(&Report::AttestationRequest { test_mode, csr });
                self.state = State::Asked { client, private_key, deadline: Deadline::after(LIMIT) };
                None
            }
        }
    }
}

fn response(private_key: SecretBytes, result: Result<AttestationResult, String>) -> Response {
    match result {
        Ok(AttestationResult::Certificates(certificates)) => {
            Response::Attested(Attestation { private_key, certificates })
        }
        Ok(AttestationResult::Unsupported(reason)) => Response::Refused(Refusal::Unsupported(reason)),
        Ok(AttestationResult::Failed(reason)) => failed(reason),
        Err(reason) => failed(format!("no answer from the host: {reason}")),
    }
}

fn failed(reason: impl Into<String>) -> Response {
    Response::Refused(Refusal::Failed(reason.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::secrets::tests::{derived, record};

    /// Whose key is the challenge.
    struct Echo;

    impl Attestor for Echo {
        fn prepare(&mut self, challenge: &[u8]) -> Result<KeyRequest, Refusal> {
            if challenge.is_empty() {
                return Err(Refusal::Unsupported("no".into()));
            }
            Ok(KeyRequest { private_key: SecretBytes::new(challenge.to_vec()), csr: challenge.to_vec() })
        }
    }

    const RESULT: [u8; 7] = [2, 0, 1, 0, 0, 0, 0x30];

    fn asked(attestations: &mut Attestations<impl Attestor>) -> (Option<Answer>, Vec<Report>) {
        let mut sent = Vec::new();
        let answer = attestations.go_on(&mut |report| sent.push(report.clone()));
        (answer, sent)
    }

    fn refusal(answer: Option<Answer>) -> (ClientId, Refusal) {
        match answer {
            Some((client, Response::Refused(refusal))) => (client, refusal),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn asks_one_at_a_time_and_gives_each_its_own_key() {
        let mut attestations = Attestations::new(Echo);
        attestations.request(7, vec![1], true);
        attestations.request(8, vec![2], false);
        let first = Report::AttestationRequest { test_mode: true, csr: vec![1] };
        assert!(matches!(asked(&mut attestations), (None, sent) if sent == [first]));
        assert!(matches!(asked(&mut attestations), (None, sent) if sent.is_empty()));
        assert!(attestations.deadline().is_some());
        let Some((7, Response::Attested(attestation))) = attestations.receive(Ok(RESULT.to_vec())) else { panic!() };
        assert_eq!((attestation.private_key.expose(), attestation.certificates), (&[1][..], vec![vec![0x30]]));
        let second = Report::AttestationRequest { test_mode: false, csr: vec![2] };
        assert!(matches!(asked(&mut attestations), (None, sent) if sent == [second]));
        let unsupported = attestations.receive(Ok(vec![2, 1, b'n']));
        assert_eq!(refusal(unsupported), (8, Refusal::Unsupported("n".into())));
    }

    #[test]
    fn a_late_answer_is_not_taken_for_that_of_the_next_request() {
        let mut attestations = Attestations::new(Echo);
        attestations.state = State::Asked {
            client: 1,
            private_key: SecretBytes::new(vec![]),
            deadline: Deadline::after(Duration::ZERO),
        };
        attestations.request(2, vec![2], false);
        assert_eq!(refusal(asked(&mut attestations).0).0, 1);
        let (client, reason) = refusal(asked(&mut attestations).0);
        assert!(client == 2 && reason.to_string().contains("earlier request"));
        assert!(attestations.receive(Ok(RESULT.to_vec())).is_none());
        attestations.request(3, vec![3], false);
        assert_eq!(asked(&mut attestations).1.len(), 1);
    }

    #[test]
    fn a_host_that_cannot_be_understood_fails_all_requests() {
        for broken in [Ok(vec![9]), Err("closed".to_owned()), Ok(vec![2, 0])] {
            let mut attestations = Attestations::new(Echo);
            attestations.request(1, vec![1], false);
            assert!(asked(&mut attestations).0.is_none());
            assert!(matches!(refusal(attestations.receive(broken)), (1, Refusal::Failed(_))));
            attestations.request(2, vec![1], false);
            let (answer, sent) = asked(&mut attestations);
            assert!(matches!(refusal(answer), (2, Refusal::Failed(_))) && sent.is_empty());
        }
    }

    #[test]
    fn an_answer_that_nobody_asked_for_is_never_used() {
        let mut attestations = Attestations::new(Echo);
        assert!(attestations.receive(Ok(RESULT.to_vec())).is_none());
        attestations.request(1, vec![1], false);
        assert!(refusal(asked(&mut attestations).0).1.to_string().contains("not asked"));
    }

    #[test]
    fn what_cannot_be_prepared_and_a_request_too_long_are_not_sent() {
        let mut attestations = Attestations::new(Echo);
        attestations.request(1, vec![], false);
        assert!(matches!(refusal(asked(&mut attestations).0), (1, Refusal::Unsupported(_))));
        attestations.request(1, vec![0; MAX_BODY_BYTES - 1], false);
        let (answer, sent) = asked(&mut attestations);
        assert!(matches!(refusal(answer), (1, Refusal::Failed(_))) && sent.is_empty());
    }

    #[test]
    fn the_payloads_layer_vouches_for_each_new_key() {
        let secrets = derived(1, &record(1, 1), false);
        let chain = secrets.chain.encoded().to_vec();
        let mut attestor = LayerAttestor { chain: secrets.chain, cdi_attest: secrets.cdi_attest };
        let first = attestor.prepare(b"challenge").unwrap();
        assert!(first.csr.windows(chain.len()).any(|part| part == chain));
        assert_ne!(attestor.prepare(b"challenge").unwrap().private_key.expose(), first.private_key.expose());
    }
}
