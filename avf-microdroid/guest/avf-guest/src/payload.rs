//! The payload disk: a cpio archive from the disk's first byte on, zeros after it.
//!
//! | entry | content |
//! |---|---|
//! | `payload` | the executable |
//! | `args` | its arguments after the first, each ended by NUL; may be missing |
//! | `env` | `KEY=VALUE` strings, each ended by NUL; may be missing |

use std::ffi::{CStr, CString};
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use libc::{MS_NODEV, MS_NOSUID, MS_RDONLY, MS_REMOUNT};

use crate::console::say;
use crate::cpio::{Archive, Entry, Error};
use crate::disk::Disk;
use crate::failure::Failure;
use crate::sys;

/// The disk's serial.
pub const SERIAL: &str = "payload";

/// Where the executable is after [`install`].
pub const EXECUTABLE: &CStr = c"/payload/payload";

const FOLDER: &CStr = c"/payload";

/// Bound for all arguments, and for all of the environment: what Linux takes for a single string.
const MAX_STRINGS_BYTES: u64 = 128 << 10;

/// Room in the file system next to the executable.
const FOLDER_BYTES: u64 = 1 << 20;

/// What to run, next to the executable.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    pub arguments: Vec<CString>,
    pub environment: Vec<CString>,
}

/// Unpacks the disk to a file system in memory, read-only from then on.
pub fn install(disk: Disk) -> Result<Invocation, Failure> {
    let memory = sys::total_memory().map_err(|error| Failure::machine(error.to_string()))?;
    // At most half of the memory, so that a payload too large is an error here and not a process killed later.
    let capacity = disk.size.saturating_add(FOLDER_BYTES).min(memory / 2);
    mount(capacity)?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o555)
        .open("/payload/payload")
        .map_err(|error| Failure::machine(format!("cannot create the payload's file: {error}")))?;
    let invocation = unpack(&disk.file, disk.size, file).map_err(|error| match error {
        Error::Write(error) => {
            Failure::payload(format!("cannot keep the payload in {capacity} of {memory} bytes of memory: {error}"))
        }
        Error::Read(error) => Failure::machine(format!("payload disk: {error}")),
        Error::Malformed(what) => Failure::payload(format!("payload disk: {what}")),
    })?;
    let flags = MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV;
    if let Err(error) = sys::mount(c"tmpfs", FOLDER, c"tmpfs", flags, c"") {
        say(format_args!("the payload's folder stays writable: {error}"));
    }
    Ok(invocation)
}

fn mount(capacity: u64) -> Result<(), Failure> {
    let options = CString::new(format!("mode=0755,size={capacity}")).expect("a number has no NUL");
    let _ = fs::create_dir_all("/payload");
    sys::mount(c"tmpfs", FOLDER, c"tmpfs", MS_NOSUID | MS_NODEV, &options)
        .map_err(|error| Failure::machine(format!("cannot mount tmpfs on /payload: {error}")))
}

/// Reads the archive: the executable goes to `executable`, the rest is returned.
pub fn unpack(disk: impl Read, size: u64, mut executable: impl Write) -> Result<Invocation, Error> {
    let mut archive = Archive::new(disk, size);
    let mut invocation = Invocation::default();
    let (mut has_payload, mut has_arguments, mut has_environment) = (false, false, false);
    while let Some(entry) = archive.next_entry()? {
        let seen = match entry.name.as_str() {
            "payload" => &mut has_payload,
            "args" => &mut has_arguments,
            "env" => &mut has_environment,
            other => return Err(Error::Malformed(format!("entry must be payload, args or env but is {other:?}"))),
        };
        if std::mem::replace(seen, true) {
            return Err(Error::Malformed(format!("{:?} is there twice", entry.name)));
        }
        match entry.name.as_str() {
            "payload" => archive.copy_content(&mut executable)?,
            "args" => invocation.arguments = strings(&mut archive, &entry)?,
            _ => {
                invocation.environment = strings(&mut archive, &entry)?;
                check_variables(&invocation.environment)?;
            }
        }
    }
    if has_payload { Ok(invocation) } else { Err(Error::Malformed("there is no \"payload\"".into())) }
}

fn strings(archive: &mut Archive<impl Read>, entry: &Entry) -> Result<Vec<CString>, Error> {
    if entry.size > MAX_STRINGS_BYTES {
        return Err(Error::Malformed(format!(
            "{:?} must have at most {MAX_STRINGS_BYTES} bytes but has {}",
            entry.name, entry.size
        )));
    }
    let mut content = Vec::new();
    archive.copy_content(&mut content)?;
    split(&content).ok_or_else(|| Error::Malformed(format!("every string of {:?} must end with NUL", entry.name)))
}

/// Splits strings of which each one ends with NUL; none if the last one does not.
fn split(content: &[u8]) -> Option<Vec<CString>> {
    content
        .split_inclusive(|&byte| byte == 0)
        .map(|string| CStr::from_bytes_with_nul(string).ok().map(CStr::to_owned))
        .collect()
}

fn check_variables(variables: &[CString]) -> Result<(), Error> {
    match variables.iter().find(|variable| key(variable).is_none()) {
        Some(variable) => Err(Error::Malformed(format!("\"env\" must have KEY=VALUE strings but has {variable:?}"))),
        None => Ok(()),
    }
}

fn key(variable: &CStr) -> Option<&[u8]> {
    let bytes = variable.to_bytes();
    bytes.iter().position(|&byte| byte == b'=').filter(|&at| at > 0).map(|at| &bytes[..at])
}

/// The payload's whole environment: the user's variables win over the defaults, and init's own over all.
pub fn environment(user: Vec<CString>, own: Vec<CString>) -> Vec<CString> {
    let defaults = vec![c"PATH=/usr/sbin:/usr/bin:/sbin:/bin".to_owned(), c"HOME=/".to_owned()];
    let mut all: Vec<CString> = Vec::new();
    for variable in defaults.into_iter().chain(user).chain(own) {
        all.retain(|earlier| key(earlier) != key(&variable));
        all.push(variable);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpio::tests::{file, trailer};

    fn unpacked(entries: &[Vec<u8>]) -> Result<(Invocation, Vec<u8>), String> {
        let disk = [entries.concat(), trailer(), vec![0; 512]].concat();
        let mut executable = Vec::new();
        unpack(&disk[..], disk.len() as u64, &mut executable)
            .map(|invocation| (invocation, executable))
            .map_err(|error| error.to_string())
    }

    fn owned(strings: &[&CStr]) -> Vec<CString> {
        strings.iter().map(|&string| string.to_owned()).collect()
    }

    #[test]
    fn unpacks_executable_arguments_and_environment() {
        let entries = [file("args", b"exit\x003\0"), file("payload", b"\x7fELF"), file("env", b"A=1\0B=\0")];
        let (invocation, executable) = unpacked(&entries).unwrap();
        assert_eq!(executable, b"\x7fELF");
        assert_eq!(invocation.arguments, owned(&[c"exit", c"3"]));
        assert_eq!(invocation.environment, owned(&[c"A=1", c"B="]));
    }

    #[test]
    fn arguments_and_environment_may_be_missing_or_empty() {
        assert_eq!(unpacked(&[file("payload", b"x")]).unwrap().0, Invocation::default());
        let empty = [file("payload", b"x"), file("args", b""), file("env", b"")];
        assert_eq!(unpacked(&empty).unwrap().0, Invocation::default());
    }

    #[test]
    fn keeps_empty_arguments() {
        let (invocation, _) = unpacked(&[file("payload", b"x"), file("args", b"\0a\0\0")]).unwrap();
        assert_eq!(invocation.arguments, owned(&[c"", c"a", c""]));
    }

    #[test]
    fn rejects_a_disk_without_payload() {
        assert_eq!(unpacked(&[file("args", b"a\0")]).unwrap_err(), "there is no \"payload\"");
    }

    #[test]
    fn rejects_other_names() {
        let message = unpacked(&[file("payload", b"x"), file("init", b"x")]).unwrap_err();
        assert_eq!(message, "entry must be payload, args or env but is \"init\"");
    }

    #[test]
    fn rejects_an_entry_that_is_there_twice() {
        let message = unpacked(&[file("payload", b"x"), file("payload", b"y")]).unwrap_err();
        assert_eq!(message, "\"payload\" is there twice");
    }

    #[test]
    fn rejects_strings_without_end() {
        let message = unpacked(&[file("payload", b"x"), file("args", b"a\0b")]).unwrap_err();
        assert_eq!(message, "every string of \"args\" must end with NUL");
    }

    #[test]
    fn rejects_strings_beyond_the_bound() {
        let long = vec![0; MAX_STRINGS_BYTES as usize + 1];
        let message = unpacked(&[file("payload", b"x"), file("args", &long)]).unwrap_err();
        assert_eq!(message, "\"args\" must have at most 131072 bytes but has 131073");
    }

    #[test]
    fn rejects_variables_without_key() {
        for content in [b"A\0".as_slice(), b"=1\0", b"\0"] {
            let message = unpacked(&[file("payload", b"x"), file("env", content)]).unwrap_err();
            assert!(message.starts_with("\"env\" must have KEY=VALUE strings"), "{message}");
        }
    }

    #[test]
    fn user_overrides_defaults_and_init_overrides_the_user() {
        let user = owned(&[c"HOME=/tmp", c"AVF_CID=7", c"X=1", c"X=2"]);
        let all = environment(user, owned(&[c"AVF_CID=3"]));
        assert_eq!(all, owned(&[c"PATH=/usr/sbin:/usr/bin:/sbin:/bin", c"HOME=/tmp", c"X=2", c"AVF_CID=3"]));
    }

    #[test]
    fn a_failed_write_is_told_from_a_bad_disk() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let disk = [file("payload", b"x"), trailer()].concat();
        assert!(matches!(unpack(&disk[..], disk.len() as u64, Full), Err(Error::Write(_))));
    }
}
