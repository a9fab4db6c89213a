//! The payload's system call filter: what no payload needs and kernels were broken through is refused.
//!
//! A deny-list, as a payload may be any program. A refused call gives EPERM, as to a user without the privilege; what
//! has an older way to the same end gives ENOSYS, so that libraries take that way. A call of another architecture,
//! which would have other numbers, kills the process.
//!
//! The filter is classic BPF over `struct seccomp_data` (Linux `userspace-api/seccomp_filter.rst`).

use libc::{c_long, sock_filter};

const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// The low half of an argument: all that is looked at here are ints, or flags below bit 32.
const fn argument(index: u32) -> u32 {
    16 + 8 * index
}

const ALLOW: u32 = 0x7fff_0000;
const ERRNO: u32 = 0x0005_0000;
const KILL_PROCESS: u32 = 0x8000_0000;

#[cfg(target_arch = "x86_64")]
const OWN_ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const OWN_ARCHITECTURE: u32 = 0xc000_00b7;

/// Calls of the x32 ABI have this bit and x86-64's architecture.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

const DENIED: &[c_long] = &[
    // The tree of mounts, and ways around it.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_quotactl,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    // Namespaces.
    libc::SYS_unshare,
    libc::SYS_setns,
    // Code in the kernel, or another kernel.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    // Keys of the kernel.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // The machine.
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    libc::SYS_fanotify_init,
    libc::SYS_lookup_dcookie,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
];

/// Kinds of sockets that there are; all others are drivers that few have looked at.
const SOCKETS: &[i32] = &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_VSOCK];

/// Ways to type on somebody else's terminal.
const IOCTLS: &[u32] = &[0x5412, 0x541c];

/// `CLONE_NEW*`: a thread or a process needs none of them.
const NAMESPACES: u32 = 0x7e02_0080;

/// The filter, the same for every payload.
pub fn filter() -> Vec<sock_filter> {
    let mut code = vec![load(ARCHITECTURE), jump_equal(OWN_ARCHITECTURE, 1, 0), answer(KILL_PROCESS), load(NUMBER)];
    #[cfg(target_arch = "x86_64")]
    code.extend([jump_at_least(X32, 0, 1), answer(errno(libc::ENOSYS))]);
    for &call in DENIED {
        code.extend(when(call, &[answer(errno(libc::EPERM))]));
    }
    // Its flags are in memory, where a filter cannot look.
    code.extend(when(libc::SYS_clone3, &[answer(errno(libc::ENOSYS))]));
    code.extend(when(
        libc::SYS_clone,
        &[load(argument(0)), jump_any_bit(NAMESPACES, 0, 1), answer(errno(libc::EPERM)), answer(ALLOW)],
    ));
    let mut ioctls = vec![load(argument(1))];
    for &request in IOCTLS {
        ioctls.extend([jump_equal(request, 0, 1), answer(errno(libc::EPERM))]);
    }
    ioctls.push(answer(ALLOW));
    code.extend(when(libc::SYS_ioctl, &ioctls));
    let mut sockets = vec![load(argument(0))];
    for &family in SOCKETS {
        sockets.extend([jump_equal(family as u32, 0, 1), answer(ALLOW)]);
    }
    sockets.push(answer(errno(libc::EAFNOSUPPORT)));
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        code.extend(when(call, &sockets));
    }
    code.push(answer(ALLOW));
    code
}

/// Instructions for one call; they must end with an answer, as they may have loaded something else than the number.
fn when(call: c_long, then: &[sock_filter]) -> Vec<sock_filter> {
    let mut code = vec![jump_equal(call as u32, 0, then.len() as u8)];
    code.extend(then);
    code
}

fn errno(number: i32) -> u32 {
    ERRNO | number as u32
}

fn load(offset: u32) -> sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

fn answer(value: u32) -> sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, value, 0, 0)
}

/// Skips `yes` instructions if what was loaded is equal, else `no`; so do the other jumps.
fn jump_equal(value: u32, yes: u8, no: u8) -> sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, value, yes, no)
}

#[cfg(target_arch = "x86_64")]
fn jump_at_least(value: u32, yes: u8, no: u8) -> sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, value, yes, no)
}

fn jump_any_bit(bits: u32, yes: u8, no: u8) -> sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, bits, yes, no)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: code as u16, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would do: the four kinds of instruction that the filter has.
    fn run(architecture: u32, call: c_long, arguments: [u64; 2]) -> u32 {
        let mut data = [0; 64];
        data[..4].copy_from_slice(&(call as u32).to_le_bytes());
        data[4..8].copy_from_slice(&architecture.to_le_bytes());
        data[16..24].copy_from_slice(&arguments[0].to_le_bytes());
        data[24..32].copy_from_slice(&arguments[1].to_le_bytes());
        let code = filter();
        let (mut at, mut loaded) = (0, 0);
        loop {
            let sock_filter { code: kind, jt, jf, k } = code[at];
            at += 1;
            let met = match kind {
                0x20 => {
                    loaded = u32::from_le_bytes(data[k as usize..k as usize + 4].try_into().unwrap());
                    continue;
                }
                0x06 => return k,
                0x15 => loaded == k,
                0x35 => loaded >= k,
                0x45 => loaded & k != 0,
                other => panic!("instruction {other:#x}"),
            };
            at += usize::from(if met { jt } else { jf });
        }
    }

    fn own(call: c_long, arguments: [u64; 2]) -> u32 {
        run(OWN_ARCHITECTURE, call, arguments)
    }

    #[test]
    fn denies_each_call_of_the_list() {
        for &call in DENIED {
            assert_eq!(own(call, [0, 0]), errno(libc::EPERM), "call {call}");
        }
    }

    #[test]
    fn allows_what_programs_do() {
        for call in [libc::SYS_read, libc::SYS_execve, libc::SYS_mmap, libc::SYS_futex, libc::SYS_kill] {
            assert_eq!(own(call, [0, 0]), ALLOW, "call {call}");
        }
    }

    #[test]
    fn threads_and_forks_are_allowed_and_new_namespaces_are_not() {
        assert_eq!(own(libc::SYS_clone, [0x3d_0f00, 0]), ALLOW);
        assert_eq!(own(libc::SYS_clone, [libc::SIGCHLD as u64, 0]), ALLOW);
        for flag in [libc::CLONE_NEWUSER, libc::CLONE_NEWNS, libc::CLONE_NEWPID, libc::CLONE_NEWNET, 0x80] {
            assert_eq!(own(libc::SYS_clone, [flag as u64, 0]), errno(libc::EPERM), "flag {flag:#x}");
        }
        assert_eq!(own(libc::SYS_clone3, [0, 0]), errno(libc::ENOSYS));
    }

    #[test]
    fn allows_known_kinds_of_sockets_only() {
        assert_eq!(own(libc::SYS_socket, [libc::AF_VSOCK as u64, 0]), ALLOW);
        for family in [libc::AF_ALG, libc::AF_PACKET, libc::AF_KEY, libc::AF_BLUETOOTH, -1] {
            assert_eq!(own(libc::SYS_socket, [family as u64, 0]), errno(libc::EAFNOSUPPORT), "family {family}");
        }
    }

    #[test]
    fn nobody_types_on_a_terminal_whatever_the_upper_half_of_the_request() {
        assert_eq!(own(libc::SYS_ioctl, [0, libc::TIOCSTI]), errno(libc::EPERM));
        assert_eq!(own(libc::SYS_ioctl, [0, 1 << 32 | libc::TIOCSTI]), errno(libc::EPERM));
        assert_eq!(own(libc::SYS_ioctl, [0, libc::TIOCGWINSZ]), ALLOW);
    }

    #[test]
    fn other_architectures_are_killed() {
        assert_eq!(run(0x4000_0003, libc::SYS_read, [0, 0]), KILL_PROCESS);
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn x32_calls_do_not_exist() {
        assert_eq!(own(libc::SYS_read | i64::from(X32), [0, 0]), errno(libc::ENOSYS));
    }

    #[test]
    fn is_short_enough_for_the_kernel() {
        assert!(filter().len() < 4096);
    }
}
