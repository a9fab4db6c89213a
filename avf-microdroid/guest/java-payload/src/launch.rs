//! Becomes what the APK's command file says.

#![allow(non_snake_case, reason = "the name is that of AVF's C API")]

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;

/// In the verified APK, so that whoever signed it has decided what runs.
const COMMAND: &str = "/mnt/apk/java/command";
const MAX_COMMAND: u64 = 1 << 20;

/// As a shell's.
const CANNOT_EXECUTE: i32 = 126;

/// Does not return unless the Java runtime cannot be executed.
#[unsafe(no_mangle)]
pub extern "C" fn AVmPayload_main() -> i32 {
    let error = match read(COMMAND).and_then(|bytes| Command::parse(&bytes)) {
        Ok(command) => command.execute(),
        Err(error) => error,
    };
    eprintln!("cannot run {COMMAND}: {error}");
    CANNOT_EXECUTE
}

fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_COMMAND + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_COMMAND {
        return Err(invalid("it has more than 1 MiB"));
    }
    Ok(bytes)
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Texts that each end with a NUL: variables of the environment, `NAME=VALUE`; an empty one; the program and its
/// arguments, which may be empty.
#[derive(Debug, PartialEq, Eq)]
struct Command {
    environment: Vec<CString>,
    arguments: Vec<CString>,
}

impl Command {
    fn parse(bytes: &[u8]) -> io::Result<Self> {
        let texts = bytes.strip_suffix(&[0]).ok_or_else(|| invalid("it does not end with a NUL"))?;
        let mut texts = texts.split(|&byte| byte == 0).map(|text| CString::new(text).expect("split at NULs"));
        let environment: Vec<CString> = texts.by_ref().take_while(|text| !text.is_empty()).collect();
        let arguments: Vec<CString> = texts.collect();
        if environment.iter().any(|text| name(text.as_bytes()).is_none()) {
            return Err(invalid("a variable has no name"));
        }
        if arguments.first().is_none_or(|program| program.is_empty()) {
            return Err(invalid("it names no program"));
        }
        Ok(Self { environment, arguments })
    }

    /// The process's own variables, less those that the command sets.
    fn whole_environment(&self, own: impl Iterator<Item = (OsString, OsString)>) -> Vec<CString> {
        let kept = own.filter_map(|(key, value)| {
            let key = key.into_vec();
            if self.environment.iter().any(|text| name(text.as_bytes()) == Some(&key)) {
                return None;
            }
            CString::new([key, b"=".to_vec(), value.into_vec()].concat()).ok()
        });
        kept.chain(self.environment.iter().cloned()).collect()
    }

    fn execute(&self) -> io::Error {
        let environment = self.whole_environment(std::env::vars_os());
        let pointers =
            |texts: &[CString]| texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect::<Vec<_>>();
        let (arguments, environment) = (pointers(&self.arguments), pointers(&environment));
        // SAFETY: both are null-terminated lists of NUL-terminated texts that live until the call returns.
        unsafe { libc::execve(arguments[0], arguments.as_ptr(), environment.as_ptr()) };
        io::Error::last_os_error()
    }
}

fn name(variable: &[u8]) -> Option<&[u8]> {
    let end = variable.iter().position(|&byte| byte == b'=')?;
    (end > 0).then(|| &variable[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[&str]) -> Vec<CString> {
        values.iter().map(|&value| CString::new(value).unwrap()).collect()
    }

    #[test]
    fn reads_variables_program_and_arguments_that_may_be_empty() {
        let command = Command::parse(b"A=b\0C=\0\0/bin/java\0-x\0\0y z\0").unwrap();
        assert_eq!(command.environment, texts(&["A=b", "C="]));
        assert_eq!(command.arguments, texts(&["/bin/java", "-x", "", "y z"]));
    }

    #[test]
    fn refuses_what_names_no_program() {
        for bytes in [
            &b""[..],
            b"A=b",
            b"\0",
            b"A=b\0",
            b"A=b\0\0",
            b"\0\0",
            b"\0\0-x\0",
            b"\0/bin/java",
            b"A\0\0/x\0",
            b"=a\0\0/x\0",
        ] {
            assert!(Command::parse(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn its_variables_replace_those_of_the_process() {
        let command = Command::parse(b"A=new\0\0/x\0").unwrap();
        let own = [("A", "old"), ("AB", "kept")].map(|(key, value)| (key.into(), value.into()));
        assert_eq!(command.whole_environment(own.into_iter()), texts(&["AB=kept", "A=new"]));
    }

    #[test]
    fn says_why_nothing_was_executed() {
        let command = Command::parse(b"\0/nowhere/java\0").unwrap();
        assert_eq!(command.execute().kind(), io::ErrorKind::NotFound);
    }
}
