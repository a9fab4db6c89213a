//! Kernel modules: stock kernels have their virtio drivers as modules, and the initrd brings those that the machine needs.
//!
//! The list is made with the initrd, in dependency order, so that nothing here needs to know `modules.dep`. Without a
//! list there is nothing to load: a kernel may have everything built in.
//!
//! A second list has what only verified packages need, and a third what only encrypted storage needs. They are loaded
//! on demand, so that nobody waits for what is not used; an initrd for plain payloads does not even have them.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use crate::console::say;
use crate::failure::Failure;
use crate::sys;

const LIST: &str = "/lib/modules/load";
const MICRODROID_LIST: &str = "/lib/modules/microdroid";
const STORE_LIST: &str = "/lib/modules/store";
const AUTOLOADER: &str = "/proc/sys/kernel/modprobe";
const MAX_LIST_BYTES: u64 = 64 << 10;
const MAX_MODULES: usize = 256;

/// Loads every module that the machine needs. One that does not load is told and skipped: what needs it will say so
/// itself.
pub fn load_all() -> Result<(), Failure> {
    // The kernel would start a program that is not there for every cipher and protocol that it looks for. A kernel
    // without this file starts none.
    let _ = fs::write(AUTOLOADER, "\n");
    load_list(LIST)
}

/// Loads, in the same way, what device-mapper, loop devices, FUSE and EROFS need.
pub fn load_microdroid() -> Result<(), Failure> {
    load_list(MICRODROID_LIST)
}

/// Loads, in the same way, what the encrypted store needs.
pub fn load_store() -> Result<(), Failure> {
    load_list(STORE_LIST)
}

fn load_list(file: &str) -> Result<(), Failure> {
    let list = match sys::read_bounded(Path::new(file), MAX_LIST_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::machine(format!("cannot read {file}: {error}"))),
        Ok(list) => list,
    };
    for module in parse(&list).map_err(|message| Failure::machine(format!("{file}: {message}")))? {
        if let Err(message) = load(&module) {
            say(format_args!("cannot load {}: {message}", module.path));
        }
    }
    Ok(())
}

/// A line of a list.
#[derive(Debug, PartialEq, Eq)]
struct Module<'a> {
    path: &'a str,
    parameters: CString,
}

fn load(module: &Module<'_>) -> Result<(), String> {
    let file = File::open(module.path).map_err(|error| error.to_string())?;
    match sys::finit_module(file.as_fd(), &module.parameters) {
        Err(error) if error.errno != libc::EEXIST => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// One absolute path per line, and after a blank the module's parameters; empty lines do not count.
fn parse(list: &[u8]) -> Result<Vec<Module<'_>>, String> {
    let text = std::str::from_utf8(list).map_err(|_| "is not UTF-8".to_string())?;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.len() > MAX_MODULES {
        return Err(format!("must have at most {MAX_MODULES} lines but has {}", lines.len()));
    }
    lines
        .into_iter()
        .map(|line| match (line.split_once(' ').unwrap_or((line, "")), line.starts_with('/')) {
            ((path, parameters), true) if !line.contains('\0') => {
                Ok(Module { path, parameters: CString::new(parameters).expect("there is no NUL") })
            }
            _ => Err(format!("must have absolute paths but has {line:?}")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_of_the_list() {
        let list = b"/lib/modules/virtio_ring.ko\n\n/lib/modules/virtio.ko\n";
        let paths: Vec<&str> = parse(list).unwrap().iter().map(|module| module.path).collect();
        assert_eq!(paths, ["/lib/modules/virtio_ring.ko", "/lib/modules/virtio.ko"]);
    }

    #[test]
    fn last_line_needs_no_line_feed() {
        assert_eq!(parse(b"/a.ko").unwrap(), [Module { path: "/a.ko", parameters: CString::default() }]);
        assert!(parse(b"").unwrap().is_empty());
    }

    #[test]
    fn what_follows_a_blank_is_parameters() {
        let modules = parse(b"/loop.ko max_loop=1 max_part=0\n").unwrap();
        assert_eq!(modules, [Module { path: "/loop.ko", parameters: c"max_loop=1 max_part=0".to_owned() }]);
    }

    #[test]
    fn rejects_a_relative_path() {
        assert_eq!(parse(b"/a.ko\nb.ko\n").unwrap_err(), "must have absolute paths but has \"b.ko\"");
    }

    #[test]
    fn rejects_what_is_not_text() {
        assert!(parse(b"/a\xff.ko\n").is_err());
        assert!(parse(b"/a\0.ko\n").is_err());
    }

    #[test]
    fn rejects_a_list_without_end() {
        let list = "/a.ko\n".repeat(MAX_MODULES + 1);
        assert_eq!(parse(list.as_bytes()).unwrap_err(), "must have at most 256 lines but has 257");
    }
}
