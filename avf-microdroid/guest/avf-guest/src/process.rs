//! Starts the payload, and tells a program that could not be executed from one that ran and failed.
//!
//! The standard library's `Command` is not used: it executes through the C library's `execvp`, which tries a shell for
//! a file that the kernel does not take, and so would hide the kernel's reason.

use std::ffi::{CStr, CString, c_char};
use std::fs::File;
use std::io::{self, Read};
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use libc::{c_int, pid_t};

use crate::failure::Failure;
use crate::sandbox::Confined;
use crate::sys::{self, check};

/// How long the kernel may take to load the program.
const EXEC_LIMIT: Duration = Duration::from_secs(30);

pub struct Program<'a> {
    pub path: &'a CStr,
    pub arguments: &'a [CString],
    pub environment: &'a [CString],
    pub input: BorrowedFd<'a>,
    /// Standard output and standard error.
    pub output: BorrowedFd<'a>,
    /// One more descriptor that the program keeps, under its number here.
    pub inherited: Option<BorrowedFd<'a>>,
    /// What it is confined to; nothing if it has all the rights of init.
    pub confined: Option<&'a Confined>,
}

impl Program<'_> {
    /// Starts the program in a session of its own, and returns when it has been executed.
    pub fn start(&self) -> Result<pid_t, Failure> {
        let machine = |error: sys::CallError| Failure::machine(format!("cannot start the payload: {error}"));
        // All memory is allocated before the fork: the child makes system calls only.
        let arguments = pointers(self.arguments);
        let environment = pointers(self.environment);
        let (failed, failing) = sys::pipe().map_err(machine)?;
        // SAFETY: this process has one thread.
        match check("fork", unsafe { libc::fork() }).map_err(machine)? {
            0 => {
                // SAFETY: this is the child of a fork, and the pointers are those of live strings, ended by null.
                unsafe { self.become_program(&arguments, &environment, failing.as_raw_fd()) }
            }
            pid => {
                drop(failing);
                executed(failed)?;
                Ok(pid)
            }
        }
    }

    /// The child's way to the program; its errno goes to `failing`, which closes by itself when the program is executed.
    /// It is negative if the child could not be confined.
    ///
    /// # Safety
    /// Only for the child of a fork, with arrays of pointers that are ended by a null pointer.
    unsafe fn become_program(&self, arguments: &[*const c_char], environment: &[*const c_char], failing: RawFd) -> ! {
        // SAFETY: system calls on descriptors that are open, with valid pointers.
        unsafe {
            if libc::setsid() != -1
                && reset_signals() != -1
                && libc::dup2(self.input.as_raw_fd(), 0) != -1
                && libc::dup2(self.output.as_raw_fd(), 1) != -1
                && libc::dup2(self.output.as_raw_fd(), 2) != -1
                && self.inherited.is_none_or(|kept| libc::fcntl(kept.as_raw_fd(), libc::F_SETFD, 0) != -1)
                && libc::chdir(c"/".as_ptr()) != -1
            {
                libc::umask(0o022);
                if let Some(Err(error)) = self.confined.map(|confined| confined.enter()) {
                    fail(failing, -error.errno)
                }
                libc::execve(self.path.as_ptr(), arguments.as_ptr(), environment.as_ptr());
            }
            fail(failing, *libc::__errno_location())
        }
    }
}

/// Tells the parent why there will be no program, and ends.
fn fail(failing: RawFd, errno: c_int) -> ! {
    // SAFETY: writes an integer to a descriptor that is open.
    unsafe {
        libc::write(failing, (&raw const errno).cast(), mem::size_of::<c_int>());
        libc::_exit(127)
    }
}

/// A null-terminated array of pointers, as `execve` takes it.
fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// Gives every signal its default action and blocks none; -1 if that fails.
///
/// # Safety
/// Takes handlers away from the process that calls it.
unsafe fn reset_signals() -> c_int {
    // SAFETY: zeroed, the structs are the default action and an empty set.
    unsafe {
        let default: libc::sigaction = mem::zeroed();
        for signal in 1..=libc::SIGRTMAX() {
            // KILL, STOP and the C library's own signals refuse, and need no reset.
            libc::sigaction(signal, &default, ptr::null_mut());
        }
        let mut none: libc::sigset_t = mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut())
    }
}

/// Reads what the child sent before it could execute the program: nothing if it could.
fn executed(failed: OwnedFd) -> Result<(), Failure> {
    match sys::wait_readable([Some(failed.as_fd())], Some(EXEC_LIMIT)) {
        Ok([true]) => {}
        Ok([false]) => return Err(Failure::machine(format!("the payload was not executed within {EXEC_LIMIT:?}"))),
        Err(error) => return Err(Failure::machine(format!("cannot start the payload: {error}"))),
    }
    let mut errno = [0; mem::size_of::<c_int>()];
    match File::from(failed).read(&mut errno) {
        Ok(0) => Ok(()),
        Ok(_) => match c_int::from_ne_bytes(errno) {
            errno @ ..0 => {
                let error = io::Error::from_raw_os_error(errno.wrapping_neg());
                Err(Failure::machine(format!("cannot confine the payload: {error}")))
            }
            errno => Err(Failure::payload(refusal(errno))),
        },
        Err(error) => Err(Failure::machine(format!("cannot start the payload: {error}"))),
    }
}

fn refusal(errno: c_int) -> String {
    let advice = match errno {
        libc::ENOEXEC => "ENOEXEC: it is not an executable of this machine",
        libc::ENOENT => "ENOENT: the interpreter that it asks for is not in the guest; link it statically",
        libc::E2BIG => "E2BIG: its arguments and environment are too long",
        libc::ENOMEM => "ENOMEM: the guest has too little memory for it",
        _ => "",
    };
    if advice.is_empty() {
        format!("cannot execute the payload: {}", io::Error::from_raw_os_error(errno))
    } else {
        format!("cannot execute the payload: {advice}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::ErrorCode;

    /// Runs a program with its output in a pipe; returns that output. `$AVF_READY_FD` is the inherited descriptor and
    /// `$OTHER_FD` one that is not.
    fn output_of(path: &CStr, arguments: &[&CStr]) -> Result<String, Failure> {
        let arguments: Vec<CString> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let (read, write) = sys::pipe().unwrap();
        let (other, inherited) = sys::pipe().unwrap();
        let input = File::open("/dev/null").unwrap();
        let variables = [("AVF_READY_FD", &inherited), ("OTHER_FD", &other)];
        let program = Program {
            path,
            arguments: &arguments,
            environment: &variables.map(|(key, fd)| CString::new(format!("{key}={}", fd.as_raw_fd())).unwrap()),
            input: input.as_fd(),
            output: write.as_fd(),
            inherited: Some(inherited.as_fd()),
            confined: None,
        };
        let pid = program.start()?;
        drop(write);
        let mut output = String::new();
        File::from(read).read_to_string(&mut output).unwrap();
        // SAFETY: waits for the child that was just started.
        unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
        Ok(output)
    }

    #[test]
    fn program_leads_a_session_in_the_root_folder() {
        let script = c"pwd; read -r _ _ _ _ _ session _ </proc/$$/stat; [ $session = $$ ] && echo leads";
        assert_eq!(output_of(c"/bin/sh", &[c"sh", c"-c", script]).unwrap(), "/\nleads\n");
    }

    #[test]
    fn program_has_the_inherited_descriptor_and_no_other_of_init() {
        let script = c"[ -e /proc/$$/fd/$AVF_READY_FD ] && echo inherited; [ -e /proc/$$/fd/$OTHER_FD ] || echo closed";
        assert_eq!(output_of(c"/bin/sh", &[c"sh", c"-c", script]).unwrap(), "inherited\nclosed\n");
    }

    #[test]
    fn tells_a_file_that_is_not_executable_here() {
        let path = std::env::temp_dir().join(format!("avf-noexec-{}", std::process::id()));
        std::fs::write(&path, b"\x7fELF of another world").unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let name = CString::new(path.to_str().unwrap()).unwrap();
        let failure = output_of(&name, &[c"payload"]).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(failure.code, ErrorCode::PayloadInvalidConfig);
        assert_eq!(failure.message, "cannot execute the payload: ENOEXEC: it is not an executable of this machine");
    }

    #[test]
    fn tells_a_missing_interpreter() {
        let failure = output_of(c"/nonexistent/payload", &[c"payload"]).unwrap_err();
        assert!(failure.message.contains("link it statically"), "{failure}");
    }
}
