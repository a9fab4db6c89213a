//! Runs a payload: loads the library that its first argument names, calls its `AVmPayload_main`, and exits with what
//! that returns.
//!
//! The two usual mistakes, a library that needs others which are not there and one without the entry point, are exit
//! code 1 and a line on standard error.

use std::ffi::{CStr, CString, c_int};
use std::os::unix::ffi::OsStringExt;

const ENTRY_POINT: &CStr = c"AVmPayload_main";

type EntryPoint = unsafe extern "C" fn() -> c_int;

fn main() {
    let arguments: Vec<CString> =
        std::env::args_os().skip(1).filter_map(|argument| CString::new(argument.into_vec()).ok()).collect();
    let [library] = &arguments[..] else {
        eprintln!("usage: microdroid_launcher LIBRARY");
        std::process::exit(1);
    };
    die_of_faults();
    match run(library) {
        // Handlers that the payload registered run, as after a main of its own.
        Ok(code) => std::process::exit(code),
        Err(reason) => {
            eprintln!("microdroid_launcher: {reason}");
            std::process::exit(1);
        }
    }
}

/// Rust's start-up catches two signals to tell of overflown stacks. A payload, which is none of Rust's threads, shall
/// die of them, also where it raises them itself.
fn die_of_faults() {
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: the default action is no code of ours.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

fn run(library: &CStr) -> Result<c_int, String> {
    // SAFETY: a NUL-terminated path. The library's constructors run as the payload, which is what this process is for.
    let handle = unsafe { libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return Err(format!("Failed to dlopen {}: {}", library.to_string_lossy(), reason()));
    }
    // SAFETY: an open library and a NUL-terminated name.
    let symbol = unsafe { libc::dlsym(handle, ENTRY_POINT.as_ptr()) };
    if symbol.is_null() {
        return Err(format!("Failed to find entrypoint {}: {}", ENTRY_POINT.to_string_lossy(), reason()));
    }
    // SAFETY: by the contract of payloads the symbol is a function without arguments that returns an int.
    Ok(unsafe { std::mem::transmute::<*mut libc::c_void, EntryPoint>(symbol)() })
}

fn reason() -> String {
    // SAFETY: returns null or a NUL-terminated string that lives until the next call of these functions.
    unsafe {
        let words = libc::dlerror();
        if words.is_null() { "no reason given".into() } else { CStr::from_ptr(words).to_string_lossy().into_owned() }
    }
}
