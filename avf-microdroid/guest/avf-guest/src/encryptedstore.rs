//! The encrypted store: an ext4 on dm-crypt on a disk that the host keeps and cannot read.
//!
//! A fresh disk starts with `UNFORMATTED-STORAGE` and is zero after that. Formatting writes through the encryption, so
//! the ciphertext of block 0, which has the superblock, takes the marker's place. It is written last, in one write,
//! after everything else is on the disk. That makes a kill at any moment harmless:
//!
//! | killed | block 0 of the disk | the next boot |
//! |---|---|---|
//! | before the last write | the marker | formats again |
//! | within it, a power cut included | some sectors are new, others still zero | formats again |
//! | after it | ciphertext | opens the store; growing it and giving it to the payload are done if they were not |
//!
//! Ciphertext of a whole block has no sector of zeros, except once in 2^4093 blocks. A disk that is zero all over, or
//! whose block 0 does not decrypt to a superblock, is refused and never formatted: it is damaged, or the key is another
//! one's. (A host can always offer a fresh disk instead of the right one. It cannot make that one be taken for the right
//! one.)
//!
//! # Cipher
//! As AVF's `aes-hctr2-plain64` with a key of 32 bytes where the kernel has it. Debian's kernels are built without
//! HCTR2. There it is Adiantum, which has the same properties: a key of 32 bytes, and all of a 4096-byte sector depends
//! on all of it, so that a host which changes a bit makes noise of the whole sector. AES-XTS has neither. Nothing on
//! the disk says which cipher it is, as the host could change that: a store is opened with the one that decrypts its
//! superblock.

use std::ffi::CStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::Path;

use libc::{MS_NODEV, MS_NOEXEC, MS_NOSUID};
use zeroize::Zeroizing;

use crate::dm::{Crypt, Device, Target};
use crate::ext4;
use crate::failure::{Failure, MAKE_ANEW};
use crate::sys::{self, check};

/// The mapping's name, as AVF's.
const NAME: &str = "cryptdev";

const MARKER: &[u8] = b"UNFORMATTED-STORAGE";
const BLOCK: usize = ext4::BLOCK;
const SECTOR: usize = 512;

/// Best first.
const CIPHERS: [&str; 2] = ["aes-hctr2-plain64", "xchacha12,aes-adiantum-plain64"];

/// All may enter who are in the payload's group; nobody removes what is another's.
const MODE: u32 = 0o1770;

pub type Key = Zeroizing<[u8; 32]>;

/// What block 0 of the disk says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// With the marker.
    Fresh,
    /// The write that makes it whole was cut.
    HalfFormatted,
    /// Ciphertext, as far as can be told without the key.
    Formatted,
    /// Neither marker nor anything else.
    Blank,
}

impl State {
    fn of(block: &[u8; BLOCK]) -> Self {
        let zeros = block.chunks(SECTOR).filter(|sector| sector.iter().all(|&byte| byte == 0)).count();
        if block.starts_with(MARKER) {
            Self::Fresh
        } else if zeros == BLOCK / SECTOR {
            Self::Blank
        } else if zeros > 0 {
            Self::HalfFormatted
        } else {
            Self::Formatted
        }
    }
}

/// A mounted store.
#[derive(Debug)]
pub struct Store {
    root: File,
    /// The cipher, as dm-crypt writes it.
    pub cipher: &'static str,
    /// Whether the disk was formatted just now: nothing was stored before.
    pub is_new: bool,
}

/// Formats the disk if it is fresh, and mounts it on `folder`, which is created, for the group `gid`: nosuid, nodev,
/// noexec. Needs dm_crypt and a cipher.
pub fn open(disk: &Path, key: &Key, folder: &CStr, gid: u32) -> Result<Store, Failure> {
    let failed = |error: io::Error| Failure::machine(format!("cannot use the encrypted store: {error}"));
    let file = OpenOptions::new().read(true).write(true).open(disk).map_err(failed)?;
    let size = io::Seek::seek(&mut &file, io::SeekFrom::End(0)).map_err(failed)?;
    if size % BLOCK as u64 != 0 || size < ext4::SMALLEST {
        return Err(Failure::machine(format!(
            "the encrypted store must have {} bytes or more, a multiple of {BLOCK}, but has {size}",
            ext4::SMALLEST
        )));
    }
    let mut first = [0; BLOCK];
    file.read_exact_at(&mut first, 0).map_err(failed)?;
    let state = State::of(&first);
    let crypt = |cipher| Crypt { device: disk, cipher, key: &**key, size };
    let (device, cipher) = match state {
        State::Formatted => open_formatted(crypt)?,
        State::Blank => {
            return Err(Failure::machine(format!("the encrypted store is neither fresh nor formatted: {MAKE_ANEW}")));
        }
        State::Fresh | State::HalfFormatted => {
            if state == State::Fresh && first[MARKER.len()..].iter().any(|&byte| byte != 0) {
                // What is behind the marker must be zero to tell a cut write by.
                first[MARKER.len()..].fill(0);
                file.write_all_at(&first, 0).and_then(|()| file.sync_all()).map_err(failed)?;
            }
            let (device, cipher) = map_fresh(crypt)?;
            let plain = OpenOptions::new().write(true).open(&device.path);
            plain.and_then(|mut plain| format(&mut plain)).map_err(failed)?;
            (device, cipher)
        }
    };
    let root = mount(&device, folder, size, gid)?;
    Ok(Store { root, cipher, is_new: state != State::Formatted })
}

/// Maps the disk with the first cipher that the kernel has.
fn map_fresh<'a>(crypt: impl Fn(&'static str) -> Crypt<'a>) -> Result<(Device, &'static str), Failure> {
    let mut reason = String::new();
    for cipher in CIPHERS {
        match Device::create(NAME, &Target::crypt(&crypt(cipher))?) {
            Ok(device) => return Ok((device, cipher)),
            Err(failure) => reason = failure.message,
        }
    }
    Err(Failure::machine(format!("{reason}: the kernel must have dm_crypt and one of {CIPHERS:?}")))
}

/// Maps the disk with the cipher that gives a superblock.
fn open_formatted<'a>(crypt: impl Fn(&'static str) -> Crypt<'a>) -> Result<(Device, &'static str), Failure> {
    let mut tried = Vec::new();
    for cipher in CIPHERS {
        let Ok(device) = Device::create(NAME, &Target::crypt(&crypt(cipher))?) else { continue };
        let mut first = [0; BLOCK];
        // Closed again before the device is mounted or removed.
        let read = File::open(&device.path).and_then(|mut plain| plain.read_exact(&mut first));
        if read.is_ok() && ext4::is_superblock(&first) {
            return Ok((device, cipher));
        }
        device.remove()?;
        tried.push(cipher);
    }
    Err(Failure::machine(if tried.is_empty() {
        format!("cannot open the encrypted store: the kernel must have dm_crypt and one of {CIPHERS:?}")
    } else {
        format!("cannot open the encrypted store: it is damaged or was made with another secret: {MAKE_ANEW}")
    }))
}

/// Where an empty file system is written to.
trait Blocks {
    fn write(&mut self, number: u32, block: &[u8]) -> io::Result<()>;
    /// Returns when all that was written is on the disk.
    fn sync(&mut self) -> io::Result<()>;
}

impl Blocks for File {
    fn write(&mut self, number: u32, block: &[u8]) -> io::Result<()> {
        self.write_all_at(block, u64::from(number) * BLOCK as u64)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Writes an empty file system; block 0, which makes it one, when all else is on the disk.
fn format(device: &mut impl Blocks) -> io::Result<()> {
    let mut template = ext4::template();
    let first = template.remove(&0).expect("the template has a superblock");
    for (number, block) in template {
        device.write(number, &block)?;
    }
    device.sync()?;
    device.write(0, &first)?;
    device.sync()
}

fn mount(device: &Device, folder: &CStr, size: u64, gid: u32) -> Result<File, Failure> {
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        Failure::machine(format!("cannot {what} the encrypted store: {error}"))
    };
    let path = Path::new(std::ffi::OsStr::from_bytes(folder.to_bytes()));
    let source = std::ffi::CString::new(device.path.as_os_str().as_bytes()).expect("a device's name has no NUL");
    // A folder that cannot be made shows in the mount's own error.
    let _ = fs::create_dir_all(path);
    sys::mount(&source, folder, c"ext4", MS_NOSUID | MS_NODEV | MS_NOEXEC, c"")
        .map_err(|error| failed("mount", &error))?;
    let root = File::open(path).map_err(|error| failed("open", &error))?;
    ext4::grow(&root, size).map_err(|error| failed("grow", &error))?;
    let metadata = root.metadata().map_err(|error| failed("look at", &error))?;
    if metadata.gid() != gid || metadata.mode() & 0o7777 != MODE {
        std::os::unix::fs::fchown(&root, Some(0), Some(gid))
            .and_then(|()| root.set_permissions(fs::Permissions::from_mode(MODE)))
            .map_err(|error| failed("give the payload", &error))?;
    }
    Ok(root)
}

impl Store {
    /// Waits until all that was stored is on the disk.
    pub fn sync(&self) -> Result<(), Failure> {
        // SAFETY: takes an open descriptor.
        check("syncfs", unsafe { libc::syncfs(self.root.as_raw_fd()) })
            .map(drop)
            .map_err(|error| Failure::machine(format!("cannot write the encrypted store back: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(fill: impl Fn(usize) -> u8) -> [u8; BLOCK] {
        std::array::from_fn(fill)
    }

    #[test]
    fn marker_means_fresh_whatever_is_behind_it() {
        let mut fresh = [0; BLOCK];
        fresh[..MARKER.len()].copy_from_slice(MARKER);
        assert_eq!(State::of(&fresh), State::Fresh);
        fresh[MARKER.len()..].fill(7);
        assert_eq!(State::of(&fresh), State::Fresh);
    }

    #[test]
    fn a_cut_last_write_is_told_by_any_sector_that_is_still_zero() {
        let whole = block(|at| (at % 251) as u8 + 1);
        assert_eq!(State::of(&whole), State::Formatted);
        for sector in 1..BLOCK / SECTOR {
            let mut cut = whole;
            cut[sector * SECTOR..(sector + 1) * SECTOR].fill(0);
            assert_eq!(State::of(&cut), State::HalfFormatted, "sector {sector}");
        }
    }

    /// A disk whose cipher changes each byte, and that dies after so many operations.
    struct Dying {
        disk: Vec<u8>,
        left: usize,
    }

    impl Dying {
        fn live(&mut self) -> io::Result<()> {
            self.left = self.left.checked_sub(1).ok_or(io::ErrorKind::BrokenPipe)?;
            Ok(())
        }
    }

    impl Blocks for Dying {
        fn write(&mut self, number: u32, block: &[u8]) -> io::Result<()> {
            self.live()?;
            let start = number as usize * BLOCK;
            self.disk.resize(self.disk.len().max(start + BLOCK), 0);
            let cipher = block.iter().map(|byte| byte ^ 0x5a);
            self.disk[start..start + BLOCK].iter_mut().zip(cipher).for_each(|(to, from)| *to = from);
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            self.live()
        }
    }

    #[test]
    fn formatting_that_dies_at_any_moment_leaves_a_fresh_disk_or_a_whole_one() {
        let mut fresh = vec![0; BLOCK];
        fresh[..MARKER.len()].copy_from_slice(MARKER);
        let operations = ext4::template().len() + 2;
        for left in 0..=operations {
            let mut dying = Dying { disk: fresh.clone(), left };
            let done = format(&mut dying).is_ok();
            let state = State::of(dying.disk[..BLOCK].try_into().unwrap());
            // The last operation but one is the write of block 0; the last makes sure that it is on the disk.
            assert_eq!(state, if left < operations - 1 { State::Fresh } else { State::Formatted }, "{left}");
            assert_eq!(done, left == operations);
            if state == State::Formatted {
                for (number, block) in ext4::template() {
                    let start = number as usize * BLOCK;
                    assert!(dying.disk[start..start + BLOCK].iter().zip(&block).all(|(a, b)| a ^ 0x5a == *b));
                }
            }
        }
    }

    #[test]
    fn a_blank_disk_is_not_a_fresh_one() {
        assert_eq!(State::of(&[0; BLOCK]), State::Blank);
    }
}
