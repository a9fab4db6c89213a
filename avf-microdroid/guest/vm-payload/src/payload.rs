//! The functions of `vm_payload.h`, which documents them.

#![allow(non_snake_case, reason = "the names are those of AVF's C API")]

use std::ffi::c_char;
use std::sync::atomic::{AtomicBool, Ordering};

use avf_formats::secret::Secret;
use avf_formats::secrets::MAX_PAYLOAD_SECRET;
use avf_formats::wire::{MAX_CHALLENGE, ROLLBACK_PROTECTED_SIZE, Refusal};

use crate::attestation::{Attested, MAX_SIGNATURE};
use crate::client::{CallError, Client};
use crate::entry::{APK_CONTENTS, ENCRYPTED_STORAGE, encrypted_storage_path};
use crate::memory::{copy_out, die, lent};

/// `AVmAttestationStatus`.
pub type Status = i32;
pub const ATTESTATION_OK: Status = 0;
pub const ATTESTATION_ERROR_INVALID_CHALLENGE: Status = -10001;
pub const ATTESTATION_ERROR_ATTESTATION_FAILED: Status = -10002;
pub const ATTESTATION_ERROR_UNSUPPORTED: Status = -10003;

/// `AVmAccessRollbackProtectedSecretStatus`.
pub const ROLLBACK_ENTRY_NOT_FOUND: i32 = -1;
pub const ROLLBACK_BAD_SIZE: i32 = -2;
pub const ROLLBACK_ACCESS_FAILED: i32 = -3;

#[unsafe(no_mangle)]
pub extern "C" fn AVmPayload_notifyPayloadReady() {
    const NAME: &str = "AVmPayload_notifyPayloadReady";
    static NOTIFIED: AtomicBool = AtomicBool::new(false);
    if !NOTIFIED.swap(true, Ordering::Relaxed) {
        Client::new().notify_payload_ready().unwrap_or_else(|error| die(NAME, error));
    }
}

/// # Safety
///
/// See `vm_payload.h`: the buffers have the sizes given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AVmPayload_getVmInstanceSecret(
    identifier: *const u8,
    identifier_size: usize,
    secret: *mut u8,
    size: usize,
) {
    const NAME: &str = "AVmPayload_getVmInstanceSecret";
    if size > MAX_PAYLOAD_SECRET {
        die(NAME, format_args!("size must be in 0..={MAX_PAYLOAD_SECRET} but was {size}"));
    }
    // SAFETY: the caller's promise.
    let identifier = unsafe { lent(NAME, "identifier", identifier, identifier_size) };
    let value = Client::new().vm_instance_secret(identifier, size).unwrap_or_else(|error| die(NAME, error));
    // SAFETY: the caller's promise.
    unsafe { copy_out(NAME, value.expose(), secret, size) };
}

#[unsafe(no_mangle)]
pub extern "C" fn AVmPayload_getApkContentsPath() -> *const c_char {
    APK_CONTENTS.as_ptr()
}

#[unsafe(no_mangle)]
pub extern "C" fn AVmPayload_getEncryptedStoragePath() -> *const c_char {
    if encrypted_storage_path().is_some() { ENCRYPTED_STORAGE.as_ptr() } else { std::ptr::null() }
}

/// # Safety
///
/// See `vm_payload.h`: the buffer has the size given, and `result` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AVmPayload_requestAttestation(
    challenge: *const u8,
    challenge_size: usize,
    result: *mut *mut Attested,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { request_attestation("AVmPayload_requestAttestation", challenge, challenge_size, false, result) }
}

/// # Safety
///
/// As [`AVmPayload_requestAttestation`].
pub(crate) unsafe fn request_attestation(
    name: &str,
    challenge: *const u8,
    challenge_size: usize,
    test_mode: bool,
    result: *mut *mut Attested,
) -> Status {
    if result.is_null() {
        die(name, "result is null");
    }
    if challenge_size > MAX_CHALLENGE {
        return ATTESTATION_ERROR_INVALID_CHALLENGE;
    }
    // SAFETY: the caller's promise.
    let challenge = unsafe { lent(name, "challenge", challenge, challenge_size) };
    match Client::new().request_attestation(challenge, test_mode) {
        Ok(attested) => {
            // SAFETY: the caller's promise; what was there before is not ours.
            unsafe { result.write(Box::into_raw(Box::new(attested))) };
            ATTESTATION_OK
        }
        Err(CallError::Refused(Refusal::Unsupported(_))) => ATTESTATION_ERROR_UNSUPPORTED,
        Err(CallError::Refused(_)) => ATTESTATION_ERROR_ATTESTATION_FAILED,
        Err(error) => die(name, error),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn AVmAttestationStatus_toString(status: Status) -> *const c_char {
    let text = match status {
        ATTESTATION_OK => c"attestation succeeded",
        ATTESTATION_ERROR_INVALID_CHALLENGE => c"the challenge has more than 64 bytes",
        ATTESTATION_ERROR_ATTESTATION_FAILED => c"attestation failed",
        ATTESTATION_ERROR_UNSUPPORTED => c"this virtual machine or its host cannot attest",
        _ => c"not a status of attestation",
    };
    text.as_ptr()
}

/// # Safety
///
/// The result is null or of a request that was OK, and not used after this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AVmAttestationResult_free(result: *mut Attested) {
    if !result.is_null() {
        // SAFETY: made by Box::into_raw, and the caller gives it back once.
        drop(unsafe { Box::from_raw(result) });
    }
}

/// # Safety
///
/// The result is of a request that was OK and was not freed; the buffer has the size given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AVmAttestationResult_getPrivateKey(
    result: *const Attested,
    data: *mut u8,
    size: usize,
) -> usize {
    const NAME: &str = "AVmAttestationResult_getPrivateKey";
    // SAFETY: the caller's promise.
    unsafe { copy_out(NAME, attested(NAME, result).private_key(), data, size) }
}

/// # Safety
///
/// The result is of a request that was OK and was not freed; the buffers have the sizes given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AVmAttestationResult_sign(
    result: *const Attested,
    message: *const u8,
    message_size: usize,
    data: *mut u8,
    size: usize,
) -> usize {
    const NAME: &str = "AVmAttestationResult_sign";
    if message_size == 0 {
        die(NAME, "the message is empty");
    }
    // SAFETY: the caller's promise.
    let signature = unsafe { attested(NAME, result).sign(lent(NAME, "message", message, message_size)) };
    // SAFETY: the caller's promise.
    let length = unsafe { copy_out(NAME, &signature, data, size) };
    // The next signature may be longer than this one: who asks for the size gets the greatest.
    if length > size { MAX_SIGNATURE } else { length }
}

/// # Safety
///
/// The result is of a request that was OK and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AVmAttestationResult_getCertificateCount(result: *const Attested) -> usize {
    // SAFETY: the caller's promise.
    unsafe { attested("AVmAttestationResult_getCertificateCount", result) }.certificates().len()
}

/// # Safety
///
/// The result is of a request that was OK and was not freed; the buffer has the size given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AVmAttestationResult_getCertificateAt(
    result: *const Attested,
    index: usize,
    data: *mut u8,
    size: usize,
) -> usize {
    const NAME: &str = "AVmAttestationResult_getCertificateAt";
    // SAFETY: the caller's promise.
    let certificates = unsafe { attested(NAME, result) }.certificates();
    let Some(certificate) = certificates.get(index) else {
        die(NAME, format_args!("index must be in 0..{} but was {index}", certificates.len()));
    };
    // SAFETY: the caller's promise.
    unsafe { copy_out(NAME, certificate, data, size) }
}

/// # Safety
///
/// The result is null or of a request that was OK and was not freed.
unsafe fn attested<'a>(name: &str, result: *const Attested) -> &'a Attested {
    // SAFETY: the caller's promise.
    unsafe { result.as_ref() }.unwrap_or_else(|| die(name, "result is null"))
}

/// # Safety
///
/// See `vm_payload.h`: the buffer has the size given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AVmPayload_readRollbackProtectedSecret(data: *mut u8, size: usize) -> i32 {
    const NAME: &str = "AVmPayload_readRollbackProtectedSecret";
    match Client::new().rollback_protected_secret() {
        // SAFETY: the caller's promise.
        Ok(Some(value)) => unsafe { copy_out(NAME, value.expose(), data, size) as i32 },
        Ok(None) => ROLLBACK_ENTRY_NOT_FOUND,
        Err(CallError::Refused(_)) => ROLLBACK_ACCESS_FAILED,
        Err(error) => die(NAME, error),
    }
}

/// # Safety
///
/// See `vm_payload.h`: the buffer has the size given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AVmPayload_writeRollbackProtectedSecret(data: *const u8, size: usize) -> i32 {
    const NAME: &str = "AVmPayload_writeRollbackProtectedSecret";
    // SAFETY: the caller's promise, of which at most the first bytes are used.
    let value = unsafe { lent(NAME, "data", data, size.min(ROLLBACK_PROTECTED_SIZE)) };
    let Some(value) = Secret::copy_of_slice(value) else {
        return ROLLBACK_BAD_SIZE;
    };
    match Client::new().write_rollback_protected_secret(value) {
        Ok(()) => ROLLBACK_PROTECTED_SIZE as i32,
        Err(CallError::Refused(_)) => ROLLBACK_ACCESS_FAILED,
        Err(error) => die(NAME, error),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn AVmPayload_isNewInstance() -> bool {
    Client::new().is_new_instance().unwrap_or_else(|error| die("AVmPayload_isNewInstance", error))
}
