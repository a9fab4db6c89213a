//! What the payload asks and only the host can answer: one errand after the other.
//!
//! The host answers in its own time. An errand that waits too long fails; as answers bear no number, nothing more is
//! asked until its late answer has come.

use std::collections::VecDeque;
use std::time::Duration;

use avf_formats::secret::Secret;
use avf_formats::wire::{ROLLBACK_PROTECTED_SIZE, Refusal, Response};

use crate::report::{MAX_BODY_BYTES, Report};
use crate::sys::Deadline;

/// How long the host may take: it may have to get certificates from elsewhere.
const LIMIT: Duration = Duration::from_secs(60);

/// The length before the body of a frame.
const LENGTH_BYTES: usize = 4;

/// Who asked: a connection of the payload. Numbers are never used twice.
pub type ClientId = u64;

/// An answer for a client, which may be gone by now.
pub type Answer = (ClientId, Response);

/// What a client wants.
#[derive(Debug)]
pub enum Errand {
    Attest { challenge: Vec<u8>, test_mode: bool },
    ReadRollbackProtected,
    WriteRollbackProtected(Secret<ROLLBACK_PROTECTED_SIZE>),
}

/// Turns errands into reports, and what the host says into answers.
pub trait Desk {
    /// What an errand leaves behind until its answer comes.
    type Pending;

    /// What to ask the host.
    fn prepare(&mut self, errand: Errand) -> Result<(Report, Self::Pending), Refusal>;

    /// What the body of the host's frame means; an error if it answers no such errand.
    fn settle(&mut self, pending: Self::Pending, body: &[u8]) -> Result<Response, String>;
}

enum State<P> {
    Idle,
    Asked {
        client: ClientId,
        pending: P,
        deadline: Deadline,
    },
    /// The answer to an errand that was given up is still to come.
    Late(P),
    /// The host cannot be understood any more, for this reason.
    Broken(String),
}

/// The errands of all clients. Memory is bounded by the count of connections, each of which has at most one.
pub struct Errands<D: Desk> {
    desk: D,
    waiting: VecDeque<(ClientId, Errand)>,
    state: State<D::Pending>,
}

impl<D: Desk> Errands<D> {
    pub fn new(desk: D) -> Self {
        Self { desk, waiting: VecDeque::new(), state: State::Idle }
    }

    /// Takes an errand; [`Self::go_on`] then says what becomes of it.
    pub fn request(&mut self, client: ClientId, errand: Errand) {
        self.waiting.push_back((client, errand));
    }

    /// When an errand is to be given up, if nothing comes before.
    pub fn deadline(&self) -> Option<Deadline> {
        match self.state {
            State::Asked { deadline, .. } => Some(deadline),
            _ => None,
        }
    }

    /// What came from the host: the body of a frame, or why nothing can come any more.
    pub fn receive(&mut self, body: Result<Vec<u8>, String>) -> Option<Answer> {
        let (client, pending) = match std::mem::replace(&mut self.state, State::Idle) {
            State::Asked { client, pending, .. } => (Some(client), pending),
            State::Late(pending) => (None, pending),
            State::Idle => {
                let reason = body.err().unwrap_or_else(|| "the host answered what was not asked".into());
                self.state = State::Broken(reason);
                return None;
            }
            broken @ State::Broken(_) => {
                self.state = broken;
                return None;
            }
        };
        // An answer that comes late is looked at, too: it may be part of a session.
        let response = body.and_then(|body| self.desk.settle(pending, &body)).unwrap_or_else(|reason| {
            self.state = State::Broken(reason.clone());
            failed(format!("no answer from the host: {reason}"))
        });
        client.map(|client| (client, response))
    }

    /// Gives up what has waited too long and asks for what is next. Call it until it returns nothing.
    pub fn go_on(&mut self, send: &mut dyn FnMut(&Report)) -> Option<Answer> {
        if let State::Asked { client, deadline, .. } = &self.state {
            if !deadline.passed() {
                return None;
            }
            let client = *client;
            if let State::Asked { pending, .. } = std::mem::replace(&mut self.state, State::Idle) {
                self.state = State::Late(pending);
            }
            return Some((client, failed(format!("the host did not answer within {LIMIT:?}"))));
        }
        let (client, errand) = self.waiting.pop_front()?;
        match &self.state {
            State::Late(_) => Some((client, failed("the host has not answered an earlier request"))),
            State::Broken(reason) => Some((client, failed(format!("no answer from the host: {reason}")))),
            _ => self.ask(client, errand, send),
        }
    }

    fn ask(&mut self, client: ClientId, errand: Errand, send: &mut dyn FnMut(&Report)) -> Option<Answer> {
        match self.desk.prepare(errand) {
            Err(refusal) => Some((client, Response::Refused(refusal))),
            Ok((report, _)) if report.encode().len() > LENGTH_BYTES + MAX_BODY_BYTES => {
                Some((client, failed(format!("a request of {} bytes is not sent", report.encode().len()))))
            }
            Ok((report, pending)) => {
                send(&report);
                self.state = State::Asked { client, pending, deadline: Deadline::after(LIMIT) };
                None
            }
        }
    }
}

fn failed(reason: impl Into<String>) -> Response {
    Response::Refused(Refusal::Failed(reason.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::attestation;
    use crate::manager::host::AttestationResult;
    use avf_formats::secret::SecretBytes;

    /// Whose key is the challenge.
    struct Echo;

    impl Desk for Echo {
        type Pending = Vec<u8>;

        fn prepare(&mut self, errand: Errand) -> Result<(Report, Vec<u8>), Refusal> {
            let Errand::Attest { challenge, test_mode } = errand else { panic!("{errand:?}") };
            if challenge.is_empty() {
                return Err(Refusal::Unsupported("no".into()));
            }
            Ok((Report::AttestationRequest { test_mode, csr: challenge.clone() }, challenge))
        }

        fn settle(&mut self, pending: Vec<u8>, body: &[u8]) -> Result<Response, String> {
            AttestationResult::parse(body).map(|result| attestation::response(SecretBytes::new(pending), result))
        }
    }

    impl<D: Desk> Errands<D> {
        fn attest(&mut self, client: ClientId, challenge: Vec<u8>, test_mode: bool) {
            self.request(client, Errand::Attest { challenge, test_mode });
        }
    }

    const RESULT: [u8; 7] = [2, 0, 1, 0, 0, 0, 0x30];

    fn asked(errands: &mut Errands<Echo>) -> (Option<Answer>, Vec<Report>) {
        let mut sent = Vec::new();
        let answer = errands.go_on(&mut |report| sent.push(report.clone()));
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
        let mut errands = Errands::new(Echo);
        errands.attest(7, vec![1], true);
        errands.attest(8, vec![2], false);
        let first = Report::AttestationRequest { test_mode: true, csr: vec![1] };
        assert!(matches!(asked(&mut errands), (None, sent) if sent == [first]));
        assert!(matches!(asked(&mut errands), (None, sent) if sent.is_empty()));
        assert!(errands.deadline().is_some());
        let Some((7, Response::Attested(attestation))) = errands.receive(Ok(RESULT.to_vec())) else { panic!() };
        assert_eq!((attestation.private_key.expose(), attestation.certificates), (&[1][..], vec![vec![0x30]]));
        let second = Report::AttestationRequest { test_mode: false, csr: vec![2] };
        assert!(matches!(asked(&mut errands), (None, sent) if sent == [second]));
        let unsupported = errands.receive(Ok(vec![2, 1, b'n']));
        assert_eq!(refusal(unsupported), (8, Refusal::Unsupported("n".into())));
    }

    #[test]
    fn a_late_answer_is_not_taken_for_that_of_the_next_request() {
        let mut errands = Errands::new(Echo);
        errands.state = State::Asked { client: 1, pending: vec![], deadline: Deadline::after(Duration::ZERO) };
        errands.attest(2, vec![2], false);
        assert_eq!(refusal(asked(&mut errands).0).0, 1);
        let (client, reason) = refusal(asked(&mut errands).0);
        assert!(client == 2 && reason.to_string().contains("earlier request"));
        assert!(errands.receive(Ok(RESULT.to_vec())).is_none());
        errands.attest(3, vec![3], false);
        assert_eq!(asked(&mut errands).1.len(), 1);
    }

    #[test]
    fn a_host_that_cannot_be_understood_fails_all_requests() {
        for broken in [Ok(vec![9]), Err("closed".to_owned()), Ok(vec![2, 0])] {
            let mut errands = Errands::new(Echo);
            errands.attest(1, vec![1], false);
            assert!(asked(&mut errands).0.is_none());
            assert!(matches!(refusal(errands.receive(broken)), (1, Refusal::Failed(_))));
            errands.attest(2, vec![1], false);
            let (answer, sent) = asked(&mut errands);
            assert!(matches!(refusal(answer), (2, Refusal::Failed(_))) && sent.is_empty());
        }
    }

    #[test]
    fn an_answer_that_nobody_asked_for_is_never_used() {
        let mut errands = Errands::new(Echo);
        assert!(errands.receive(Ok(RESULT.to_vec())).is_none());
        errands.attest(1, vec![1], false);
        assert!(refusal(asked(&mut errands).0).1.to_string().contains("not asked"));
    }

    #[test]
    fn what_cannot_be_prepared_and_a_request_too_long_are_not_sent() {
        let mut errands = Errands::new(Echo);
        errands.attest(1, vec![], false);
        assert!(matches!(refusal(asked(&mut errands).0), (1, Refusal::Unsupported(_))));
        errands.attest(1, vec![0; MAX_BODY_BYTES - 1], false);
        let (answer, sent) = asked(&mut errands);
        assert!(matches!(refusal(answer), (1, Refusal::Failed(_))) && sent.is_empty());
    }
}
