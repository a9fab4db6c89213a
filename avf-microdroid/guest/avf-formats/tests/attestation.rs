//! The request for an attestation against an independently computed one, and what is refused.

mod vectors;

use avf_formats::attestation::{AttestationError, KeyRequest};
use avf_formats::cbor::{self, Item};
use avf_formats::dice::payload::{Hidden, Revision, Start, input};
use avf_formats::dice::{Algorithm, Cdis, Chain, DiceError, Issuer, PrivateKey, PublicKey};
use avf_formats::handover::Handover;
use avf_formats::instance::{Apk, Record};
use avf_formats::secret::Secret;
use p256::ecdsa::signature::Verifier;
use serde_json::Value;
use sha2::{Digest, Sha512};
use vectors::{android_input, array, bytes, hex, json};

/// CDI_Attest after the sample chain of AVF in March 2025, which is the chain of the vector.
const SAMPLE_CDI: &str = "b213de86f7407bd52021744e75781acb22571c32a41ec923735b9c6b5f6b2dc0";

fn vector() -> Value {
    json("avf/client_vm_csr_computed.json")
}

fn sample_cdi() -> Secret<32> {
    vectors::secret(&Value::from(SAMPLE_CDI))
}

/// Chain and signed part of a request.
fn parts(csr: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let csr = cbor::decode(csr).unwrap();
    let [chain, signed] = csr.as_array().unwrap() else { panic!("no array of 2") };
    (chain.as_bytes().unwrap().to_vec(), signed.as_bytes().unwrap().to_vec())
}

fn sample_chain() -> Chain {
    Chain::decode(&parts(&hex(&vector()["csr"])).0).unwrap()
}

fn request(challenge: &[u8]) -> KeyRequest {
    KeyRequest::new(&sample_chain(), &sample_cdi(), challenge).unwrap()
}

fn of_vector() -> KeyRequest {
    let vector = vector();
    KeyRequest::with_random(&sample_chain(), &sample_cdi(), &hex(&vector["challenge"]), |out| {
        *out = array(&vector["attestation_private_scalar"]);
        Ok::<(), ()>(())
    })
    .unwrap()
}

/// A signature of a COSE_Sign: the header is compared, the signature is returned.
fn signature<'a>(item: &'a Item<'_>, header: &[u8]) -> &'a [u8] {
    let [protected, unprotected, signature] = item.as_array().unwrap() else { panic!("no array of 3") };
    assert_eq!(protected.as_bytes().unwrap(), header);
    assert!(unprotected.as_map().unwrap().is_empty());
    signature.as_bytes().unwrap()
}

#[test]
fn makes_the_request_of_the_vector_up_to_the_signature_that_may_differ() {
    let vector = vector();
    let made = of_vector();
    let expected = hex(&vector["csr"]);
    // The last 64 bytes are an ECDSA signature, whose nonce every signer chooses.
    let random = expected.len() - 64;
    assert_eq!(made.csr.len(), expected.len());
    assert_eq!(made.csr[..random], expected[..random]);
    assert_eq!(made.private_key.expose(), hex(&vector["attestation_private_key_rfc5915_der"]));

    let message = hex(&vector["sig_structure_attestation_key"]);
    let key = p256::SecretKey::from_sec1_der(made.private_key.expose()).unwrap();
    let key = p256::ecdsa::VerifyingKey::from(p256::ecdsa::SigningKey::from(key));
    for signed in [&made.csr, &expected] {
        key.verify(&message, &p256::ecdsa::Signature::from_slice(&signed[random..]).unwrap()).unwrap();
    }
}

#[test]
fn a_request_has_the_structure_of_the_reference() {
    let challenge = [0xc4; 64];
    let made = request(&challenge);
    let (chain, signed) = parts(&made.csr);
    assert_eq!(chain, sample_chain().encoded());
    assert_eq!(signed[..3], [0x84, 0x40, 0xa0], "untagged, a header of no bytes, and an empty map");

    let signed = cbor::decode(&signed).unwrap();
    let [_, _, payload, signatures] = signed.as_array().unwrap() else { panic!("no array of 4") };
    let payload = payload.as_bytes().unwrap();
    let [by_leaf, by_key] = signatures.as_array().unwrap() else { panic!("no 2 signatures") };
    let message = |header: &[u8]| {
        let head = [0x85, 0x69].iter().chain(b"Signature").chain(&[0x40, 0x43]).copied();
        let length = u8::try_from(payload.len()).unwrap();
        head.chain(header.iter().copied())
            .chain([0x40, 0x58, length])
            .chain(payload.iter().copied())
            .collect::<Vec<_>>()
    };
    let leaf = sample_chain().leaf_key().unwrap();
    assert!(leaf.verifies(&message(&[0xa1, 1, 0x27]), signature(by_leaf, &[0xa1, 1, 0x27])));

    let [key, found] = &cbor::decode(payload).unwrap().as_array().unwrap().to_vec()[..] else {
        panic!("no array of 2")
    };
    assert_eq!(found.as_bytes().unwrap(), challenge);
    let key = key.as_bytes().unwrap();
    assert_eq!(key[..9], [0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58], "no key_ops");
    let key = PublicKey::parse(&cbor::decode(key).unwrap()).unwrap();
    assert_eq!(key.algorithm(), Algorithm::Es256);
    assert!(key.verifies(&message(&[0xa1, 1, 0x26]), signature(by_key, &[0xa1, 1, 0x26])));
    assert!(made.private_key.expose().ends_with(key.raw()));
}

#[test]
fn challenges_have_0_to_64_bytes() {
    for size in [0, 1, 64] {
        let challenge = vec![7; size];
        let made = request(&challenge);
        let (_, signed) = parts(&made.csr);
        let signed = cbor::decode(&signed).unwrap();
        let payload = signed.as_array().unwrap()[2].as_bytes().unwrap().to_vec();
        assert_eq!(cbor::decode(&payload).unwrap().as_array().unwrap()[1].as_bytes().unwrap(), challenge);
    }
    let refused = KeyRequest::new(&sample_chain(), &sample_cdi(), &[0; 65]).unwrap_err();
    assert_eq!(refused, AttestationError::ChallengeTooLong(65));
    assert_eq!(refused.to_string(), "attestation: challenge must have at most 64 bytes but has 65");
}

#[test]
fn every_request_has_another_key() {
    assert_ne!(request(b"a").private_key.expose(), request(b"a").private_key.expose());
}

#[test]
fn a_secret_of_another_layer_signs_nothing() {
    let other = KeyRequest::new(&sample_chain(), &Secret::copy_of(&[1; 32]), b"");
    assert_eq!(other.unwrap_err(), AttestationError::Dice(DiceError::LeafKeyMismatch));
}

#[test]
fn the_algorithm_is_that_of_the_leaf() {
    let layer = &json("avf/sample_chain_jan2025.json")["layers"][0];
    for (algorithm, header) in [(Algorithm::Es256, &[0xa1, 1, 0x26][..]), (Algorithm::Es384, &[0xa1, 1, 0x38, 0x22])] {
        let root =
            Handover { cdis: Cdis { attest: Secret::copy_of(&[1; 32]), seal: Secret::copy_of(&[2; 32]) }, chain: None };
        let issuer = Issuer { subject_algorithm: algorithm, profile_name: None };
        let machine = root.next(&android_input(layer), &issuer).unwrap();
        let chain = machine.chain.unwrap();
        let made = KeyRequest::new(&chain, &machine.cdis.attest, b"challenge").unwrap();
        let (_, signed) = parts(&made.csr);
        let signed = cbor::decode(&signed).unwrap();
        let size = PrivateKey::derive(algorithm, &machine.cdis.attest).public_key().raw().len();
        assert_eq!(signature(&signed.as_array().unwrap()[3].as_array().unwrap()[0], header).len(), size);
    }
}

#[test]
fn draws_again_what_is_no_key_and_gives_up_without_random_numbers() {
    let mut draws = vec![[0; 32], [0xff; 32], [3; 32]].into_iter();
    let made = KeyRequest::with_random(&sample_chain(), &sample_cdi(), b"", |out| {
        draws.next().map(|drawn| *out = drawn).ok_or(())
    });
    assert_eq!(made.unwrap().private_key.expose()[7..39], [3; 32]);
    let stuck = KeyRequest::with_random(&sample_chain(), &sample_cdi(), b"", |_| Ok::<(), ()>(()));
    assert_eq!(stuck.unwrap_err(), AttestationError::NoRandom);
    let broken = KeyRequest::with_random(&sample_chain(), &sample_cdi(), b"", |_| Err(()));
    assert_eq!(broken.unwrap_err(), AttestationError::NoRandom);
}

fn hash(text: &str) -> [u8; 64] {
    Sha512::digest(text).into()
}

/// A payload's layer behind what the host's firmware handed over. The host's tests have the same request, and certify
/// its key.
#[test]
fn makes_the_request_that_the_host_certifies() {
    let record = Record {
        salt: None,
        apk: Apk {
            root_hash: hash("content of version 7")[..32].to_vec(),
            cert_hash: hash("certificate of the developer").to_vec(),
            package_name: "com.example.vault".into(),
            version_code: 7,
            rollback_index: None,
        },
        extra_apks: vec![],
        apexes: vec![],
    };
    let id = hash("instance");
    let start = Start::BinaryName("libvault.so");
    let layer = input(&record, start, false, Hidden::InstanceId(&id), Revision::March2025).unwrap();
    let issuer = Issuer { subject_algorithm: Algorithm::Ed25519, profile_name: Some("android.16".into()) };
    let handed_over = Handover::parse(&bytes("attestation/host_handover.cbor")).unwrap();
    let payload = handed_over.next(&layer, &issuer).unwrap();
    let made = KeyRequest::with_random(&payload.chain.unwrap(), &payload.cdis.attest, &[0xc0, 0xff, 0xee], |out| {
        *out = [7; 32];
        Ok::<(), ()>(())
    });
    assert!(made.unwrap().csr == bytes("attestation/guest_csr.cbor"), "another request than that of the host's tests");
}

#[test]
fn debug_output_has_no_key() {
    let made = format!("{:?}", of_vector());
    assert!(made.ends_with("private_key: Secret[121 bytes] }"), "{made}");
}
