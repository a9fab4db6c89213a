//! The client of the Secretkeeper against an independently computed exchange, and against a hostile keeper.

mod vectors;

use avf_formats::cbor::Writer;
use avf_formats::dice::{Algorithm, CDI_SIZE, Chain, PrivateKey};
use avf_formats::secret::{Secret, SecretBytes};
use avf_formats::secretkeeper::{Channel, KeeperError, Source, management, policy};
use serde_json::Value;
use vectors::{SplitMix, array, hex, json, mutate, secret};

const SESSION: &str = "avf/authgraph_session_computed.json";

fn source(vector: &Value) -> Source {
    let chain = Chain::decode(&hex(&vector["source_chain"])).unwrap();
    let cdi: Secret<CDI_SIZE> = secret(&vector["source_cdi_attest"]);
    let mut random = [hex(&vector["source_scalar"]), hex(&vector["source_nonce"])].into_iter();
    Source::with_random(&chain, &cdi, |out| {
        out.copy_from_slice(&random.next().unwrap());
        Ok::<_, ()>(())
    })
    .unwrap()
}

fn finish(vector: &Value, answer: &[u8]) -> Result<(Vec<u8>, Channel), KeeperError> {
    source(vector).finish(answer, &hex(&vector["sink_key"]))
}

fn session(vector: &Value) -> Channel {
    finish(vector, &hex(&vector["answer"])).unwrap().1
}

fn seal(channel: &mut Channel, message: &Value) -> Vec<u8> {
    let request = SecretBytes::new(hex(&message["request"]));
    let iv = array(&message["request_iv"]);
    channel
        .seal_with_random(&request, |out| {
            *out = iv;
            Ok::<_, ()>(())
        })
        .unwrap()
}

#[test]
fn makes_the_policy_of_microdroid_byte_for_byte() {
    let vector = json("avf/sealing_policy_computed.json");
    let chain = Chain::decode(&hex(&vector["dice_chain"])).unwrap();
    assert_eq!(policy::explicit_key_chain(&chain).unwrap(), hex(&vector["explicit_key_chain"]));
    assert_eq!(policy::sealing_policy(&chain).unwrap(), hex(&vector["sealing_policy"]));
}

#[test]
fn refuses_to_seal_by_a_chain_without_what_the_policy_needs() {
    let vector = json("avf/sealing_policy_computed.json");
    let mut chain = hex(&vector["dice_chain"]);
    // -71003, the instance hash of vm_entry, becomes -71004.
    let at = chain.windows(5).position(|part| part == [0x3a, 0x00, 0x01, 0x15, 0x5a]).unwrap();
    chain[at + 4] = 0x5b;
    let refused = policy::sealing_policy(&Chain::decode(&chain).unwrap());
    assert!(matches!(refused, Err(KeeperError::NothingToSealBy(what)) if what.contains("-71003")));
}

#[test]
fn exchanges_keys_and_messages_byte_for_byte() {
    let vector = json(SESSION);
    assert_eq!(source(&vector).hello(), hex(&vector["hello"]));
    let (signature, mut channel) = finish(&vector, &hex(&vector["answer"])).unwrap();
    assert_eq!(signature, hex(&vector["signature"]));
    for message in vector["messages"].as_array().unwrap() {
        assert_eq!(seal(&mut channel, message), hex(&message["sealed_request"]));
        let response = channel.open(&hex(&message["sealed_response"])).unwrap();
        assert_eq!(response.expose(), hex(&message["response"]));
    }
}

#[test]
fn writes_requests_and_reads_responses_of_the_interface() {
    let vector = json(SESSION);
    let policy = hex(&json("avf/sealing_policy_computed.json")["sealing_policy"]);
    let (instance, value) = (array(&vector["instance_id"]), secret(&vector["secret"]));
    let store = management::store_request(&instance, &value, &policy);
    assert_eq!(store.expose(), hex(&vector["messages"][0]["request"]));
    let get = management::get_request(&management::payload_value_id(&instance), &policy);
    assert_eq!(get.expose(), hex(&vector["messages"][1]["request"]));

    let response = |bytes: &[u8]| SecretBytes::new(bytes.to_vec());
    management::store_response(&response(&hex(&vector["messages"][0]["response"]))).unwrap();
    let found = management::get_response(&response(&hex(&vector["messages"][1]["response"]))).unwrap();
    assert_eq!(found.unwrap().expose(), value.expose());
    let refused = |code: i64| {
        let mut out = Writer::new();
        out.array(2).integer(code).text("no");
        out.finish_secret()
    };
    assert!(management::get_response(&refused(3)).unwrap().is_none());
    for code in [1, 2, 4, 5, 77, -1] {
        let error = KeeperError::Refused { code, reason: "no".into() };
        assert_eq!(management::get_response(&refused(code)).unwrap_err(), error);
        assert_eq!(management::store_response(&refused(code)).unwrap_err(), error);
    }
    for bad in [&[][..], &[0x80], &[0x81, 0], &[0x82, 0, 0x41, 1], &[0x83, 0, 0, 0], &[0x81, 0x60], &[0xa0]] {
        assert!(matches!(management::get_response(&response(bad)), Err(KeeperError::Structure { .. })), "{bad:?}");
    }
    assert!(management::store_response(&response(&[0x82, 0, 0])).is_err());
}

#[test]
fn opens_the_next_message_of_this_session_only() {
    let vector = json(SESSION);
    let sealed = |index: usize| hex(&vector["messages"][index]["sealed_response"]);
    let mut channel = session(&vector);
    assert_eq!(channel.open(&sealed(1)).unwrap_err(), KeeperError::NotNext);
    assert_eq!(channel.open(&hex(&vector["messages"][0]["sealed_request"])).unwrap_err(), KeeperError::NotNext);
    let mut changed = sealed(0);
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(channel.open(&changed).unwrap_err(), KeeperError::NotNext);
    channel.open(&sealed(0)).unwrap();
    assert_eq!(channel.open(&sealed(0)).unwrap_err(), KeeperError::NotNext);
    channel.open(&sealed(1)).unwrap();
}

#[test]
fn refuses_another_keeper_and_a_changed_answer() {
    let vector = json(SESSION);
    let other = PrivateKey::derive(Algorithm::Ed25519, &Secret::copy_of(&[9; 32])).public_key().encode();
    let refused = source(&vector).finish(&hex(&vector["answer"]), &other).unwrap_err();
    assert!(refused.to_string().contains("not the one that is expected"));

    let answer = hex(&vector["answer"]);
    for at in 0..answer.len() {
        let mut changed = answer.clone();
        changed[at] ^= 0x10;
        assert!(finish(&vector, &changed).is_err(), "byte {at}");
    }
    let mut random = SplitMix(3);
    for _ in 0..500 {
        let changed = mutate(&answer, &mut random);
        assert!(changed == answer || finish(&vector, &changed).is_err());
    }
}

#[test]
fn survives_responses_of_any_bytes() {
    let vector = json(SESSION);
    let sealed = hex(&vector["messages"][0]["sealed_response"]);
    let plain = hex(&vector["messages"][1]["response"]);
    let mut random = SplitMix(4);
    // What does not open leaves the session as it is.
    let mut channel = session(&vector);
    for _ in 0..2000 {
        let changed = mutate(&sealed, &mut random);
        assert!(changed == sealed || channel.open(&changed).is_err());
        let _ = management::get_response(&SecretBytes::new(mutate(&plain, &mut random)));
    }
    channel.open(&sealed).unwrap();
}

#[test]
fn a_chain_of_another_key_and_no_random_numbers_make_no_session() {
    let vector = json(SESSION);
    let chain = Chain::decode(&hex(&vector["source_chain"])).unwrap();
    assert!(matches!(Source::new(&chain, &Secret::copy_of(&[1; 32])), Err(KeeperError::Dice(_))));
    let cdi: Secret<CDI_SIZE> = secret(&vector["source_cdi_attest"]);
    assert!(matches!(Source::with_random(&chain, &cdi, |_| Err(())), Err(KeeperError::NoRandom)));
    assert!(matches!(Source::with_random(&chain, &cdi, |_| Ok::<_, ()>(())), Err(KeeperError::NoRandom)));
    assert_ne!(Source::new(&chain, &cdi).unwrap().hello(), Source::new(&chain, &cdi).unwrap().hello());
}
