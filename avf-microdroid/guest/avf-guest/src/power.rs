//! The end of a VM, whatever led to it.

use std::ffi::CStr;
use std::mem;
use std::ptr;

use libc::c_int;

/// Firmware that can switch the machine off: ACPI, or PSCI in a device tree.
const POWER_FIRMWARE: [&CStr; 2] = [c"/sys/firmware/acpi", c"/sys/firmware/devicetree/base/psci"];

/// Room for the crash handler, which must not need the stack that may just have overflowed.
const CRASH_STACK_BYTES: usize = 16 << 10;

/// Writes back what is to be written and powers off.
pub fn off() -> ! {
    // SAFETY: takes no arguments.
    unsafe { libc::sync() };
    off_now()
}

/// Powers off at once. Makes system calls only, so that a signal handler may call it.
///
/// A kernel without firmware to switch the machine off would *halt* instead, which to the host is a VM that hangs.
/// There a restart is asked for, as a microVM's monitor takes a reset for the end.
fn off_now() -> ! {
    // SAFETY: the paths are NUL-terminated, and everything else is an integer.
    unsafe {
        if POWER_FIRMWARE.iter().any(|path| libc::access(path.as_ptr(), libc::F_OK) == 0) {
            libc::reboot(libc::LINUX_REBOOT_CMD_POWER_OFF);
        }
        libc::reboot(libc::LINUX_REBOOT_CMD_RESTART);
        // Both returned: the end of PID 1 is a kernel panic, and `panic=-1` makes that a reset.
        libc::_exit(1)
    }
}

/// Makes a crash of PID 1 (a signal from its own fault, or an abort) power off as well. PID 1 is immune only against
/// signals from others.
pub fn off_on_crash() {
    let stack: &'static mut [u8] = Box::leak(vec![0; CRASH_STACK_BYTES].into_boxed_slice());
    // SAFETY: zeroed structs are valid here, the stack is leaked and so lives for ever, and the handler is async-signal-safe.
    unsafe {
        let mut alternative: libc::stack_t = mem::zeroed();
        alternative.ss_sp = stack.as_mut_ptr().cast();
        alternative.ss_size = stack.len();
        libc::sigaltstack(&alternative, ptr::null_mut());

        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = crashed as extern "C" fn(c_int) as usize;
        action.sa_flags = libc::SA_ONSTACK;
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT, libc::SIGSYS] {
            libc::sigaction(signal, &action, ptr::null_mut());
        }
    }
}

extern "C" fn crashed(_signal: c_int) {
    let words = b"avf: init crashed\n";
    // SAFETY: writes a constant; the result does not matter any more.
    unsafe { libc::write(2, words.as_ptr().cast(), words.len()) };
    off_now()
}
