//! The executable's entry point; everything else is in the library.
//!
//! `no_main` leaves out the start code of the Rust standard library. That code aborts when descriptors 0 to 2 are
//! closed and `/dev/null` does not exist, and both are so for PID 1 on a kernel without a console.
#![no_main]

use std::ffi::{CStr, c_char, c_int};

#[unsafe(no_mangle)]
extern "C" fn main(argc: c_int, argv: *const *const c_char) -> c_int {
    let count = usize::try_from(argc).unwrap_or(0);
    let arguments: Vec<&[u8]> = (0..count)
        // SAFETY: the C start code passes argc valid pointers to NUL-terminated strings that live for ever.
        .map(|i| unsafe { CStr::from_ptr(*argv.add(i)) }.to_bytes())
        .collect();
    avf_guest::run(&arguments)
}
