//! The NDK's C API; the headers in `include/android` document it.
//!
//! Objects and parcels are those of Rust: an `AParcel` is a [`crate::Parcel`], and an `AIBinder` has a count of
//! references that C increments and decrements.

pub mod ibinder;
pub mod parcel;
pub mod server;
pub mod status;

use std::ffi::{CStr, c_char};

use crate::status::{OK, Status};

/// The status of a result whose value was delivered.
fn code(result: Result<(), Status>) -> Status {
    result.err().unwrap_or(OK)
}

/// A string that C lends; none for null and for what is no UTF-8.
///
/// # Safety
///
/// The pointer is null or NUL-terminated, and lives while the result does.
unsafe fn lent<'a>(string: *const c_char) -> Option<&'a str> {
    if string.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(string) }.to_str().ok()
}
