//! Device-mapper: block devices made of others, with verification or encryption in between.
//!
//! Every command is an ioctl on `/dev/mapper/control` with a header of 312 bytes (`struct dm_ioctl`), and for a table
//! the target (`struct dm_target_spec`) and its parameters after it. The kernel is asked to wipe its copy of what it
//! was given, and the copy here is wiped too, as a table may hold a key.
//!
//! | target | maps to | parameters |
//! |---|---|---|
//! | `linear` | a range of a device | `<device> <first sector>` |
//! | `verity` | a device whose blocks are checked against a hash tree | Linux `admin-guide/device-mapper/verity.rst` |
//! | `crypt` | an encrypted device | Linux `admin-guide/device-mapper/dm-crypt.rst` |

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::sys::{self, check};

const CONTROL: &str = "/dev/mapper/control";

/// Bytes of a sector, whatever the device's own block size.
pub const SECTOR: u64 = 512;

const HEADER_BYTES: usize = 312;
const TARGET_BYTES: usize = 40;
/// Longest name of a device, without its NUL.
const MAX_NAME_BYTES: usize = 127;
/// Longest parameters: far above what a table needs, far below what the kernel takes.
const MAX_PARAMETER_BYTES: usize = 4096;

const VERSION: [u32; 3] = [4, 0, 0];

const READ_ONLY: u32 = 1 << 0;
const SECURE_DATA: u32 = 1 << 15;

#[derive(Clone, Copy)]
enum Command {
    Create = 3,
    Remove = 4,
    /// With no flag set it resumes: the loaded table becomes the live one.
    Suspend = 6,
    Load = 9,
}

impl Command {
    const fn name(self) -> &'static str {
        match self {
            Self::Create => "ioctl(DM_DEV_CREATE)",
            Self::Remove => "ioctl(DM_DEV_REMOVE)",
            Self::Suspend => "ioctl(DM_DEV_SUSPEND)",
            Self::Load => "ioctl(DM_TABLE_LOAD)",
        }
    }

    /// `_IOWR(0xfd, command, struct dm_ioctl)`.
    const fn request(self) -> u32 {
        3 << 30 | (HEADER_BYTES as u32) << 16 | 0xfd << 8 | self as u32
    }
}

/// One target that makes up a whole device.
pub struct Target {
    kind: &'static str,
    sectors: u64,
    read_only: bool,
    parameters: Zeroizing<String>,
}

/// Blocks of a device and the hash tree over them; the tree's own layout is dm-verity's version 1.
#[derive(Clone, Copy)]
pub struct Verity<'a> {
    pub data: &'a Path,
    pub hashes: &'a Path,
    /// Bytes of a block, the same for data and hashes: a power of two from 512 to 4096.
    pub block_size: u32,
    pub data_blocks: u64,
    /// Where the tree starts on `hashes`, in blocks.
    pub first_hash_block: u64,
    /// As the kernel names it: `sha1`, `sha256` or `sha512`.
    pub algorithm: &'a str,
    pub root_hash: &'a [u8],
    pub salt: &'a [u8],
}

/// How dm-crypt encrypts: a cipher as it writes it, with 4096-byte sectors that count as such for the IV.
#[derive(Clone, Copy)]
pub struct Crypt<'a> {
    pub device: &'a Path,
    pub cipher: &'a str,
    pub key: &'a [u8],
    /// Bytes of the device, a multiple of 4096.
    pub size: u64,
}

impl Target {
    /// `sectors` of a device from sector `first` on.
    pub fn linear(device: &Path, first: u64, sectors: u64, read_only: bool) -> Result<Self, Failure> {
        let parameters = format!("{} {first}", word(device)?);
        Self::new("linear", sectors, read_only, Zeroizing::new(parameters))
    }

    /// A read-only device on which a block with a wrong hash is an I/O error.
    pub fn verity(verity: &Verity<'_>) -> Result<Self, Failure> {
        let size = verity.block_size;
        if !size.is_power_of_two() || !(512..=4096).contains(&size) {
            return Err(Failure::machine(format!("dm-verity block must have 512 to 4096 bytes but has {size}")));
        }
        if !matches!(verity.algorithm, "sha1" | "sha256" | "sha512") {
            return Err(Failure::machine(format!(
                "dm-verity hash must be sha1, sha256 or sha512 but is {:?}",
                verity.algorithm
            )));
        }
        let sectors = verity.data_blocks.checked_mul(u64::from(size) / SECTOR);
        let sectors = sectors.ok_or_else(|| Failure::machine("dm-verity device has too many blocks"))?;
        let salt = if verity.salt.is_empty() { Zeroizing::new("-".to_owned()) } else { hexadecimal(verity.salt) };
        let parameters = format!(
            "1 {} {} {size} {size} {} {} {} {} {}",
            word(verity.data)?,
            word(verity.hashes)?,
            verity.data_blocks,
            verity.first_hash_block,
            verity.algorithm,
            *hexadecimal(verity.root_hash),
            *salt
        );
        Self::new("verity", sectors, true, Zeroizing::new(parameters))
    }

    /// A device that is encrypted on another one.
    pub fn crypt(crypt: &Crypt<'_>) -> Result<Self, Failure> {
        if crypt.size % 4096 != 0 {
            return Err(Failure::machine(format!(
                "dm-crypt device must have a multiple of 4096 bytes but has {}",
                crypt.size
            )));
        }
        let device = word(crypt.device)?;
        let key = hexadecimal(crypt.key);
        // Of the right size from the start: a string that grows leaves copies of the key behind.
        let mut parameters = Zeroizing::new(String::with_capacity(crypt.cipher.len() + key.len() + device.len() + 64));
        write!(parameters, "{} {} 0 {device} 0 2 sector_size:4096 iv_large_sectors", crypt.cipher, *key)
            .expect("writing to a string does not fail");
        Self::new("crypt", crypt.size / SECTOR, false, parameters)
    }

    fn new(kind: &'static str, sectors: u64, read_only: bool, parameters: Zeroizing<String>) -> Result<Self, Failure> {
        if sectors == 0 || parameters.len() > MAX_PARAMETER_BYTES {
            return Err(Failure::machine(format!(
                "dm-{kind} device must have 1 sector or more and at most {MAX_PARAMETER_BYTES} bytes of parameters but has {sectors} and {}",
                parameters.len()
            )));
        }
        Ok(Self { kind, sectors, read_only, parameters })
    }

    /// `struct dm_target_spec`, the parameters with their NUL, and zeros up to a multiple of 8.
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let size = (TARGET_BYTES + self.parameters.len() + 1).next_multiple_of(8);
        let mut bytes = Zeroizing::new(Vec::with_capacity(size));
        bytes.extend(0u64.to_ne_bytes());
        bytes.extend(self.sectors.to_ne_bytes());
        bytes.extend(0u32.to_ne_bytes());
        bytes.extend((size as u32).to_ne_bytes());
        let mut kind = [0; 16];
        kind[..self.kind.len()].copy_from_slice(self.kind.as_bytes());
        bytes.extend(kind);
        bytes.extend(self.parameters.as_bytes());
        bytes.resize(size, 0);
        bytes
    }
}

/// A path as one word of a table: what has blanks would be two.
fn word(path: &Path) -> Result<&str, Failure> {
    match path.to_str() {
        Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(text),
        _ => Err(Failure::machine(format!("path of a device must have no blanks but is {path:?}"))),
    }
}

fn hexadecimal(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).expect("a digit below 16"));
        }
    }
    text
}

/// A mapped device. It stays when this value is dropped: most mappings live as long as the VM.
#[derive(Debug)]
pub struct Device {
    name: String,
    /// Such as `/dev/dm-0`.
    pub path: PathBuf,
}

impl Device {
    /// Makes a device with this target and waits for nothing: when this returns, it can be read.
    pub fn create(name: &str, target: &Target) -> Result<Self, Failure> {
        let control = open_control()?;
        let failed = |error: sys::CallError| {
            Failure::machine(format!("cannot make the dm-{} device {name:?}: {error}", target.kind))
        };
        let created = request(&control, Command::Create, name, 0, &[]).map_err(failed)?;
        let device = Self { name: name.to_owned(), path: PathBuf::from(format!("/dev/dm-{}", minor(created))) };
        let flags = if target.read_only { READ_ONLY } else { 0 };
        let live = request(&control, Command::Load, name, flags | SECURE_DATA, &target.encode())
            .and_then(|_| request(&control, Command::Suspend, name, flags, &[]));
        match live {
            Ok(_) => Ok(device),
            Err(error) => {
                // Without a table it is of no use to anybody; the first error is the one to tell.
                let _ = device.remove();
                Err(failed(error))
            }
        }
    }

    /// Removes the device, which nobody may have open.
    pub fn remove(self) -> Result<(), Failure> {
        request(&open_control()?, Command::Remove, &self.name, 0, &[])
            .map(drop)
            .map_err(|error| Failure::machine(format!("cannot remove the device {:?}: {error}", self.name)))
    }
}

fn open_control() -> Result<File, Failure> {
    OpenOptions::new().read(true).write(true).open(CONTROL).map_err(|error| {
        Failure::machine(format!("cannot open {CONTROL}: {error}: the kernel needs the module dm_mod"))
    })
}

/// Performs a command and returns the device number that the kernel answered.
fn request(control: &File, command: Command, name: &str, flags: u32, target: &[u8]) -> sys::Result<u64> {
    let mut message = Zeroizing::new(header(name, flags, target.len()));
    message.extend_from_slice(target);
    // SAFETY: the message is as long as its header says, and the kernel writes no more than that.
    let result = unsafe { libc::ioctl(control.as_raw_fd(), command.request() as _, message.as_mut_ptr()) };
    check(command.name(), result)?;
    Ok(u64::from_ne_bytes(message[40..48].try_into().expect("8 bytes")))
}

/// `struct dm_ioctl`, with room for the target after it.
fn header(name: &str, flags: u32, target: usize) -> Vec<u8> {
    assert!(!name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.contains(['/', '\0']), "name {name:?}");
    let mut bytes = Vec::with_capacity(HEADER_BYTES + target);
    for number in VERSION {
        bytes.extend(number.to_ne_bytes());
    }
    bytes.extend(((HEADER_BYTES + target) as u32).to_ne_bytes());
    bytes.extend((HEADER_BYTES as u32).to_ne_bytes());
    bytes.extend(u32::from(target > 0).to_ne_bytes());
    bytes.extend(0u32.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.resize(48, 0);
    bytes.extend(name.as_bytes());
    bytes.resize(HEADER_BYTES, 0);
    bytes
}

/// The minor number in a device number as the kernel's own interfaces write it (`huge_encode_dev`).
fn minor(device: u64) -> u64 {
    (device & 0xff) | (device >> 12 & 0xfff00)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verity<'a>() -> Verity<'a> {
        Verity {
            data: Path::new("/dev/vda"),
            hashes: Path::new("/dev/loop0"),
            block_size: 4096,
            data_blocks: 25,
            first_hash_block: 0,
            algorithm: "sha256",
            root_hash: &[0xab; 32],
            salt: &[],
        }
    }

    #[test]
    fn verity_table_is_as_the_kernel_reads_it() {
        let target = Target::verity(&verity()).unwrap();
        let root = "ab".repeat(32);
        assert_eq!(*target.parameters, format!("1 /dev/vda /dev/loop0 4096 4096 25 0 sha256 {root} -"));
        assert_eq!((target.sectors, target.read_only), (200, true));
        let salted = Target::verity(&Verity { salt: &[1, 0xf0], first_hash_block: 7, ..verity() }).unwrap();
        assert!(salted.parameters.ends_with(&format!(" 25 7 sha256 {root} 01f0")));
    }

    #[test]
    fn verity_takes_no_odd_block_size_unknown_hash_or_overflow() {
        assert!(Target::verity(&Verity { block_size: 4095, ..verity() }).is_err());
        assert!(Target::verity(&Verity { block_size: 8192, ..verity() }).is_err());
        assert!(Target::verity(&Verity { algorithm: "sha256 -", ..verity() }).is_err());
        assert!(Target::verity(&Verity { data_blocks: u64::MAX / 4, ..verity() }).is_err());
        assert!(Target::verity(&Verity { data_blocks: 0, ..verity() }).is_err());
        assert!(Target::verity(&Verity { data: Path::new("/dev/vda 0"), ..verity() }).is_err());
    }

    #[test]
    fn crypt_table_is_as_the_kernel_reads_it() {
        let crypt = Crypt { device: Path::new("/dev/vdb"), cipher: "aes-hctr2-plain64", key: &[7; 32], size: 1 << 20 };
        let target = Target::crypt(&crypt).unwrap();
        let key = "07".repeat(32);
        assert_eq!(
            *target.parameters,
            format!("aes-hctr2-plain64 {key} 0 /dev/vdb 0 2 sector_size:4096 iv_large_sectors")
        );
        assert_eq!((target.sectors, target.read_only), (2048, false));
        assert!(Target::crypt(&Crypt { size: 4097, ..crypt }).is_err());
    }

    #[test]
    fn target_has_the_layout_of_dm_target_spec() {
        let bytes = Target::linear(Path::new("/dev/vda"), 40, 8, true).unwrap().encode();
        assert_eq!(bytes.len(), 56);
        assert_eq!(bytes[..8], 0u64.to_ne_bytes());
        assert_eq!(bytes[8..16], 8u64.to_ne_bytes());
        assert_eq!(bytes[20..24], 56u32.to_ne_bytes());
        assert_eq!(&bytes[24..40], b"linear\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(&bytes[40..], b"/dev/vda 40\0\0\0\0\0");
    }

    #[test]
    fn header_has_the_layout_of_dm_ioctl() {
        let bytes = header("cryptdev", SECURE_DATA, 64);
        assert_eq!(bytes.len(), 312);
        assert_eq!(bytes[12..16], 376u32.to_ne_bytes());
        assert_eq!(bytes[16..20], 312u32.to_ne_bytes());
        assert_eq!(bytes[20..24], 1u32.to_ne_bytes());
        assert_eq!(bytes[28..32], SECURE_DATA.to_ne_bytes());
        assert_eq!(&bytes[48..57], b"cryptdev\0");
        assert_eq!(Command::Create.request(), 0xc138_fd03);
    }

    #[test]
    fn minor_numbers_above_255_are_read_too() {
        assert_eq!(minor(0xfe03), 3);
        assert_eq!(minor(0x1000_fe03), 0x10003 & 0xfffff);
    }
}
