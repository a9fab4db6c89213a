//! `binder_status.h`: what comes of a method.
//!
//! All functions have one contract: a status is one that this library gave and nobody deleted, and strings are null or
//! NUL-terminated.

#![allow(non_snake_case, reason = "the names are those of the NDK")]
#![allow(clippy::missing_safety_doc, reason = "the contract is that of the module")]

use std::ffi::{CString, c_char};
use std::ptr;

use crate::exception::{self, Exception};
use crate::ndk::lent;
use crate::status::{self, Status};

fn give(exception: Exception) -> *mut Exception {
    Box::into_raw(Box::new(exception))
}

/// As libbinder does for a code that no method may report.
fn known_code(code: i32) -> i32 {
    match code {
        exception::PARCELABLE..=exception::NONE | exception::TRANSACTION_FAILED => code,
        _ => exception::TRANSACTION_FAILED,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn AStatus_newOk() -> *mut Exception {
    give(Exception::default())
}

#[unsafe(no_mangle)]
pub extern "C" fn AStatus_fromExceptionCode(code: i32) -> *mut Exception {
    give(Exception::new(known_code(code), None))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AStatus_fromExceptionCodeWithMessage(code: i32, message: *const c_char) -> *mut Exception {
    // SAFETY: the contract of the module.
    give(Exception::new(known_code(code), unsafe { lent(message) }))
}

#[unsafe(no_mangle)]
pub extern "C" fn AStatus_fromServiceSpecificError(error: i32) -> *mut Exception {
    give(Exception::service_specific(error, None))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AStatus_fromServiceSpecificErrorWithMessage(
    error: i32,
    message: *const c_char,
) -> *mut Exception {
    // SAFETY: the contract of the module.
    give(Exception::service_specific(error, unsafe { lent(message) }))
}

#[unsafe(no_mangle)]
pub extern "C" fn AStatus_fromStatus(status: Status) -> *mut Exception {
    give(Exception::of_status(status))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AStatus_isOk(status: *const Exception) -> bool {
    // SAFETY: the contract of the module.
    unsafe { status.as_ref() }.is_some_and(Exception::is_ok)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AStatus_getExceptionCode(status: *const Exception) -> i32 {
    // SAFETY: the contract of the module.
    unsafe { status.as_ref() }.map_or(exception::NULL_POINTER, |status| status.code)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AStatus_getServiceSpecificError(status: *const Exception) -> i32 {
    // SAFETY: the contract of the module.
    match unsafe { status.as_ref() } {
        Some(status) if status.code == exception::SERVICE_SPECIFIC => status.error,
        _ => 0,
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AStatus_getStatus(status: *const Exception) -> Status {
    // SAFETY: the contract of the module.
    match unsafe { status.as_ref() } {
        Some(status) if status.code == exception::TRANSACTION_FAILED => status.error,
        _ => status::OK,
    }
}

/// The text lives until [`AStatus_deleteDescription`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AStatus_getDescription(status: *const Exception) -> *const c_char {
    // SAFETY: the contract of the module.
    let text = unsafe { status.as_ref() }.map_or_else(|| "no status".into(), describe);
    CString::new(text.replace('\0', " ")).map_or(ptr::null(), |text| text.into_raw().cast_const())
}

fn describe(status: &Exception) -> String {
    let message = status.message.as_deref().unwrap_or_default();
    match status.code {
        exception::NONE => "success".into(),
        exception::SERVICE_SPECIFIC => format!("service-specific error {}: {message}", status.error),
        exception::TRANSACTION_FAILED => format!("the transaction failed: status {}", status.error),
        code => format!("exception {code}: {message}"),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AStatus_deleteDescription(description: *const c_char) {
    if !description.is_null() {
        // SAFETY: the text is one of AStatus_getDescription, and is taken once.
        drop(unsafe { CString::from_raw(description.cast_mut()) });
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AStatus_delete(status: *mut Exception) {
    if !status.is_null() {
        // SAFETY: the contract of the module: a box that is taken once.
        drop(unsafe { Box::from_raw(status) });
    }
}
