//! Memory that C lends, and the end of a process that has no other way to fail.

use std::fmt::Display;
use std::io::Write;

/// Ends the process with SIGABRT, having said why on stderr.
pub(crate) fn die(function: &str, reason: impl Display) -> ! {
    let _ = writeln!(std::io::stderr(), "{function}: {reason}");
    std::process::abort()
}

/// Bytes that the caller lends for reading.
///
/// # Safety
///
/// Unless the size is 0, the pointer is null or valid for reading that many bytes while the slice lives.
pub(crate) unsafe fn lent<'a>(function: &str, what: &str, data: *const u8, size: usize) -> &'a [u8] {
    if size == 0 {
        return &[];
    }
    if data.is_null() {
        die(function, format_args!("{what} is null but has {size} bytes"));
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(data, size) }
}

/// Copies as many bytes as fit and returns how many there are.
///
/// # Safety
///
/// Unless the size is 0, the pointer is null or valid for writing that many bytes.
pub(crate) unsafe fn copy_out(function: &str, bytes: &[u8], data: *mut u8, size: usize) -> usize {
    let count = bytes.len().min(size);
    if data.is_null() && size > 0 {
        die(function, format_args!("data is null but has room for {size} bytes"));
    }
    if count > 0 {
        // SAFETY: the target is valid for `size` bytes, and what C lends does not overlap what Rust owns.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), data, count) };
    }
    bytes.len()
}
