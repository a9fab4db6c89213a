//! Finds a disk by the serial that the host gave it: names such as `vda` depend on the order of devices, serials do not.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::failure::Failure;
use crate::sys;

const LIMIT: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(2);

/// A disk opened for reading, and its size in bytes.
pub struct Disk {
    /// Such as `/dev/vda`.
    pub path: PathBuf,
    pub file: File,
    pub size: u64,
}

/// Waits until there is a virtio disk with this serial, and opens it.
pub fn find(serial: &str) -> Result<Disk, Failure> {
    let mut others = Vec::new();
    let name = sys::poll_until(LIMIT, STEP, || scan(Path::new("/sys/block"), serial, &mut others))
        .ok_or_else(|| Failure::machine(format!("no disk with serial {serial:?} appeared within {LIMIT:?}")))?;
    let path = Path::new("/dev").join(name);
    // The kernel makes the node before the name shows in sysfs.
    open(path)
}

/// Opens the virtio disk with this serial if there is one by now. For disks that a machine need not have, asked for
/// after [`find`] has waited for one that it must have.
pub fn find_present(serial: &str) -> Result<Option<Disk>, Failure> {
    scan(Path::new("/sys/block"), serial, &mut Vec::new()).map(|name| open(Path::new("/dev").join(name))).transpose()
}

fn open(path: PathBuf) -> Result<Disk, Failure> {
    let measured = || {
        let mut file = File::open(&path)?;
        let size = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        std::io::Result::Ok((file, size))
    };
    match measured() {
        Ok((file, size)) => Ok(Disk { path, file, size }),
        Err(error) => Err(Failure::machine(format!("cannot open {}: {error}", path.display()))),
    }
}

/// Reads the serial of each disk once, as every read is a request to the device; `others` are those known to have another.
fn scan(blocks: &Path, serial: &str, others: &mut Vec<OsString>) -> Option<OsString> {
    for entry in fs::read_dir(blocks).ok()?.flatten() {
        let name = entry.file_name();
        if !name.as_encoded_bytes().starts_with(b"vd") || others.contains(&name) {
            continue;
        }
        match sys::read_bounded(&entry.path().join("serial"), 4096) {
            Ok(found) if found.trim_ascii() == serial.as_bytes() => return Some(name),
            Ok(_) => others.push(name),
            Err(_) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selects_by_serial_among_virtio_disks() {
        let blocks = std::env::temp_dir().join(format!("avf-blocks-{}", std::process::id()));
        for (name, serial) in [("sda", "payload"), ("vda", "root\n"), ("vdb", "payload2"), ("vdc", "payload")] {
            fs::create_dir_all(blocks.join(name)).unwrap();
            fs::write(blocks.join(name).join("serial"), serial).unwrap();
        }
        fs::create_dir_all(blocks.join("vdd")).unwrap();
        let mut others = Vec::new();
        assert_eq!(scan(&blocks, "payload", &mut others), Some("vdc".into()));
        assert_eq!(scan(&blocks, "absent", &mut others), None);
        fs::remove_dir_all(&blocks).unwrap();
    }
}
