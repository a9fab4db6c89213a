//! The system calls that the standard library lacks, with one errno check that names the call.

use std::ffi::CStr;
use std::fmt;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::ptr;
use std::time::{Duration, Instant};

use libc::{c_int, c_ulong};

/// A system call that failed, and its errno.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallError {
    pub call: &'static str,
    pub errno: c_int,
}

impl CallError {
    pub fn last(call: &'static str) -> Self {
        Self { call, errno: io::Error::last_os_error().raw_os_error().unwrap_or(0) }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, io::Error::from_raw_os_error(self.errno))
    }
}

impl std::error::Error for CallError {}

pub type Result<T> = std::result::Result<T, CallError>;

/// The one place where a native call's -1 becomes an error.
pub fn check(call: &'static str, result: c_int) -> Result<c_int> {
    if result == -1 { Err(CallError::last(call)) } else { Ok(result) }
}

/// Like [`check`] for calls that return a new descriptor.
pub fn check_fd(call: &'static str, result: c_int) -> Result<OwnedFd> {
    let fd = check(call, result)?;
    // SAFETY: the call has just returned this descriptor, so nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A moment after which a wait gives up.
#[derive(Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    pub fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    pub fn passed(self) -> bool {
        self.remaining().is_zero()
    }
}

/// Tries until there is a value or the limit has passed, one step apart.
pub fn poll_until<T>(limit: Duration, step: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Deadline::after(limit);
    loop {
        if let Some(value) = attempt() {
            return Some(value);
        }
        if deadline.passed() {
            return None;
        }
        std::thread::sleep(step);
    }
}

/// Nanoseconds since the guest's kernel started, time asleep included (`CLOCK_BOOTTIME`).
pub fn boot_nanos() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

pub fn mount(source: &CStr, target: &CStr, kind: &CStr, flags: c_ulong, data: &CStr) -> Result<()> {
    // SAFETY: all pointers are NUL-terminated strings that outlive the call.
    let result = unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, data.as_ptr().cast()) };
    check("mount", result).map(drop)
}

pub fn finit_module(module: BorrowedFd<'_>, parameters: &CStr) -> Result<()> {
    // SAFETY: the descriptor is open, and the kernel copies the parameters up to their NUL.
    let result = unsafe { libc::syscall(libc::SYS_finit_module, module.as_raw_fd(), parameters.as_ptr(), 0) };
    check("finit_module", result as c_int).map(drop)
}

/// A pipe, both ends closed on exec: (read, write).
pub fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    let mut ends = [-1; 2];
    // SAFETY: the kernel writes two descriptors, which are then owned here alone.
    check("pipe2", unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    // SAFETY: see above.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

pub fn set_nonblocking(fd: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: both calls take an open descriptor and integers.
    let flags = check("fcntl", unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })?;
    // SAFETY: see above.
    check("fcntl", unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK) }).map(drop)
}

/// Waits until something of what is asked for is so, at most `limit` (none: without limit).
pub fn poll(fds: &mut [libc::pollfd], limit: Option<Duration>) -> Result<()> {
    let timeout = limit.map_or(-1, |limit| {
        // Rounded up, so that a rest below a millisecond does not spin.
        limit.as_nanos().div_ceil(1_000_000).min(c_int::MAX as u128) as c_int
    });
    // SAFETY: pointer and length are those of a slice.
    match check("poll", unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout) }) {
        Err(error) if error.errno != libc::EINTR => Err(error),
        Err(_) => {
            fds.iter_mut().for_each(|entry| entry.revents = 0);
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}

/// Waits until a descriptor can be read or has hung up, at most `limit` (none: without limit). Returns which can.
pub fn wait_readable<const N: usize>(fds: [Option<BorrowedFd<'_>>; N], limit: Option<Duration>) -> Result<[bool; N]> {
    let deadline = limit.map(Deadline::after);
    // A negative descriptor is one that poll skips.
    let mut polled =
        fds.map(|fd| libc::pollfd { fd: fd.map_or(-1, |fd| fd.as_raw_fd()), events: libc::POLLIN, revents: 0 });
    loop {
        poll(&mut polled, deadline.map(Deadline::remaining))?;
        let ready = polled.map(|entry| entry.revents != 0);
        if ready.contains(&true) || deadline.is_some_and(Deadline::passed) {
            return Ok(ready);
        }
    }
}

/// Blocks SIGCHLD and returns a descriptor that can be read when a child changed state.
pub fn child_signals() -> Result<OwnedFd> {
    // SAFETY: a zeroed sigset_t is a valid one to initialise; all pointers are to locals.
    unsafe {
        let mut set: libc::sigset_t = mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGCHLD);
        check("sigprocmask", libc::sigprocmask(libc::SIG_BLOCK, &set, ptr::null_mut()))?;
        check_fd("signalfd", libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK))
    }
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub pid: libc::pid_t,
    pub exit_code: i32,
    /// 0 unless a signal ended the process.
    pub signal: i32,
}

/// What [`reap`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaped {
    Child(Ended),
    /// There are children, but none has ended.
    NoneYet,
    NoChildren,
}

/// Reaps one child if one has ended.
pub fn reap() -> Reaped {
    let mut status = 0;
    // SAFETY: the kernel writes one int.
    match check("waitpid", unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) }) {
        Ok(0) => Reaped::NoneYet,
        Ok(pid) => Reaped::Child(ended(pid, status)),
        Err(_) => Reaped::NoChildren,
    }
}

fn ended(pid: libc::pid_t, status: c_int) -> Ended {
    if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        Ended { pid, exit_code: 128 + signal, signal }
    } else {
        Ended { pid, exit_code: libc::WEXITSTATUS(status), signal: 0 }
    }
}

/// Total memory of the guest in bytes.
pub fn total_memory() -> Result<u64> {
    // SAFETY: a zeroed sysinfo is valid, and the kernel fills it.
    let mut info: libc::sysinfo = unsafe { mem::zeroed() };
    // SAFETY: the pointer is to a local.
    check("sysinfo", unsafe { libc::sysinfo(&mut info) })?;
    Ok((info.totalram as u64).saturating_mul(u64::from(info.mem_unit)))
}

/// Reads a file, at most `limit` bytes of it: more is an error, not a cut.
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let mut content = Vec::new();
    std::fs::File::open(path)?.take(limit + 1).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {limit} bytes")));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn names_the_call_and_its_errno() {
        let error = CallError { call: "mount", errno: libc::EBUSY };
        assert_eq!(error.to_string(), "mount: Device or resource busy (os error 16)");
    }

    #[test]
    fn exit_status_is_an_exit_code_without_signal() {
        assert_eq!(ended(7, 3 << 8), Ended { pid: 7, exit_code: 3, signal: 0 });
    }

    #[test]
    fn death_by_signal_is_128_plus_signal() {
        assert_eq!(ended(7, libc::SIGKILL), Ended { pid: 7, exit_code: 137, signal: 9 });
    }

    #[test]
    fn waiting_ends_at_its_limit() {
        let (read, _write) = pipe().unwrap();
        let ready = wait_readable([Some(read.as_fd()), None], Some(Duration::from_millis(5))).unwrap();
        assert_eq!(ready, [false, false]);
    }

    #[test]
    fn end_of_file_counts_as_readable() {
        let (read, write) = pipe().unwrap();
        drop(write);
        let ready = wait_readable([Some(read.as_fd())], Some(Duration::from_secs(5))).unwrap();
        assert_eq!(ready, [true]);
    }

    #[test]
    fn refuses_a_file_above_the_limit_rather_than_cutting_it() {
        assert!(read_bounded(Path::new("/proc/self/status"), 16).is_err());
        assert!(read_bounded(Path::new("/proc/self/status"), 1 << 20).is_ok());
    }
}
