//! Loop devices: a block device over a range of a file or of another block device.

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use libc::c_int;

use crate::failure::Failure;
use crate::sys::{CallError, check};

const CONTROL: &str = "/dev/loop-control";

// linux/loop.h
const LOOP_CTL_GET_FREE: u32 = 0x4c82;
const LOOP_CONFIGURE: u32 = 0x4c0a;
const LO_FLAGS_READ_ONLY: u32 = 1;
const LO_FLAGS_AUTOCLEAR: u32 = 4;
const LO_FLAGS_DIRECT_IO: u32 = 16;
/// `struct loop_config`: descriptor, block size, `struct loop_info64` of 232 bytes, 8 reserved words.
const CONFIG_BYTES: usize = 304;

/// How often somebody else may take the device that was free a moment ago.
const ATTEMPTS: usize = 16;

/// What a loop device shows of a file.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// Where it starts, a multiple of 512.
    pub offset: u64,
    /// How many bytes; a rest below 512 is not shown.
    pub length: u64,
    /// Past the page cache of the file; the file must allow it.
    pub direct: bool,
}

/// A read-only loop device. Once opened by somebody (a mapping counts), it goes away with its last user; what is held
/// here is the first of them.
#[derive(Debug)]
pub struct LoopDevice {
    /// Such as `/dev/loop0`.
    pub path: PathBuf,
    pub file: File,
}

/// Attaches a range of `backing` to a free loop device.
pub fn attach(backing: &File, range: Range) -> Result<LoopDevice, Failure> {
    let control = OpenOptions::new().read(true).write(true).open(CONTROL).map_err(|error| {
        Failure::machine(format!("cannot open {CONTROL}: {error}: the kernel needs the module loop"))
    })?;
    let config = config(backing.as_raw_fd(), range);
    for _ in 0..ATTEMPTS {
        // SAFETY: takes no argument.
        let number = unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE as _) };
        let number = check("ioctl(LOOP_CTL_GET_FREE)", number).map_err(|error| failed(&error))?;
        let path = PathBuf::from(format!("/dev/loop{number}"));
        let file =
            File::open(&path).map_err(|error| Failure::machine(format!("cannot open {}: {error}", path.display())))?;
        // SAFETY: the kernel reads as many bytes as the array has.
        let result = unsafe { libc::ioctl(file.as_raw_fd(), LOOP_CONFIGURE as _, config.as_ptr()) };
        match check("ioctl(LOOP_CONFIGURE)", result) {
            Ok(_) => return Ok(LoopDevice { path, file }),
            Err(CallError { errno: libc::EBUSY, .. }) => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    Err(Failure::machine("cannot make a loop device: each free one was taken by somebody else"))
}

fn failed(error: &CallError) -> Failure {
    Failure::machine(format!("cannot make a loop device: {error}"))
}

fn config(backing: c_int, range: Range) -> [u8; CONFIG_BYTES] {
    let flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR | if range.direct { LO_FLAGS_DIRECT_IO } else { 0 };
    let mut bytes = [0; CONFIG_BYTES];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &backing.to_ne_bytes());
    // lo_offset, lo_sizelimit and lo_flags of struct loop_info64, which starts at 8.
    put(8 + 24, &range.offset.to_ne_bytes());
    put(8 + 32, &range.length.to_ne_bytes());
    put(8 + 52, &flags.to_ne_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_has_the_layout_of_loop_config() {
        let bytes = config(7, Range { offset: 0x1000, length: 0x2200, direct: true });
        let mut expected = [0; 304];
        expected[0] = 7;
        expected[32..40].copy_from_slice(&0x1000u64.to_ne_bytes());
        expected[40..48].copy_from_slice(&0x2200u64.to_ne_bytes());
        expected[60..64].copy_from_slice(&21u32.to_ne_bytes());
        assert_eq!(bytes, expected);
    }
}
