//! What a program of a stranger is given away from, for good, before it runs.
//!
//! In this order, as each step needs a privilege that a later one takes: limits, the bounding set of capabilities,
//! securebits, groups and users, what is left of capabilities, `no_new_privs`, and the system call filter ([`seccomp`]).

use std::mem;

use libc::{c_int, c_long, c_ulong, gid_t, rlimit, sock_filter, uid_t};

use crate::seccomp;
use crate::sys::{self, check};

/// The payload's user and group, as AVF's.
pub const PAYLOAD_ID: u32 = 6000;

// linux/securebits.h: root is nobody special, capabilities are not kept, and none becomes ambient; each one locked.
const SECUREBITS: c_ulong = 1 << 0 | 1 << 1 | 1 << 5 | 1 << 6 | 1 << 7;

/// `_LINUX_CAPABILITY_VERSION_3`.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

/// As which user a program runs, and what it may use.
#[derive(Clone, Copy, Debug)]
pub struct Sandbox {
    pub uid: uid_t,
    pub gid: gid_t,
    pub processes: u64,
    pub files: u64,
}

impl Sandbox {
    pub const fn payload() -> Self {
        Self { uid: PAYLOAD_ID, gid: PAYLOAD_ID, processes: 4096, files: 32768 }
    }

    /// Allocates all that entering needs: after a fork it must make system calls only.
    pub fn prepare(self) -> Confined {
        let limits = [(libc::RLIMIT_CORE, 0), (libc::RLIMIT_NPROC, self.processes), (libc::RLIMIT_NOFILE, self.files)];
        Confined {
            uid: self.uid,
            gid: self.gid,
            limits: limits.map(|(kind, most)| (kind as c_int, rlimit { rlim_cur: most, rlim_max: most })),
            filter: seccomp::filter(),
        }
    }
}

/// A sandbox that is ready to be entered.
pub struct Confined {
    uid: uid_t,
    gid: gid_t,
    limits: [(c_int, rlimit); 3],
    filter: Vec<sock_filter>,
}

impl Confined {
    /// Confines this thread and what it will start and execute. There is no way back, also not from an error. The C
    /// library's own idea of who it is stays, as the calls are made past it.
    ///
    /// # Safety
    /// Only for a process with one thread: others would stay as they are.
    pub unsafe fn enter(&self) -> sys::Result<()> {
        for (kind, limit) in &self.limits {
            call("prlimit64", libc::SYS_prlimit64, [0, c_long::from(*kind), address(limit), 0, 0])?;
        }
        drop_bounding_set()?;
        prctl("prctl(PR_SET_SECUREBITS)", libc::PR_SET_SECUREBITS, SECUREBITS, 0)?;
        prctl("prctl(PR_CAP_AMBIENT)", libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as c_ulong, 0)?;
        let (uid, gid) = (c_long::from(self.uid), c_long::from(self.gid));
        call("setgroups", libc::SYS_setgroups, [0; 5])?;
        call("setresgid", libc::SYS_setresgid, [gid, gid, gid, 0, 0])?;
        call("setresuid", libc::SYS_setresuid, [uid, uid, uid, 0, 0])?;
        drop_capabilities()?;
        prctl("prctl(PR_SET_NO_NEW_PRIVS)", libc::PR_SET_NO_NEW_PRIVS, 1, 0)?;
        let program = libc::sock_fprog { len: self.filter.len() as u16, filter: self.filter.as_ptr().cast_mut() };
        let mode = c_ulong::from(libc::SECCOMP_MODE_FILTER);
        prctl("prctl(PR_SET_SECCOMP)", libc::PR_SET_SECCOMP, mode, address(&program) as c_ulong)
    }
}

fn address<T>(value: &T) -> c_long {
    (&raw const *value) as c_long
}

/// A system call whose pointers, if any, are to live values of the right type.
fn call(name: &'static str, number: c_long, arguments: [c_long; 5]) -> sys::Result<()> {
    let [a, b, c, d, e] = arguments;
    // SAFETY: the callers pass integers, or addresses of values that outlive the call and that the kernel only reads.
    check(name, unsafe { libc::syscall(number, a, b, c, d, e) } as c_int).map(drop)
}

fn prctl(name: &'static str, option: c_int, first: c_ulong, second: c_ulong) -> sys::Result<()> {
    call(name, libc::SYS_prctl, [c_long::from(option), first as c_long, second as c_long, 0, 0])
}

/// Drops each capability that the kernel knows, so that no file can give it back.
fn drop_bounding_set() -> sys::Result<()> {
    for capability in 0..64 {
        match prctl("prctl(PR_CAPBSET_DROP)", libc::PR_CAPBSET_DROP, capability, 0) {
            // Above the last one.
            Err(error) if error.errno == libc::EINVAL && capability > 0 => return Ok(()),
            result => result?,
        }
    }
    Ok(())
}

fn drop_capabilities() -> sys::Result<()> {
    let header = [CAPABILITY_VERSION, 0];
    // Effective, permitted and inheritable, twice 32 of each.
    let none = [0u32; 6];
    const { assert!(mem::size_of::<[u32; 6]>() == 24) };
    call("capset", libc::SYS_capset, [address(&header), address(&none), 0, 0, 0])
}
