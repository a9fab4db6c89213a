//! Handovers against a real one of AVF and against what pvmfw makes of it.

mod vectors;

use avf_formats::dice::{DiceError, Issuer};
use avf_formats::handover::Handover;
use vectors::{SplitMix, android_input, bytes, hex, json, mutate};

#[test]
fn reads_and_writes_a_real_handover() {
    let real = bytes("avf/pvmfw_test_handover.cbor");
    let handover = Handover::parse(&real).unwrap();
    handover.chain.as_ref().unwrap().verify_signatures().unwrap();
    assert_eq!(handover.encode().expose(), real);
}

#[test]
fn makes_what_pvmfw_hands_to_the_guest() {
    let vectors = json("avf/pvmfw_derivation_computed.json");
    let incoming = Handover::parse(&bytes("avf/pvmfw_test_handover.cbor")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    for case in cases {
        let issuer =
            Issuer { profile_name: case["profile_name"].as_str().map(str::to_owned), ..Issuer::without_profile() };
        let next = incoming.next(&android_input(case), &issuer).unwrap();
        assert_eq!(next.encode().expose(), hex(&case["next_handover"]), "{}", case["name"]);
    }
    assert_eq!(cases.len(), 6);
}

#[test]
fn ignores_what_fills_the_page_after_it() {
    let real = bytes("avf/pvmfw_test_handover.cbor");
    let mut page = real.clone();
    page.resize(4096, 0);
    assert_eq!(Handover::parse(&page).unwrap().encode().expose(), real);
}

#[test]
fn a_handover_may_have_no_chain() {
    let mut bytes = bytes("avf/pvmfw_test_handover.cbor")[..71].to_vec();
    bytes[0] = 0xa2;
    let handover = Handover::parse(&bytes).unwrap();
    assert!(handover.chain.is_none());
    assert_eq!(handover.encode().expose(), bytes);
}

#[test]
fn refuses_a_chain_that_ends_in_another_key() {
    let mut bytes = bytes("avf/pvmfw_test_handover.cbor");
    bytes[4] ^= 1;
    let handover = Handover::parse(&bytes).unwrap();
    let layer = &json("avf/sample_chain_jan2025.json")["layers"][0];
    let refused = handover.next(&android_input(layer), &Issuer::without_profile());
    assert_eq!(refused.unwrap_err(), DiceError::LeafKeyMismatch);
}

#[test]
fn says_where_a_handover_is_wrong() {
    let real = bytes("avf/pvmfw_test_handover.cbor");
    for (at, position) in [(0, 0), (1, 1), (3, 1), (36, 36), (38, 36), (71, 71), (72, 72)] {
        let mut wrong = real.clone();
        wrong[at] = 0x1f;
        match Handover::parse(&wrong) {
            Err(DiceError::Structure { position: found, .. }) => assert_eq!(found, position, "byte {at}"),
            other => panic!("byte {at}: {other:?}"),
        }
    }
}

#[test]
fn refuses_every_shorter_handover() {
    let real = bytes("avf/pvmfw_test_handover.cbor");
    for length in 0..real.len() {
        assert!(Handover::parse(&real[..length]).is_err(), "{length}");
    }
}

#[test]
fn no_change_makes_a_panic() {
    let real = bytes("avf/pvmfw_test_handover.cbor");
    let layer = &json("avf/sample_chain_jan2025.json")["layers"][0];
    let mut random = SplitMix(2);
    for _ in 0..1000 {
        if let Ok(handover) = Handover::parse(&mutate(&real, &mut random)) {
            let _ = handover.next(&android_input(layer), &Issuer::without_profile());
        }
    }
}
