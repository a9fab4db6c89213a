//! Tests of what a payload may not do: one side starts a program in the sandbox, the other is that program.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;

use avf_guest::process::Program;
use avf_guest::sandbox::Sandbox;
use libc::{c_int, c_long};

use crate::disks::expect_exit;
use crate::{Done, say};

/// Starts this very program confined.
pub fn outside() -> Done {
    let null = File::open("/dev/null").map_err(|error| error.to_string())?;
    let console = io::stdout();
    let confined = Sandbox::payload().prepare();
    for (word, code) in [("denied", 0), ("foreign", 128 + libc::SIGSYS)] {
        let program = Program {
            path: c"/init",
            arguments: &[c"system-test".into(), std::ffi::CString::new(word).expect("no NUL")],
            environment: &[],
            input: null.as_fd(),
            output: console.as_fd(),
            inherited: None,
            confined: Some(&confined),
        };
        expect_exit(program.start().map_err(|failure| failure.message)?, code)?;
    }
    Ok(())
}

/// What the program in the sandbox does.
pub fn inside(words: &[String]) -> Done {
    match words.first().map(String::as_str) {
        Some("denied") => denied(),
        Some("foreign") => foreign(),
        other => Err(format!("there is no program {other:?}")),
    }
}

fn denied() -> Done {
    let status = fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let none = "0000000000000000";
    for (key, value) in [
        ("Uid", "6000 6000 6000 6000"),
        ("Gid", "6000 6000 6000 6000"),
        ("Groups", ""),
        ("CapInh", none),
        ("CapPrm", none),
        ("CapEff", none),
        ("CapBnd", none),
        ("CapAmb", none),
        ("NoNewPrivs", "1"),
        ("Seccomp", "2"),
    ] {
        let found = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        let found = found.map(|words| words.split_whitespace().collect::<Vec<_>>().join(" "));
        if found.as_deref() != Some(value) {
            return Err(format!("{key} must be {value:?} but is {found:?}"));
        }
    }
    let mut count = 0;
    for (name, call, arguments, errno) in calls() {
        // SAFETY: none of these does anything with arguments like these, and none must get so far as to look at them.
        let result = unsafe { libc::syscall(call, arguments[0], arguments[1], arguments[2], 0, 0) };
        let found = if result == -1 { io::Error::last_os_error().raw_os_error().unwrap_or(0) } else { 0 };
        if found != errno {
            return Err(format!("{name} must fail with {errno} but did with {found}"));
        }
        count += 1;
    }
    for path in ["/dev/vda", "/proc/sysrq-trigger", "/proc/1/environ", "/init2"] {
        if fs::OpenOptions::new().write(true).create(true).truncate(false).open(path).is_ok() {
            return Err(format!("{path} can be written"));
        }
    }
    if std::thread::spawn(|| 7).join().ok() != Some(7) || fs::write("/tmp/own", "x").is_err() {
        return Err("threads and files of its own must work".into());
    }
    say(&format!("denied {count} calls"));
    Ok(())
}

fn calls() -> Vec<(&'static str, c_long, [c_long; 3], c_int)> {
    let denied = |name, call| (name, call, [0; 3], libc::EPERM);
    vec![
        denied("mount", libc::SYS_mount),
        denied("umount2", libc::SYS_umount2),
        denied("pivot_root", libc::SYS_pivot_root),
        denied("chroot", libc::SYS_chroot),
        denied("fsopen", libc::SYS_fsopen),
        denied("open_tree", libc::SYS_open_tree),
        denied("bpf", libc::SYS_bpf),
        denied("kexec_load", libc::SYS_kexec_load),
        denied("init_module", libc::SYS_init_module),
        denied("finit_module", libc::SYS_finit_module),
        denied("delete_module", libc::SYS_delete_module),
        denied("ptrace", libc::SYS_ptrace),
        denied("process_vm_readv", libc::SYS_process_vm_readv),
        denied("process_vm_writev", libc::SYS_process_vm_writev),
        denied("add_key", libc::SYS_add_key),
        denied("request_key", libc::SYS_request_key),
        denied("keyctl", libc::SYS_keyctl),
        denied("userfaultfd", libc::SYS_userfaultfd),
        denied("perf_event_open", libc::SYS_perf_event_open),
        denied("io_uring_setup", libc::SYS_io_uring_setup),
        denied("unshare", libc::SYS_unshare),
        denied("setns", libc::SYS_setns),
        denied("reboot", libc::SYS_reboot),
        denied("swapon", libc::SYS_swapon),
        denied("sethostname", libc::SYS_sethostname),
        denied("clock_settime", libc::SYS_clock_settime),
        denied("syslog", libc::SYS_syslog),
        denied("open_by_handle_at", libc::SYS_open_by_handle_at),
        ("clone3", libc::SYS_clone3, [0; 3], libc::ENOSYS),
        ("clone of a user namespace", libc::SYS_clone, [libc::CLONE_NEWUSER.into(), 0, 0], libc::EPERM),
        ("socket of AF_ALG", libc::SYS_socket, [libc::AF_ALG.into(), 5, 0], libc::EAFNOSUPPORT),
        ("socket of AF_PACKET", libc::SYS_socket, [libc::AF_PACKET.into(), 3, 0], libc::EAFNOSUPPORT),
        ("ioctl of TIOCSTI", libc::SYS_ioctl, [0, libc::TIOCSTI as c_long, 0], libc::EPERM),
        ("kill of init", libc::SYS_kill, [1, 9, 0], libc::EPERM),
        ("setuid of root", libc::SYS_setuid, [0; 3], libc::EPERM),
        ("setgid of root", libc::SYS_setgid, [0; 3], libc::EPERM),
    ]
}

/// Calls the kernel as a 32-bit program does, which kills it.
#[cfg(target_arch = "x86_64")]
fn foreign() -> Done {
    // SAFETY: getpid of the 32-bit table; it takes nothing and changes nothing but the result.
    unsafe {
        std::arch::asm!("int 0x80", inout("eax") 20 => _, lateout("r8") _, lateout("r9") _, lateout("r10") _, lateout("r11") _);
    }
    Err("a 32-bit call was answered".into())
}

/// Becomes a 32-bit program, whose first call kills it; its second one would end it with 1.
#[cfg(target_arch = "aarch64")]
fn foreign() -> Done {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    const ADDRESS: u32 = 0x10000;
    const HEADERS: u32 = 52 + 32;
    // mov r7, #20 (getpid); svc 0; mov r0, #1; mov r7, #1 (exit); svc 0
    const CODE: [u32; 5] = [0xe3a0_7014, 0xef00_0000, 0xe3a0_0001, 0xe3a0_7001, 0xef00_0000];
    const SIZE: u32 = HEADERS + 4 * CODE.len() as u32;
    // An ELF header (executable, ARM, EABI 5) and the header of its one segment.
    let header = [0x464c_457f, 0x0001_0101, 0, 0, 0x0028_0002, 1, ADDRESS + HEADERS, 52, 0, 0x0500_0000];
    let rest = [0x0020_0034, 1, 0, 1, 0, ADDRESS, ADDRESS, SIZE, SIZE, 5, 4096];
    let words: Vec<u8> = header.iter().chain(&rest).chain(&CODE).flat_map(|word: &u32| word.to_le_bytes()).collect();
    let program = "/tmp/foreign";
    let made = fs::write(program, words).and_then(|()| fs::set_permissions(program, fs::Permissions::from_mode(0o755)));
    made.map_err(|error| error.to_string())?;
    let error = std::process::Command::new(program).exec();
    if error.raw_os_error() == Some(libc::ENOEXEC) {
        say("this processor or kernel has no 32-bit programs");
        // SAFETY: raise has no preconditions.
        unsafe { libc::raise(libc::SIGSYS) };
    }
    Err(format!("a 32-bit program did not start: {error}"))
}
