//! The functions of `vm_payload_restricted.h`, which documents them.

#![allow(non_snake_case, reason = "the names are those of AVF's C API")]

use crate::attestation::Attested;
use crate::client::Client;
use crate::memory::{copy_out, die};
use crate::payload::{Status, request_attestation};

/// # Safety
///
/// The buffer has the size given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AVmPayload_getDiceAttestationChain(data: *mut u8, size: usize) -> usize {
    const NAME: &str = "AVmPayload_getDiceAttestationChain";
    let chain = Client::new().dice_attestation_chain().unwrap_or_else(|error| die(NAME, error));
    // SAFETY: the caller's promise.
    unsafe { copy_out(NAME, chain.expose(), data, size) }
}

/// # Safety
///
/// The buffer has the size given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AVmPayload_getDiceAttestationCdi(data: *mut u8, size: usize) -> usize {
    const NAME: &str = "AVmPayload_getDiceAttestationCdi";
    let cdi = Client::new().dice_attestation_cdi().unwrap_or_else(|error| die(NAME, error));
    // SAFETY: the caller's promise.
    unsafe { copy_out(NAME, cdi.expose(), data, size) }
}

/// # Safety
///
/// As [`crate::AVmPayload_requestAttestation`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AVmPayload_requestAttestationForTesting(
    challenge: *const u8,
    challenge_size: usize,
    result: *mut *mut Attested,
) -> Status {
    const NAME: &str = "AVmPayload_requestAttestationForTesting";
    // SAFETY: the caller's promise.
    unsafe { request_attestation(NAME, challenge, challenge_size, true, result) }
}
