//! The frames of the payload service: their bytes, and what is refused.

mod vectors;

use avf_formats::secret::{Secret, SecretBytes};
use avf_formats::wire::{
    Attestation, MAX_REQUEST, MAX_RESPONSE, Refusal, Request, Response, WireError, read_frame, write_frame,
};
use vectors::{SplitMix, mutate};

fn requests() -> Vec<(Request, Vec<u8>)> {
    let mut write = vec![7];
    write.extend([9; 32]);
    vec![
        (Request::NotifyPayloadReady, vec![1]),
        (Request::GetVmInstanceSecret { size: 0x102, identifier: b"id".into() }, vec![2, 2, 1, 0, 0, b'i', b'd']),
        (Request::GetDiceAttestationChain, vec![3]),
        (Request::GetDiceAttestationCdi, vec![4]),
        (Request::RequestAttestation { test_mode: true, challenge: vec![5, 6] }, vec![5, 1, 5, 6]),
        (Request::ReadRollbackProtectedSecret, vec![6]),
        (Request::WriteRollbackProtectedSecret(Secret::copy_of(&[9; 32])), write),
        (Request::IsNewInstance, vec![8]),
    ]
}

fn bytes(value: &[u8]) -> Response {
    Response::Bytes(SecretBytes::new(value.to_vec()))
}

/// A response for each request, in the same order.
fn responses() -> Vec<(Response, Vec<u8>)> {
    let mut read = vec![0];
    read.extend([8; 32]);
    let attestation =
        Attestation { private_key: SecretBytes::new(vec![1, 2]), certificates: vec![vec![3], vec![4, 5]] };
    let attested = vec![0, 2, 0, 0, 0, 1, 2, 2, 0, 0, 0, 1, 0, 0, 0, 3, 2, 0, 0, 0, 4, 5];
    let mut secret = vec![0];
    secret.extend([7; 0x102]);
    vec![
        (Response::Done, vec![0]),
        (bytes(&[7; 0x102]), secret),
        (bytes(&[0x82]), vec![0, 0x82]),
        (bytes(&[1, 2]), vec![0, 1, 2]),
        (Response::Attested(attestation), attested),
        (Response::RollbackProtected(Some(Secret::copy_of(&[8; 32]))), read),
        (Response::Done, vec![0]),
        (Response::Bool(true), vec![0, 1]),
    ]
}

#[test]
fn requests_have_the_layout_of_the_table() {
    for (request, body) in requests() {
        assert_eq!(request.encode().expose(), body, "{request:?}");
        assert_eq!(Request::decode(&body).unwrap().encode().expose(), body);
    }
}

#[test]
fn responses_have_the_layout_of_the_table() {
    for ((request, _), (response, body)) in requests().iter().zip(responses()) {
        assert_eq!(response.encode().expose(), body, "{response:?}");
        assert_eq!(Response::decode(request, &body).unwrap().encode().expose(), body);
    }
}

#[test]
fn no_rollback_protected_secret_is_no_bytes() {
    let read = Response::decode(&Request::ReadRollbackProtectedSecret, &[0]).unwrap();
    assert!(matches!(read, Response::RollbackProtected(None)));
    assert_eq!(Response::RollbackProtected(None).encode().expose(), [0]);
}

#[test]
fn a_refusal_answers_any_request() {
    let refusals = [
        Refusal::Security("a".into()),
        Refusal::IllegalArgument("b".into()),
        Refusal::Unsupported("c".into()),
        Refusal::Failed("d".into()),
    ];
    for (code, refusal) in (1..).zip(refusals) {
        let body = Response::Refused(refusal.clone()).encode();
        assert_eq!(body.expose()[0], code);
        for (request, _) in requests() {
            let read = Response::decode(&request, body.expose()).unwrap();
            assert!(matches!(read, Response::Refused(found) if found == refusal));
        }
    }
    let long = Response::Refused(Refusal::Failed("x".repeat(10_000))).encode();
    assert_eq!(long.len(), 1 + 4096);
}

#[test]
fn refuses_other_requests_with_a_position() {
    let error = |position, reason| WireError { position, reason };
    assert_eq!(Request::decode(&[]).unwrap_err(), error(0, "body ends inside a field"));
    assert_eq!(Request::decode(&[0]).unwrap_err(), error(0, "unknown request"));
    assert_eq!(Request::decode(&[9]).unwrap_err(), error(0, "unknown request"));
    assert_eq!(Request::decode(&[1, 0]).unwrap_err(), error(1, "bytes follow the last field"));
    assert_eq!(Request::decode(&[2, 1, 0, 0]).unwrap_err(), error(1, "body ends inside a field"));
    assert_eq!(Request::decode(&[5, 2]).unwrap_err(), error(1, "must be 0 or 1"));
    assert_eq!(Request::decode(&[7; 32]).unwrap_err(), error(1, "value must have 32 bytes"));
}

#[test]
fn refuses_other_responses_with_a_position() {
    let error = |position, reason| Err(WireError { position, reason });
    let decode = |request: &Request, body: &[u8]| Response::decode(request, body).map(|_| ());
    let secret = Request::GetVmInstanceSecret { size: 32, identifier: vec![] };
    assert_eq!(decode(&secret, &[0; 32]), error(1, "secret has not the size asked for"));
    assert_eq!(decode(&Request::IsNewInstance, &[0, 2]), error(1, "must be 0 or 1"));
    assert_eq!(decode(&Request::IsNewInstance, &[5]), error(0, "unknown response"));
    assert_eq!(decode(&Request::NotifyPayloadReady, &[0, 0]), error(1, "bytes follow the last field"));
    assert_eq!(decode(&Request::ReadRollbackProtectedSecret, &[0; 32]), error(1, "value must have 32 bytes"));
    let attest = Request::RequestAttestation { test_mode: false, challenge: vec![] };
    assert_eq!(decode(&attest, &[0, 0, 0, 0, 0, 65, 0, 0, 0]), error(5, "more than 64 certificates"));
    assert_eq!(decode(&attest, &[0, 0xff, 0xff, 0xff, 0xff]), error(5, "body ends inside a field"));
}

#[test]
fn frames_come_one_after_the_other() {
    let mut stream = Vec::new();
    for (request, _) in requests() {
        write_frame(&mut stream, &request.encode(), MAX_REQUEST).unwrap();
    }
    assert_eq!(stream[..5], [1, 0, 0, 0, 1]);
    let mut from = &stream[..];
    for (_, body) in requests() {
        assert_eq!(read_frame(&mut from, MAX_REQUEST).unwrap().unwrap().expose(), body);
    }
    assert!(read_frame(&mut from, MAX_REQUEST).unwrap().is_none());
}

#[test]
fn a_long_frame_arrives_whole() {
    let body = SecretBytes::new((0..MAX_RESPONSE).map(|at| at as u8).collect());
    let mut stream = Vec::new();
    write_frame(&mut stream, &body, MAX_RESPONSE).unwrap();
    assert_eq!(read_frame(&mut &stream[..], MAX_RESPONSE).unwrap().unwrap().expose(), body.expose());
}

#[test]
fn frames_that_are_empty_or_too_long_or_cut_off_are_refused() {
    assert!(write_frame(&mut Vec::new(), &SecretBytes::new(vec![]), 4).is_err());
    assert!(write_frame(&mut Vec::new(), &SecretBytes::new(vec![0; 5]), 4).is_err());
    for stream in [&[0, 0, 0, 0][..], &[5, 0, 0, 0, 1, 2, 3, 4, 5], &[2, 0, 0, 0, 1], &[1, 0], &[0xff; 8]] {
        assert!(read_frame(&mut &stream[..], 4).is_err(), "{stream:?}");
    }
}

#[test]
fn debug_output_has_no_secret() {
    for (request, _) in requests() {
        assert!(!format!("{request:?}").contains("9, 9"), "{request:?}");
    }
    for (response, _) in responses() {
        let text = format!("{response:?}");
        assert!(!text.contains("7, 7") && !text.contains("8, 8") && !text.contains("1, 2"), "{text}");
    }
}

#[test]
fn no_change_of_a_frame_makes_a_panic() {
    let mut random = SplitMix(5);
    for _ in 0..500 {
        for ((request, body), (_, answer)) in requests().iter().zip(responses()) {
            if let Ok(changed) = Request::decode(&mutate(body, &mut random)) {
                let again = Request::decode(changed.encode().expose()).unwrap();
                assert_eq!(again.encode().expose(), changed.encode().expose());
            }
            let _ = Response::decode(request, &mutate(&answer, &mut random));
        }
    }
}
