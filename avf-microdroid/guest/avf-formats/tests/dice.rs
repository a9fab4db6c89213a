//! Keys, certificates and chains against open-dice's and AVF's own values.

mod vectors;

use avf_formats::cbor;
use avf_formats::dice::{Algorithm, Chain, Config, DiceError, Input, Issuer, PrivateKey};
use avf_formats::handover::Handover;
use serde_json::Value;
use vectors::{android_input, array, bytes, cdis, hex, json, mode, mutate, secret};

const CASES: [&str; 3] = ["ZeroInput", "HashOnlyInput", "DescriptorInput"];

fn input(case: &Value) -> Input {
    let inputs = &case["inputs"];
    let optional = |name: &str| inputs.get(name).map(hex);
    Input {
        code_hash: array(&inputs["code_hash"]),
        code_descriptor: optional("code_descriptor"),
        config: match inputs["config_type"].as_str().unwrap() {
            "inline" => Config::Inline(array(&inputs["config_value"])),
            "descriptor" => Config::Descriptor(hex(&inputs["config_value"])),
            other => panic!("{other}"),
        },
        authority_hash: array(&inputs["authority_hash"]),
        authority_descriptor: optional("authority_descriptor"),
        mode: mode(&inputs["mode"]),
        hidden: secret(&inputs["hidden"]),
    }
}

#[test]
fn derives_the_secrets_of_open_dice() {
    let answers = json("open-dice/known_answers.json");
    for name in CASES {
        let case = &answers[name];
        let current = cdis(&case["inputs"]["current_cdi_attest"], &case["inputs"]["current_cdi_seal"]);
        let next = current.next(&input(case));
        assert_eq!(next.attest.expose()[..], hex(&case["expected"]["next_cdi_attest"]), "{name}");
        assert_eq!(next.seal.expose()[..], hex(&case["expected"]["next_cdi_seal"]), "{name}");
    }
}

#[test]
fn derives_the_key_pairs_of_open_dice() {
    let answers = json("open-dice/known_answers.json");
    for name in CASES {
        let case = &answers[name];
        let current = secret(&case["inputs"]["current_cdi_attest"]);
        let next = secret(&case["expected"]["next_cdi_attest"]);
        let keys = [
            (Algorithm::Ed25519, "ed25519", "current_public", "next_public"),
            (Algorithm::Es256, "p256", "current_public_xy", "next_public_xy"),
            (Algorithm::Es384, "p384", "current_public_xy", "next_public_xy"),
        ];
        for (algorithm, of, current_public, next_public) in keys {
            let expected = &case["intermediate_verified"][of];
            let issuer = PrivateKey::derive(algorithm, &current).public_key();
            let subject = PrivateKey::derive(algorithm, &next).public_key();
            assert_eq!(issuer.raw(), hex(&expected[current_public]), "{name} {of}");
            assert_eq!(subject.raw(), hex(&expected[next_public]), "{name} {of}");
            assert_eq!(issuer.id_text(), expected["issuer_id"].as_str().unwrap(), "{name} {of}");
            assert_eq!(subject.id_text(), expected["subject_id"].as_str().unwrap(), "{name} {of}");
        }
    }
}

#[test]
fn issues_the_certificates_of_open_dice() {
    let answers = json("open-dice/known_answers.json");
    let mut compared = 0;
    for name in CASES {
        let case = &answers[name];
        for (file, certificate) in case["expected"].as_object().unwrap() {
            let Some((kind, _)) = file.split_once("Cert_").filter(|(kind, _)| kind.starts_with("Cbor")) else {
                continue;
            };
            let algorithm = match kind {
                "CborEd25519" => Algorithm::Ed25519,
                "CborP256" => Algorithm::Es256,
                "CborP384" => Algorithm::Es384,
                other => panic!("{other}"),
            };
            let profile = match (file.contains("_Android"), algorithm) {
                (true, _) => Some("android.18"),
                (false, Algorithm::Ed25519) => None,
                (false, _) => Some("opendice.example"),
            };
            let issuer = Issuer { subject_algorithm: algorithm, profile_name: profile.map(str::to_owned) };
            let current = PrivateKey::derive(algorithm, &secret(&case["inputs"]["current_cdi_attest"]));
            let next = PrivateKey::derive(algorithm, &secret(&case["expected"]["next_cdi_attest"])).public_key();
            let issued = issuer.issue(&current, &next, &input(case));
            let expected = hex(certificate);
            assert_eq!(issued.len(), expected.len(), "{file}");
            // ECDSA signatures of the reference are random.
            let compare = if algorithm == Algorithm::Ed25519 {
                expected.len()
            } else {
                expected.len() - 2 * signature_half(algorithm)
            };
            assert_eq!(issued[..compare], expected[..compare], "{file}");
            verify_one(&current, &issued);
            verify_one(&current, &expected);
            compared += 1;
        }
    }
    assert_eq!(compared, 17);
}

fn signature_half(algorithm: Algorithm) -> usize {
    if algorithm == Algorithm::Es384 { 48 } else { 32 }
}

fn verify_one(signer: &PrivateKey, certificate: &[u8]) {
    let chain = [&[0x82], &signer.public_key().encode()[..], certificate].concat();
    Chain::decode(&chain).unwrap().verify_signatures().unwrap();
}

#[test]
fn makes_the_sample_chain_of_avf_byte_for_byte() {
    let sample = json("avf/sample_chain_jan2025.json");
    let mut handover = Handover { cdis: cdis(&sample["uds"], &sample["uds"]), chain: None };
    for layer in sample["layers"].as_array().unwrap() {
        handover = handover.next(&android_input(layer), &Issuer::without_profile()).unwrap();
        assert_eq!(handover.cdis.attest.expose()[..], hex(&layer["next_cdi_attest"]), "{}", layer["name"]);
    }
    assert_eq!(handover.encode().expose(), hex(&sample["handover"]));
    let chain = handover.chain.unwrap();
    assert_eq!(chain.encoded(), hex(&sample["chain"]));
    assert_eq!(chain.certificates(), Ok(3));
    chain.verify_signatures().unwrap();
}

#[test]
fn a_certificate_of_another_signer_is_found() {
    let mut chain = hex(&json("avf/sample_chain_jan2025.json")["chain"]);
    let last = chain.len() - 1;
    chain[last] ^= 1;
    let chain = Chain::decode(&chain).unwrap();
    assert_eq!(chain.verify_signatures(), Err(DiceError::Signature { certificate: 2 }));
}

#[test]
fn the_head_of_a_chain_grows_with_its_24th_item() {
    let zeros = Value::from("00".repeat(32));
    let mut handover = Handover { cdis: cdis(&zeros, &zeros), chain: None };
    let layer = &json("avf/sample_chain_jan2025.json")["layers"][0];
    for _ in 0..23 {
        handover = handover.next(&android_input(layer), &Issuer::without_profile()).unwrap();
    }
    let chain = handover.chain.unwrap();
    assert_eq!(chain.encoded()[..2], [0x98, 24]);
    chain.verify_signatures().unwrap();
}

#[test]
fn signs_with_the_algorithm_of_the_leaf_and_certifies_the_issuers() {
    let layer = &json("avf/sample_chain_jan2025.json")["layers"][0];
    let first = Handover::parse(&bytes("avf/pvmfw_test_handover.cbor")).unwrap();
    let issuer = |algorithm| Issuer { subject_algorithm: algorithm, profile_name: Some("android.16".into()) };
    let second = first.next(&android_input(layer), &issuer(Algorithm::Es384)).unwrap();
    let third = second.next(&android_input(layer), &issuer(Algorithm::Es256)).unwrap();
    let chain = third.chain.unwrap();
    assert_eq!(chain.leaf_key().unwrap().algorithm(), Algorithm::Es256);
    chain.verify_signatures().unwrap();
}

#[test]
fn refuses_chains_of_another_structure_with_a_position() {
    let chain = hex(&json("avf/sample_chain_jan2025.json")["chain"]);
    let root_only = [&[0x81], &chain[1..1 + 45]].concat();
    assert!(matches!(Chain::decode(&root_only), Err(DiceError::Structure { position: 0, .. })));
    let followed = [&chain[..], &[0]].concat();
    assert!(matches!(Chain::decode(&followed), Err(DiceError::Structure { position, .. }) if position == chain.len()));
    // The first certificate begins after the head and a root key of 45 bytes; tag 18 before it.
    let tagged = [&chain[..46], &[0xd2], &chain[46..]].concat();
    assert!(matches!(Chain::decode(&tagged), Err(DiceError::Structure { position: 46, .. })));
}

#[test]
fn a_layer_of_ml_dsa_is_carried_along_and_cannot_be_the_guests_own() {
    let sample = hex(&json("avf/sample_chain_jan2025.json")["chain"]);
    let items = cbor::decode(&sample).unwrap();
    let items = items.as_array().unwrap();
    let foreign = bytes("open-dice/CborMldsa65Cert_AndroidZeroInput.cbor");
    let parent = Chain::decode(&[&[0x82], items[0].encoded(), &foreign].concat()).unwrap();
    assert!(parent.leaf_key().unwrap_err().to_string().contains("no layer of the guest has a key of ML-DSA"));
    let chain = parent.append(items[1].encoded()).unwrap();
    assert_eq!(chain.leaf_key().unwrap().algorithm(), Algorithm::Ed25519);
}

#[test]
fn refuses_keys_that_hold_more_than_a_public_key_or_are_no_point() {
    let chain = hex(&json("avf/sample_chain_jan2025.json")["chain"]);
    // The root key: a map of 5 whose last entry, x, begins at byte 11.
    let mut private = chain.clone();
    private[1] = 0xa6;
    private.splice(46..46, [0x23, 0x41, 1]);
    assert!(matches!(Chain::decode(&private), Err(DiceError::Structure { position: 46, .. })));
    // The neutral element, for which anybody can sign.
    let mut weak = chain.clone();
    weak[14..46].fill(0);
    weak[14] = 1;
    assert!(Chain::decode(&weak).unwrap_err().to_string().contains("not a point of its curve"));
}

#[test]
fn refuses_certificates_with_unknown_labels_and_critical_headers() {
    let chain = hex(&json("avf/sample_chain_jan2025.json")["chain"]);
    let label = chain.windows(5).position(|bytes| bytes == [0x3a, 0, 0x47, 0x44, 0x50]).unwrap();
    let mut unknown = chain.clone();
    unknown[label + 4] = 0x4f;
    assert!(matches!(Chain::decode(&unknown), Err(DiceError::Structure { position, .. }) if position == label));
    let mut critical = chain.clone();
    assert_eq!(critical[47..51], [0x43, 0xa1, 0x01, 0x27]);
    critical[49] = 2;
    assert!(matches!(Chain::decode(&critical), Err(DiceError::Structure { position: 49, .. })));
}

#[test]
fn no_change_of_a_chain_makes_a_panic_or_a_valid_signature() {
    let chain = hex(&json("avf/sample_chain_jan2025.json")["chain"]);
    let mut random = vectors::SplitMix(1);
    for _ in 0..600 {
        let changed = mutate(&chain, &mut random);
        if changed == chain {
            continue;
        }
        let Ok(parsed) = Chain::decode(&changed) else { continue };
        // What is not under a signature is the root key's key_ops alone.
        let root = cbor::decode(&changed).unwrap().as_array().unwrap()[0].encoded().to_vec();
        assert!(parsed.verify_signatures().is_err() || root != chain[1..46], "{changed:02x?}");
    }
}

#[test]
fn debug_output_has_no_secret() {
    let sample = json("avf/sample_chain_jan2025.json");
    let handover = Handover { cdis: cdis(&sample["uds"], &sample["uds"]), chain: None };
    assert_eq!(
        format!("{handover:?}"),
        "Handover { cdis: Cdis { attest: Secret[32 bytes], seal: Secret[32 bytes] }, chain: None }"
    );
    let input = format!("{:?}", android_input(&sample["layers"][0]));
    assert!(!input.contains("162, 1, 208, 192"), "{input}");
    let key = PrivateKey::derive(Algorithm::Es256, &handover.cdis.attest);
    assert_eq!(format!("{key:?}"), "PrivateKey[Es256]");
}
