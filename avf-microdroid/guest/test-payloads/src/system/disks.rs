//! Tests of block devices and file systems.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use avf_formats::FileSource;
use avf_guest::dm::{Device, SECTOR, Target, Verity};
use avf_guest::encryptedstore;
use avf_guest::ext4;
use avf_guest::gpt::{Partition, Table};
use avf_guest::loopdev::{self, Range};
use avf_guest::process::Program;
use avf_guest::sandbox::{PAYLOAD_ID, Sandbox};
use avf_guest::sys::{self, Reaped};
use avf_guest::zipfuse::{self, Options};

use crate::{Done, say};

const BLOCK: u64 = 4096;
const LIMIT: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(2);

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn open(path: &Path) -> Result<(File, u64), String> {
    let mut file = sys::poll_until(LIMIT, STEP, || File::open(path).ok()).ok_or("the disk did not appear")?;
    let size = file.seek(SeekFrom::End(0)).map_err(text)?;
    Ok((file, size))
}

/// Maps the partition `package` with the tree in `tree`; the partition `root` has the root hash.
fn verified(disk: &Path) -> Result<(Device, u64), String> {
    let (file, size) = open(disk)?;
    let source = file.try_clone().and_then(FileSource::new).map_err(text)?;
    let table = Table::read(&source, size).map_err(text)?;
    let find = |name: &str| table.find(name).cloned().ok_or(format!("no partition {name:?}"));
    let (package, tree, root) = (find("package")?, find("tree")?, find("root")?);
    let mut root_hash = [0; 32];
    file.read_exact_at(&mut root_hash, root.offset).map_err(text)?;
    // One by a mapping, the other by a loop device: both must do.
    let Partition { offset, length, .. } = package;
    let data = Target::linear(disk, offset / SECTOR, length / SECTOR, true).map_err(text)?;
    let data = Device::create("package-data", &data).map_err(text)?;
    let hashes = loopdev::attach(&file, Range { offset: tree.offset, length: tree.length, direct: false });
    let hashes = hashes.map_err(text)?;
    let verity = Verity {
        data: &data.path,
        hashes: &hashes.path,
        block_size: BLOCK as u32,
        data_blocks: length / BLOCK,
        first_hash_block: 0,
        algorithm: "sha256",
        root_hash: &root_hash,
        salt: &[],
    };
    let wrong = Verity { root_hash: &[1; 32], ..verity };
    let device = Device::create("wrong", &Target::verity(&wrong).map_err(text)?).map_err(text)?;
    if read_blocks(&device.path)?.0 != 0 {
        return Err("blocks are read under a wrong root hash".into());
    }
    device.remove().map_err(text)?;
    let device = Device::create("package", &Target::verity(&verity).map_err(text)?).map_err(text)?;
    Ok((device, length))
}

/// How many blocks are read, and how many give EIO.
fn read_blocks(device: &Path) -> Result<(u64, u64), String> {
    let (file, size) = open(device)?;
    let (mut good, mut bad) = (0, 0);
    // One read a block: a read that is longer, or ahead, says nothing of its blocks.
    sys_random(&file)?;
    for block in 0..size / BLOCK {
        match file.read_exact_at(&mut [0; BLOCK as usize], block * BLOCK) {
            Ok(()) => good += 1,
            Err(error) if error.raw_os_error() == Some(libc::EIO) => bad += 1,
            Err(error) => return Err(text(error)),
        }
    }
    Ok((good, bad))
}

fn sys_random(file: &File) -> Done {
    use std::os::fd::AsRawFd;
    // SAFETY: takes integers.
    match unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_RANDOM) } {
        0 => Ok(()),
        errno => Err(text(io::Error::from_raw_os_error(errno))),
    }
}

/// One changed byte makes its block unreadable and no other.
pub fn damaged(disk: &Path) -> Done {
    let (device, length) = verified(disk)?;
    match read_blocks(&device.path)? {
        (good, 1) if good == length / BLOCK - 1 => Ok(()),
        (good, bad) => Err(format!("{good} blocks are read and {bad} are not")),
    }
}

/// A verified zip is a file system, and a program in it runs as the payload's user.
pub fn package(disk: &Path) -> Done {
    let (device, length) = verified(disk)?;
    if read_blocks(&device.path)?.1 != 0 {
        return Err("blocks of a good package are not read".into());
    }
    let (file, _) = open(&device.path)?;
    fs::create_dir_all("/mnt/apk").map_err(text)?;
    let memory = sys::total_memory().map_err(text)?;
    let started = sys::boot_nanos();
    zipfuse::start(&file, length, c"/mnt/apk", Options::package(memory)).map_err(text)?;
    say(&format!("mounted the package in {} us", (sys::boot_nanos() - started) / 1000));
    list(Path::new("/mnt/apk"))?;
    let words = fs::read_to_string("/mnt/apk/assets/text").map_err(text)?;
    if words != "compressed words\n".repeat(10_000) {
        return Err("the compressed file has other words".into());
    }
    let many: Vec<_> = (0..8)
        .map(|reader| {
            std::thread::spawn(move || {
                (0..20).all(|_| {
                    let name = ["/mnt/apk/assets/text", "/mnt/apk/assets/stored"][reader % 2];
                    fs::read(name).is_ok_and(|content| content.len() == 170_000)
                })
            })
        })
        .collect();
    if !many.into_iter().all(|reader| reader.join().is_ok_and(|right| right)) {
        return Err("readers at the same time do not all read the same".into());
    }
    match fs::write("/mnt/apk/new", "x") {
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {}
        other => return Err(format!("the package can be written: {other:?}")),
    }
    run_from_package()
}

fn list(folder: &Path) -> Done {
    let mut names: Vec<_> = fs::read_dir(folder).map_err(text)?.flatten().map(|entry| entry.path()).collect();
    names.sort();
    for path in names {
        let metadata = path.metadata().map_err(text)?;
        let (mode, gid, size) = (metadata.mode(), metadata.gid(), metadata.size());
        say(&format!("{mode:o} {gid} {size} {}", path.display()));
        if metadata.is_dir() {
            list(&path)?;
        }
    }
    Ok(())
}

fn run_from_package() -> Done {
    let null = File::open("/dev/null").map_err(text)?;
    let console = std::io::stdout();
    let confined = Sandbox::payload().prepare();
    let program = Program {
        path: c"/mnt/apk/bin/payload",
        arguments: &[c"payload".into(), c"report".into()],
        environment: &[],
        input: null.as_fd(),
        output: console.as_fd(),
        inherited: None,
        confined: Some(&confined),
    };
    expect_exit(program.start().map_err(text)?, 0)
}

pub fn expect_exit(program: libc::pid_t, code: i32) -> Done {
    let ended = sys::poll_until(LIMIT, STEP, || match sys::reap() {
        Reaped::Child(ended) if ended.pid == program => Some(ended),
        _ => None,
    });
    match ended {
        Some(ended) if ended.exit_code == code => Ok(()),
        other => Err(format!("the program must exit with {code} but did {other:?}")),
    }
}

/// Opens the store, which counts how often that was done.
pub fn store(disk: &Path, key: u8) -> Done {
    let (_, size) = open(disk)?;
    say("opening the store");
    let started = sys::boot_nanos();
    let folder = CString::new("/mnt/encryptedstore").expect("no NUL");
    let store = encryptedstore::open(disk, &[key; 32].into(), &folder, PAYLOAD_ID).map_err(text)?;
    let micros = (sys::boot_nanos() - started) / 1000;
    let counter = Path::new("/mnt/encryptedstore/counter");
    let count = match fs::read_to_string(counter) {
        Ok(count) => count.trim().parse::<u32>().map_err(text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(text(error)),
    };
    // A kill finds the old count or the new one.
    let next = counter.with_extension("new");
    let file = File::create(&next).map_err(text)?;
    file.write_all_at((count + 1).to_string().as_bytes(), 0).and_then(|()| file.sync_all()).map_err(text)?;
    fs::rename(&next, counter).map_err(text)?;
    store.sync().map_err(text)?;
    say(&format!("stored count {}", count + 1));
    let root = fs::metadata("/mnt/encryptedstore").map_err(text)?;
    say(&format!("store new={} cipher={} mode={:o} gid={}", store.is_new, store.cipher, root.mode(), root.gid()));
    let capacity = capacity(&folder)?;
    say(&format!("store of {size} bytes has {capacity} and took {micros} us"));
    if capacity < size / 2 { Err(format!("the store has not grown to {size} bytes")) } else { Ok(()) }
}

/// Formats without encryption and grows, for the host to check what the kernel made of it.
pub fn grow(disk: &Path) -> Done {
    let (_, size) = open(disk)?;
    let file = File::options().write(true).open(disk).map_err(text)?;
    for (number, block) in ext4::template() {
        file.write_all_at(&block, u64::from(number) * BLOCK).map_err(text)?;
    }
    file.sync_all().map_err(text)?;
    drop(file);
    fs::create_dir_all("/mnt/plain").map_err(text)?;
    let source = CString::new(disk.as_os_str().as_encoded_bytes()).map_err(text)?;
    sys::mount(&source, c"/mnt/plain", c"ext4", 0, c"").map_err(text)?;
    let root = File::open("/mnt/plain").map_err(text)?;
    ext4::grow(&root, size).map_err(text)?;
    drop(root);
    fs::write("/mnt/plain/large", vec![7; 8 << 20]).map_err(text)?;
    // SAFETY: takes a NUL-terminated string and flags.
    match unsafe { libc::umount2(c"/mnt/plain".as_ptr(), 0) } {
        0 => Ok(()),
        _ => Err(text(io::Error::last_os_error())),
    }
}

fn capacity(folder: &CString) -> Result<u64, String> {
    // SAFETY: zeroed is valid, and the kernel fills it.
    unsafe {
        let mut statistics: libc::statvfs = std::mem::zeroed();
        match libc::statvfs(folder.as_ptr(), &mut statistics) {
            0 => Ok(statistics.f_blocks * statistics.f_frsize),
            _ => Err(text(io::Error::last_os_error())),
        }
    }
}
