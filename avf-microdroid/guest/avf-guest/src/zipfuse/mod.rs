//! A verified zip as a read-only file system, served over `/dev/fuse`.
//!
//! | part | is |
//! |---|---|
//! | [`zip`] | the zip's directory and contents |
//! | [`tree`] | the files and folders that its names imply |
//! | [`filesystem`] | the answers to the kernel's requests ([`abi`]) |
//! | this file | mounting it, and the process that answers |
//!
//! As AVF's `zipfuse`: nosuid, nodev, `default_permissions`, `allow_other`; attributes and names are cached for ever;
//! stored entries are read straight from the zip, compressed ones are inflated as a whole when they are opened and
//! shared by all who have them open; owner 0, the payload's group; modes from the zip, else 0400, and 0500 for folders
//! and below `bin/`.

pub mod abi;
pub mod filesystem;
pub mod tree;
pub mod zip;

#[cfg(test)]
mod tests;

use std::ffi::{CStr, CString};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, RawFd};
use std::thread;
use std::time::Duration;

use libc::{MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, pid_t};

use crate::failure::Failure;
use crate::process::Program;
use crate::sandbox::Sandbox;
use crate::sys;
use avf_formats::{FileSource, ReadAt};
use filesystem::{FileSystem, Limits, MAX_READ};
use tree::Tree;
use zip::Zip;

/// Who answers requests: nobody else is this user, so that nobody may touch the process.
const SERVER_UID: u32 = 6001;

const THREADS: usize = 4;

/// The kernel wants room for its largest request: a header and a write that never comes.
const REQUEST_BYTES: usize = 64 << 10;

/// How long reading the zip's directory and mounting may take.
const MOUNT_LIMIT: Duration = Duration::from_secs(20);
const MAX_REASON_BYTES: usize = 1024;

/// How a zip is mounted.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The group of every file.
    pub gid: u32,
    /// Whether that group may do what the owner may.
    pub shared: bool,
    pub executable: bool,
    /// Bytes that compressed entries which are open may have in all.
    pub inflated: u64,
}

impl Options {
    /// The main package: the payload's group reads and executes.
    pub fn package(memory: u64) -> Self {
        Self { gid: crate::sandbox::PAYLOAD_ID, shared: true, executable: true, inflated: memory / 4 }
    }
}

/// Mounts `zip`, of at most `size` bytes, on an existing folder, and returns the process that serves it. When this
/// returns, files can be opened.
///
/// The server is this program once more, executed anew: it has neither the memory nor the descriptors of its parent,
/// and no privileges once it has mounted. It lives until it is killed or the file system is unmounted.
///
/// Only for a process with one thread.
pub fn start(zip: &File, size: u64, folder: &CStr, options: Options) -> Result<pid_t, Failure> {
    let machine = |error: sys::CallError| Failure::machine(format!("cannot start the package's file system: {error}"));
    let (outcome, teller) = sys::pipe().map_err(machine)?;
    let Options { gid, shared, executable, inflated } = options;
    let numbers =
        [teller.as_raw_fd().into(), size.into(), gid.into(), shared.into(), executable.into(), inflated.into()]
            .map(|number: i128| CString::new(number.to_string()).expect("a number has no NUL"));
    let mut arguments = vec![c"avf-guest".to_owned(), c"zipfuse".to_owned(), folder.to_owned()];
    arguments.extend(numbers);
    let words = io::stderr();
    let program = Program {
        path: c"/proc/self/exe",
        arguments: &arguments,
        environment: &[],
        input: zip.as_fd(),
        output: words.as_fd(),
        inherited: Some(teller.as_fd()),
        confined: None,
    };
    let pid = program.start()?;
    drop(teller);
    mounted(File::from(outcome)).map(|()| pid)
}

/// The server's program: the arguments are those that [`start`] gives, and standard input is the zip. Returns the exit
/// code.
pub fn main(arguments: &[&[u8]]) -> i32 {
    let number = |at: usize| arguments.get(at).and_then(|word| std::str::from_utf8(word).ok()?.parse::<u64>().ok());
    let (Some(folder), Some(teller), Some(size), Some(gid), Some(shared), Some(executable), Some(inflated)) = (
        arguments.first().and_then(|word| CString::new(*word).ok()),
        number(1).and_then(|fd| RawFd::try_from(fd).ok()),
        number(2),
        number(3).and_then(|gid| u32::try_from(gid).ok()),
        number(4),
        number(5),
        number(6),
    ) else {
        eprintln!("avf-guest: zipfuse is started by init");
        return 2;
    };
    // SAFETY: both were passed to this process for this one use.
    let (zip, mut teller) = unsafe { (File::from_raw_fd(0), File::from_raw_fd(teller)) };
    let options = Options { gid, shared: shared != 0, executable: executable != 0, inflated };
    i32::from(serve(zip, size, &folder, options, &mut teller).is_err())
}

/// Waits for the server's word, which is one write: `+` when it serves, or why it cannot.
fn mounted(mut outcome: File) -> Result<(), Failure> {
    let mut words = [0; MAX_REASON_BYTES];
    let count = match sys::wait_readable([Some(outcome.as_fd())], Some(MOUNT_LIMIT)) {
        Ok([true]) => outcome.read(&mut words).map_err(|error| error.to_string()),
        Ok([false]) => Err(format!("no answer within {MOUNT_LIMIT:?}")),
        Err(error) => Err(error.to_string()),
    }
    .map_err(|reason| Failure::machine(format!("cannot mount the package: {reason}")))?;
    match &words[..count] {
        b"+" => Ok(()),
        b"" => Err(Failure::machine("cannot mount the package: its server died")),
        reason => Err(Failure::payload(format!("cannot mount the package: {}", String::from_utf8_lossy(reason)))),
    }
}

fn serve(zip: File, size: u64, folder: &CStr, options: Options, teller: &mut File) -> Result<(), ()> {
    let served = open(zip, size, options).and_then(|files| Ok((mount(folder, options)?, files)));
    let (device, files) = match served {
        Ok(served) => served,
        Err(reason) => {
            let _ = teller.write_all(reason.as_bytes());
            return Err(());
        }
    };
    let confined = Sandbox { uid: SERVER_UID, gid: SERVER_UID, ..Sandbox::payload() }.prepare();
    // SAFETY: this process has had one thread so far.
    if let Err(error) = unsafe { confined.enter() } {
        let _ = teller.write_all(format!("cannot give up privileges: {error}").as_bytes());
        return Err(());
    }
    answer_all(&device, &files, || {
        let _ = teller.write_all(b"+");
    })
    .map_err(|error| crate::console::say(format_args!("the package's file system ends: {error}")))
}

fn open(zip: File, size: u64, options: Options) -> Result<FileSystem<FileSource>, String> {
    let zip = FileSource::new(zip).map_err(|error| format!("cannot measure the package: {error}"))?;
    let zip = Zip::open(zip, size).map_err(|error| error.to_string())?;
    let tree = Tree::build(&zip.entries, options.shared)?;
    Ok(FileSystem::new(zip, tree, Limits { gid: options.gid, inflated: options.inflated }))
}

fn mount(folder: &CStr, options: Options) -> Result<File, String> {
    let device = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/fuse")
        .map_err(|error| format!("cannot open /dev/fuse: {error}: the kernel needs the module fuse"))?;
    let data = format!(
        "fd={},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions,max_read={MAX_READ}",
        device.as_raw_fd()
    );
    let data = CString::new(data).expect("numbers have no NUL");
    let flags = MS_NOSUID | MS_NODEV | MS_RDONLY | if options.executable { 0 } else { MS_NOEXEC };
    sys::mount(c"zipfuse", folder, c"fuse", flags, &data).map_err(|error| error.to_string())?;
    Ok(device)
}

/// Answers until the file system is unmounted. `ready` is called once, when requests are about to be answered.
fn answer_all<R: ReadAt + Sync>(device: &File, files: &FileSystem<R>, ready: impl FnOnce()) -> io::Result<()> {
    thread::scope(|scope| {
        for _ in 1..THREADS {
            // With fewer threads it is slower and no less right.
            let _ = thread::Builder::new().spawn_scoped(scope, || answer_some(device, files));
        }
        ready();
        answer_some(device, files)
    })
}

fn answer_some<R: ReadAt>(mut device: &File, files: &FileSystem<R>) -> io::Result<()> {
    let mut request = vec![0; REQUEST_BYTES];
    let mut answer = Vec::new();
    loop {
        let count = match device.read(&mut request) {
            Ok(count) => count,
            // Unmounted.
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => return Ok(()),
            // A request that was taken back before it was read.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINTR | libc::ENOENT | libc::EAGAIN)) => continue,
            Err(error) => return Err(error),
        };
        files.answer(&request[..count], &mut answer);
        if answer.is_empty() {
            continue;
        }
        match device.write(&answer) {
            // ENOENT: whoever asked was killed meanwhile.
            Err(error) if !matches!(error.raw_os_error(), Some(libc::EINTR | libc::ENOENT)) => return Err(error),
            _ => {}
        }
    }
}
