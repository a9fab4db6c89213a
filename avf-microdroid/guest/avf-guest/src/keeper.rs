//! Keeps the payload from its start to its end: PID 1's duty to reap, and the reports on the way.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use libc::pid_t;

use crate::failure::Failure;
use crate::report::{self, Report};
use crate::sys::{self, Ended, Reaped};

/// How long processes that the payload left behind may take to die of SIGKILL.
const KILL_LIMIT: Duration = Duration::from_secs(2);
const KILL_STEP: Duration = Duration::from_millis(1);

const SIGNAL_BYTES: usize = size_of::<libc::signalfd_siginfo>();

/// Waits for the payload's end, however long that takes, and reports when it is ready and how it ended.
///
/// `children` can be read when a child ended; `ready` is the read end of the payload's ready pipe, non-blocking.
pub fn keep(payload: pid_t, children: OwnedFd, ready: OwnedFd) -> Result<Ended, Failure> {
    let mut children = File::from(children);
    let mut ready = ReadyPipe { pipe: Some(File::from(ready)), is_ready: false };
    loop {
        let [child, word] = sys::wait_readable([Some(children.as_fd()), ready.pipe.as_ref().map(AsFd::as_fd)], None)
            .map_err(|error| Failure::machine(format!("cannot wait for the payload: {error}")))?;
        if word {
            ready.read();
        }
        if child {
            // Any count of ended children is one signal, so the signal's own content says nothing.
            let _ = children.read(&mut [0; SIGNAL_BYTES]);
            while let Reaped::Child(ended) = sys::reap() {
                if ended.pid == payload {
                    // What it wrote just before its end counts.
                    ready.read();
                    report::send(&Report::PayloadFinished { exit_code: ended.exit_code, signal: ended.signal });
                    return Ok(ended);
                }
            }
        }
    }
}

struct ReadyPipe {
    /// None when every writer has closed its end.
    pipe: Option<File>,
    is_ready: bool,
}

impl ReadyPipe {
    /// The first byte is the word; more are dropped, but read, so that their writer neither blocks nor gets SIGPIPE.
    fn read(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        match pipe.read(&mut [0; 512]) {
            Ok(0) => self.pipe = None,
            Ok(_) if !self.is_ready => {
                self.is_ready = true;
                report::send(&Report::PayloadReady { boot_nanos: sys::boot_nanos() });
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.pipe = None,
        }
    }
}

/// Ends every process but PID 1, which only PID 1 may ask for, and reaps them.
pub fn end_all_others() {
    // SAFETY: takes integers. Kernel threads are asked as well, and take no notice.
    unsafe { libc::kill(-1, libc::SIGKILL) };
    // Orphans become children of PID 1: without children there is no other process left.
    sys::poll_until(KILL_LIMIT, KILL_STEP, || {
        loop {
            match sys::reap() {
                Reaped::Child(_) => {}
                Reaped::NoneYet => return None,
                Reaped::NoChildren => return Some(()),
            }
        }
    });
}
