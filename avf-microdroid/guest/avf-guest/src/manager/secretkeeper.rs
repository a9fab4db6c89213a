//! The session with the keeper of secrets that the host has connected, AVF's Secretkeeper.
//!
//! It begins once the payload's layer is derived, as that layer's key is who this VM is to the keeper. In it this VM gets
//! the secret that [`VmSecret::v2`](avf_formats::secrets::VmSecret::v2) mixes in, and later what the payload keeps.
//! Every successful boot makes the policy that of the chain as it is, so that no older version gets either again.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use avf_formats::secret::{Secret, SecretBytes};
use avf_formats::secretkeeper::management::{self, ID_SIZE, POLICY_MISMATCH};
use avf_formats::secretkeeper::{Channel, KeeperError, Source, policy};
use avf_formats::secrets::KEEPER_SECRET_SIZE;
use avf_formats::wire::{Refusal, Response};

use super::host::{self, KeeperResponse};
use super::secrets::Layer;
use crate::failure::Failure;
use crate::report::{self, KeeperStep, Report};
use crate::sys::Deadline;

/// How long the host may take for one answer before the payload starts.
const LIMIT: Duration = Duration::from_secs(20);

/// What a refusal by the policy means, and what is left to do.
const OLDER_OR_OTHER: &str = "newer versions of payload or base image ran before, or those of other signers, or with \
                              another debug level; run these again, or delete the VM and create it again";

type KeptSecret = Secret<KEEPER_SECRET_SIZE>;

/// Sends a request and waits for what the keeper answers.
pub type Exchange<'a> = dyn FnMut(KeeperStep, Vec<u8>) -> Result<Vec<u8>, String> + 'a;

/// The way over the report channel, as long as nothing else is asked there.
pub fn exchange(stream: BorrowedFd<'_>) -> impl FnMut(KeeperStep, Vec<u8>) -> Result<Vec<u8>, String> {
    move |step, content| {
        report::send(&Report::KeeperRequest { step, content });
        let body = host::receive_body(stream, Deadline::after(LIMIT))?;
        match KeeperResponse::parse(body.expose()).map_err(|reason| format!("the host's frame {reason}"))? {
            KeeperResponse::Content(content) => Ok(content),
            KeeperResponse::Refused(reason) => Err(reason),
        }
    }
}

/// What seals and opens the messages of a session.
pub trait Messages {
    fn seal(&mut self, message: &SecretBytes) -> Result<Vec<u8>, KeeperError>;
    fn open(&mut self, message: &[u8]) -> Result<SecretBytes, KeeperError>;
}

impl Messages for Channel {
    fn seal(&mut self, message: &SecretBytes) -> Result<Vec<u8>, KeeperError> {
        Channel::seal(self, message)
    }

    fn open(&mut self, message: &[u8]) -> Result<SecretBytes, KeeperError> {
        Channel::open(self, message)
    }
}

/// A session as this VM, with its policy.
pub struct Session<M = Channel> {
    messages: M,
    policy: Vec<u8>,
    instance_id: [u8; ID_SIZE],
}

/// A request of the payload that the keeper has not answered yet.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    Read,
    Write,
}

impl Session {
    /// Exchanges keys with the keeper, which must be the one with this key, an encoded COSE_Key.
    pub fn begin(
        exchange: &mut Exchange<'_>,
        key: &[u8],
        layer: &Layer,
        instance_id: &[u8; ID_SIZE],
    ) -> Result<Self, Failure> {
        let failed = |reason: String| Failure::machine(format!("no session with the Secretkeeper: {reason}"));
        let refused = |error: KeeperError| failed(error.to_string());
        let policy = policy::sealing_policy(&layer.chain).map_err(refused)?;
        let source = Source::new(&layer.chain, &layer.cdis.attest).map_err(refused)?;
        let answer = exchange(KeeperStep::Hello, source.hello()).map_err(failed)?;
        let (signature, messages) = source.finish(&answer, key).map_err(refused)?;
        exchange(KeeperStep::Signature, signature).map_err(failed)?;
        Ok(Self { messages, policy, instance_id: *instance_id })
    }
}

impl<M: Messages> Session<M> {
    /// The secret of this VM, and whether it was made just now because the keeper had none.
    pub fn vm_secret(&mut self, exchange: &mut Exchange<'_>) -> Result<(KeptSecret, bool), Failure> {
        let failed = |reason: String| Failure::machine(format!("cannot get this VM's secret: {reason}"));
        let refused = |error: KeeperError| match error {
            KeeperError::Refused { code: POLICY_MISMATCH, .. } => failed(format!("{error}: {OLDER_OR_OTHER}")),
            _ => failed(error.to_string()),
        };
        let request = management::get_request(&self.instance_id, &self.policy);
        let response = self.ask(exchange, &request).map_err(failed)?;
        if let Some(secret) = management::get_response(&response).map_err(refused)? {
            return Ok((secret, false));
        }
        let secret = management::random_secret().map_err(refused)?;
        let request = management::store_request(&self.instance_id, &secret, &self.policy);
        let response = self.ask(exchange, &request).map_err(failed)?;
        management::store_response(&response).map_err(refused)?;
        Ok((secret, true))
    }

    fn ask(&mut self, exchange: &mut Exchange<'_>, request: &SecretBytes) -> Result<SecretBytes, String> {
        let sealed = self.messages.seal(request).map_err(|error| error.to_string())?;
        let answer = exchange(KeeperStep::Message, sealed)?;
        self.messages.open(&answer).map_err(|error| error.to_string())
    }

    /// The report that asks for the payload's value.
    pub fn read(&mut self) -> Result<(Report, Asked), Refusal> {
        let id = management::payload_value_id(&self.instance_id);
        self.report(&management::get_request(&id, &self.policy)).map(|report| (report, Asked::Read))
    }

    /// The report that replaces the payload's value.
    pub fn write(&mut self, value: &KeptSecret) -> Result<(Report, Asked), Refusal> {
        let id = management::payload_value_id(&self.instance_id);
        self.report(&management::store_request(&id, value, &self.policy)).map(|report| (report, Asked::Write))
    }

    fn report(&mut self, request: &SecretBytes) -> Result<Report, Refusal> {
        let content = self.messages.seal(request).map_err(refusal)?;
        Ok(Report::KeeperRequest { step: KeeperStep::Message, content })
    }

    /// What the payload is told; an error if the host's frame is no answer of a keeper.
    pub fn settle(&mut self, asked: Asked, body: &[u8]) -> Result<Response, String> {
        let content = match KeeperResponse::parse(body)? {
            KeeperResponse::Content(content) => content,
            KeeperResponse::Refused(reason) => return Ok(Response::Refused(Refusal::Failed(reason))),
        };
        let answer = self.messages.open(&content).and_then(|plain| match asked {
            Asked::Read => management::get_response(&plain).map(Response::RollbackProtected),
            Asked::Write => management::store_response(&plain).map(|()| Response::Done),
        });
        Ok(answer.unwrap_or_else(|error| Response::Refused(refusal(error))))
    }
}

fn refusal(error: KeeperError) -> Refusal {
    Refusal::Failed(error.to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use avf_formats::cbor::{Writer, decode};
    use std::collections::HashMap;

    /// Seals nothing.
    pub struct Plain;

    impl Messages for Plain {
        fn seal(&mut self, message: &SecretBytes) -> Result<Vec<u8>, KeeperError> {
            Ok(message.expose().to_vec())
        }

        fn open(&mut self, message: &[u8]) -> Result<SecretBytes, KeeperError> {
            if message == b"sealed otherwise" {
                Err(KeeperError::NotNext)
            } else {
                Ok(SecretBytes::new(message.to_vec()))
            }
        }
    }

    pub fn session() -> Session<Plain> {
        Session { messages: Plain, policy: vec![0x81, 1], instance_id: [7; ID_SIZE] }
    }

    /// A keeper in memory that looks at no policy but counts them.
    #[derive(Default)]
    struct Store {
        secrets: HashMap<Vec<u8>, Vec<u8>>,
        policies: usize,
    }

    impl Store {
        fn answer(&mut self, request: &[u8]) -> Vec<u8> {
            let request = decode(request).unwrap();
            let items = request.as_array().unwrap();
            self.policies += usize::from(items.last().unwrap().as_bytes().unwrap() == [0x81, 1]);
            let id = items[1].as_bytes().unwrap().to_vec();
            let mut out = Writer::new();
            if items[0].as_u64() == Ok(2) {
                self.secrets.insert(id, items[2].as_bytes().unwrap().to_vec());
                out.array(1).unsigned(0);
            } else if let Some(secret) = self.secrets.get(&id) {
                out.array(2).unsigned(0).bytes(secret);
            } else {
                out.array(2).integer(3).text("none");
            }
            out.finish()
        }
    }

    fn sealed(report: Report) -> Vec<u8> {
        match report {
            Report::KeeperRequest { step: KeeperStep::Message, content } => content,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn makes_a_secret_at_the_first_boot_and_gets_it_at_later_ones() {
        let mut store = Store::default();
        let mut boot = || {
            let (secret, is_new) = session().vm_secret(&mut |_, request| Ok(store.answer(&request))).unwrap();
            (secret.expose().to_vec(), is_new)
        };
        let (first, is_new) = boot();
        assert!(is_new && first != [0; 32]);
        assert_eq!(boot(), (first, false));
        assert_eq!(store.policies, 3);
        assert_ne!(
            session().vm_secret(&mut |_, request| Ok(Store::default().answer(&request))).unwrap().0.expose(),
            &[0; 32]
        );
    }

    #[test]
    fn a_keeper_that_refuses_or_makes_no_sense_stops_the_boot_and_makes_no_secret() {
        let mut asked = 0;
        let mut fails = |answer: Result<&[u8], &str>| {
            let answer = answer.map(<[u8]>::to_vec).map_err(str::to_owned);
            let failure = session().vm_secret(&mut |_, _| {
                asked += 1;
                answer.clone()
            });
            failure.err().unwrap().message
        };
        let refused = fails(Ok(&[0x82, 5, 0x63, b'o', b'l', b'd']));
        assert!(refused.contains("refused with code 5: old: newer versions"), "{refused}");
        assert!(fails(Ok(&[0x81, 0])).contains("one result"));
        assert!(fails(Ok(b"sealed otherwise")).contains("not the next"));
        assert!(fails(Err("the host did not send it in time")).contains("in time"));
        assert_eq!(asked, 4);
    }

    #[test]
    fn the_payload_reads_what_it_wrote_under_a_name_of_its_own() {
        let (mut session, mut store) = (session(), Store::default());
        let mut settle = |session: &mut Session<Plain>, (report, asked): (Report, Asked)| {
            let body = [vec![3, 0], store.answer(&sealed(report))].concat();
            session.settle(asked, &body).unwrap()
        };
        let read = session.read().unwrap();
        assert!(matches!(settle(&mut session, read), Response::RollbackProtected(None)));
        let write = session.write(&Secret::copy_of(&[9; 32])).unwrap();
        assert!(matches!(settle(&mut session, write), Response::Done));
        let read = session.read().unwrap();
        let Response::RollbackProtected(Some(value)) = settle(&mut session, read) else { panic!() };
        assert_eq!(value.expose(), &[9; 32]);
        assert!(!store.secrets.contains_key(&[7; ID_SIZE][..]));
    }

    #[test]
    fn a_refusal_is_told_to_the_payload_and_a_frame_of_another_kind_ends_the_channel() {
        let mut session = session();
        let refused = |response: Result<Response, String>| match response.unwrap() {
            Response::Refused(Refusal::Failed(reason)) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(session.settle(Asked::Read, &[3, 2, b'n', b'o'])), "no");
        assert!(refused(session.settle(Asked::Write, &[3, 0, 0x82, 5, 0x60])).contains("code 5"));
        assert!(refused(session.settle(Asked::Read, &[3, 0, 0x80])).contains("no response"));
        assert!(refused(session.settle(Asked::Write, &[&[3, 0], &b"sealed otherwise"[..]].concat())).contains("next"));
        assert!(session.settle(Asked::Read, &[2, 0, 1]).is_err());
        assert!(session.settle(Asked::Read, &[]).is_err());
    }

    #[test]
    fn no_session_begins_with_a_keeper_that_answers_anything() {
        let layer = crate::manager::secrets::tests::layer(5, &crate::manager::secrets::tests::record(1, 1), false);
        let key = layer.chain.leaf_key().unwrap().encode();
        for answer in [&[][..], &[0x80], &[0xff; 300], b"\x86\x40\x40\x40\x01\x40\x40"] {
            let begun = Session::begin(&mut |_, _| Ok(answer.to_vec()), &key, &layer, &[7; ID_SIZE]);
            assert!(begun.err().unwrap().message.starts_with("no session with the Secretkeeper"));
        }
    }
}
