//! What a payload in Rust needs besides [`crate::client::Client`]: its entry point and its folders.

use std::ffi::{CStr, OsStr, c_int};
use std::fmt::Display;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(crate) const APK_CONTENTS: &CStr = c"/mnt/apk";
pub(crate) const ENCRYPTED_STORAGE: &CStr = c"/mnt/encryptedstore";

/// Makes a function the payload's `AVmPayload_main`: `vm_payload::main!(serve);`.
///
/// The function has no arguments and returns a `Result<(), E>` whose error can be displayed; [`entry::run`] says what
/// becomes of it. A panic ends the process with SIGABRT.
///
/// [`entry::run`]: crate::entry::run
#[macro_export]
macro_rules! main {
    ($main:path) => {
        #[allow(non_snake_case, reason = "the name is that of AVF's C API")]
        #[unsafe(no_mangle)]
        pub extern "C" fn AVmPayload_main() -> ::std::ffi::c_int {
            $crate::entry::run($main)
        }
    };
}

/// Calls a payload's function; the exit code is 0, or 1 after an error, which is a line on standard error.
pub fn run<E: Display>(main: fn() -> Result<(), E>) -> c_int {
    match main() {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("payload: {error}");
            1
        }
    }
}

/// The folder with the content of the payload's APK.
pub fn apk_contents_path() -> &'static Path {
    path(APK_CONTENTS)
}

/// The folder that is encrypted for this instance and payload; none if the machine has no such storage.
pub fn encrypted_storage_path() -> Option<&'static Path> {
    Some(path(ENCRYPTED_STORAGE)).filter(|path| path.is_dir())
}

fn path(text: &'static CStr) -> &'static Path {
    Path::new(OsStr::from_bytes(text.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_exit_code_1() {
        assert_eq!(run(|| Ok::<(), String>(())), 0);
        assert_eq!(run(|| Err("the disk is full")), 1);
    }

    #[test]
    fn folders_are_those_of_the_c_api() {
        assert_eq!(apk_contents_path(), Path::new("/mnt/apk"));
        assert!(encrypted_storage_path().is_none_or(|path| path == Path::new("/mnt/encryptedstore")));
    }
}
