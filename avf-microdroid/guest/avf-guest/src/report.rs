//! What the guest tells the host about the payload, and the channel on which it does.
//!
//! A frame is the length of its body (u32, 1 to 65536) and the body: the kind (u8) and the fields of that kind. All
//! integers are little-endian. A guest with a plain payload only writes; to one with a package the host writes, too
//! ([`host`](crate::manager::host)). The host closes after the guest has shut down its side.
//!
//! | kind | report | fields |
//! |---|---|---|
//! | 1 | HELLO | u32 version, u64 boot time in ns when init started |
//! | 2 | PAYLOAD_STARTED | u32 pid, u64 boot time in ns |
//! | 3 | PAYLOAD_READY | u64 boot time in ns |
//! | 4 | PAYLOAD_FINISHED | i32 exit code, i32 signal |
//! | 5 | ERROR | u32 code, UTF-8 message of at most 4096 bytes up to the end |
//! | 6 | STEP | u8 step, u64 boot time in ns: a guest with a package, between HELLO and PAYLOAD_STARTED |
//! | 7 | ATTESTATION_REQUEST | u8 test mode (0 or 1), CSR up to the end: a guest with a package, after PAYLOAD_STARTED |
//! | 8 | KEEPER_REQUEST | u8 step, content up to the end: a guest with a package and a keeper of secrets, after BOOT |
//!
//! The steps of KEEPER_REQUEST: 1 begins a key exchange, 2 ends it with the guest's signature, 3 is a message of the
//! session that follows.

use std::fmt;
use std::os::fd::{BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use libc::c_int;

use crate::console::say;
use crate::failure::ErrorCode;
use crate::sys::{self, CallError, Deadline};

pub const VERSION: u32 = 1;

/// The longest body of a frame, in both directions.
pub const MAX_BODY_BYTES: usize = 1 << 16;

const MAX_MESSAGE_BYTES: usize = 4096;

/// How long the host may take to close the channel after the guest is done with it.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    Hello { version: u32, init_boot_nanos: u64 },
    PayloadStarted { pid: u32, boot_nanos: u64 },
    PayloadReady { boot_nanos: u64 },
    PayloadFinished { exit_code: i32, signal: i32 },
    Error { code: ErrorCode, message: String },
    Step { step: Step, boot_nanos: u64 },
    AttestationRequest { test_mode: bool, csr: Vec<u8> },
    KeeperRequest { step: KeeperStep, content: Vec<u8> },
}

/// What a guest sends to the keeper of secrets, in this order; the last one any number of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeeperStep {
    Hello = 1,
    Signature = 2,
    Message = 3,
}

/// What a guest with a package does before its payload starts, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    HandoverTaken = 1,
    PayloadVerified = 2,
    SecretsDerived = 3,
    ApexesActivated = 4,
    PayloadMounted = 5,
    StoreOpened = 6,
}

impl Report {
    /// The frame, length included.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        match self {
            Self::Hello { version, init_boot_nanos } => {
                body.push(1);
                body.extend(version.to_le_bytes());
                body.extend(init_boot_nanos.to_le_bytes());
            }
            Self::PayloadStarted { pid, boot_nanos } => {
                body.push(2);
                body.extend(pid.to_le_bytes());
                body.extend(boot_nanos.to_le_bytes());
            }
            Self::PayloadReady { boot_nanos } => {
                body.push(3);
                body.extend(boot_nanos.to_le_bytes());
            }
            Self::PayloadFinished { exit_code, signal } => {
                body.push(4);
                body.extend(exit_code.to_le_bytes());
                body.extend(signal.to_le_bytes());
            }
            Self::Error { code, message } => {
                body.push(5);
                body.extend((*code as u32).to_le_bytes());
                body.extend(cut(message, MAX_MESSAGE_BYTES).as_bytes());
            }
            Self::Step { step, boot_nanos } => {
                body.push(6);
                body.push(*step as u8);
                body.extend(boot_nanos.to_le_bytes());
            }
            Self::AttestationRequest { test_mode, csr } => {
                body.push(7);
                body.push(u8::from(*test_mode));
                body.extend(csr);
            }
            Self::KeeperRequest { step, content } => {
                body.push(8);
                body.push(*step as u8);
                body.extend(content);
            }
        }
        let mut frame = (body.len() as u32).to_le_bytes().to_vec();
        frame.extend(body);
        frame
    }
}

/// The same facts as one line for people and scripts: the kind, then key=value.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello { version, init_boot_nanos } => {
                write!(f, "HELLO version={version} init_boot_nanos={init_boot_nanos}")
            }
            Self::PayloadStarted { pid, boot_nanos } => write!(f, "PAYLOAD_STARTED pid={pid} boot_nanos={boot_nanos}"),
            Self::PayloadReady { boot_nanos } => write!(f, "PAYLOAD_READY boot_nanos={boot_nanos}"),
            Self::PayloadFinished { exit_code, signal } => {
                write!(f, "PAYLOAD_FINISHED exit_code={exit_code} signal={signal}")
            }
            Self::Error { code, message } => write!(f, "ERROR code={} message={message:?}", *code as u32),
            Self::Step { step, boot_nanos } => write!(f, "STEP step={} boot_nanos={boot_nanos}", *step as u8),
            Self::AttestationRequest { test_mode, csr } => {
                write!(f, "ATTESTATION_REQUEST test_mode={} csr_bytes={}", u8::from(*test_mode), csr.len())
            }
            Self::KeeperRequest { step, content } => {
                write!(f, "KEEPER_REQUEST step={} content_bytes={}", *step as u8, content.len())
            }
        }
    }
}

/// As much of a text as fits, without cutting a character in two.
fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The stream to the host once there is one, for the panic hook too; [`NONE`] or [`CONSOLE`] otherwise.
static CHANNEL: AtomicI32 = AtomicI32::new(NONE);
const NONE: RawFd = -1;
const CONSOLE: RawFd = -2;

/// Reports go to this stream from now on. It stays open until the VM ends.
pub fn use_stream(stream: OwnedFd) {
    CHANNEL.store(stream.into_raw_fd(), Ordering::Relaxed);
}

/// Reports go to the console as text from now on.
pub fn use_console() {
    CHANNEL.store(CONSOLE, Ordering::Relaxed);
}

/// The stream to the host, if reports go to one. Only its reading side is for others than this module.
pub fn stream() -> Option<BorrowedFd<'static>> {
    match CHANNEL.load(Ordering::Relaxed) {
        NONE | CONSOLE => None,
        // SAFETY: the descriptor was given to use_stream, and nothing closes it until the VM ends.
        stream => Some(unsafe { BorrowedFd::borrow_raw(stream) }),
    }
}

/// Tells the host that a step is done.
pub fn step(step: Step) {
    send(&Report::Step { step, boot_nanos: sys::boot_nanos() });
}

/// Sends a report if there is a channel. A host that does not listen any more does not stop the payload.
pub fn send(report: &Report) {
    match CHANNEL.load(Ordering::Relaxed) {
        NONE => {}
        CONSOLE => say(format_args!("report: {report}")),
        stream => {
            if let Err(error) = send_all(stream, &report.encode()) {
                say(format_args!("cannot report {report}: {error}"));
            }
        }
    }
}

/// Tells the host that nothing more comes, and waits a little until it has closed its side: frames still on their
/// way would be lost when the power goes.
pub fn finish() {
    let stream = CHANNEL.swap(NONE, Ordering::Relaxed);
    if stream < 0 {
        return;
    }
    // SAFETY: the descriptor was given to use_stream, is not closed anywhere, and is a socket.
    unsafe { libc::shutdown(stream, libc::SHUT_WR) };
    let deadline = Deadline::after(CLOSE_LIMIT);
    while !deadline.passed() {
        match receive(stream, deadline.remaining()) {
            // Nothing that the host says now matters any more: it is dropped.
            Ok(received) if received > 0 => {}
            _ => return,
        }
    }
}

fn send_all(stream: RawFd, mut frame: &[u8]) -> Result<(), CallError> {
    while !frame.is_empty() {
        // SAFETY: pointer and length are those of a slice.
        let sent = unsafe { libc::send(stream, frame.as_ptr().cast(), frame.len(), libc::MSG_NOSIGNAL) };
        match usize::try_from(sent) {
            Ok(sent) => frame = &frame[sent..],
            Err(_) => match CallError::last("send") {
                CallError { errno: libc::EINTR, .. } => {}
                error => return Err(error),
            },
        }
    }
    Ok(())
}

/// Bytes received, 0 at the end of the stream or of the time.
fn receive(stream: RawFd, limit: Duration) -> Result<usize, CallError> {
    let mut polled = libc::pollfd { fd: stream, events: libc::POLLIN, revents: 0 };
    let timeout = limit.as_millis().min(c_int::MAX as u128) as c_int;
    // SAFETY: one entry, on the stack.
    match unsafe { libc::poll(&mut polled, 1, timeout) } {
        0 => return Ok(0),
        -1 => return Err(CallError::last("poll")),
        _ => {}
    }
    let mut bytes = [0_u8; 256];
    // SAFETY: pointer and length are those of a local array.
    let received = unsafe { libc::recv(stream, bytes.as_mut_ptr().cast(), bytes.len(), libc::MSG_DONTWAIT) };
    usize::try_from(received).map_err(|_| CallError::last("recv"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_hello() {
        let frame = Report::Hello { version: 1, init_boot_nanos: 0x0102_0304_0506_0708 }.encode();
        assert_eq!(frame, [13, 0, 0, 0, 1, 1, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn encodes_payload_started() {
        let frame = Report::PayloadStarted { pid: 0x4d2, boot_nanos: 5 }.encode();
        assert_eq!(frame, [13, 0, 0, 0, 2, 0xd2, 4, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn encodes_payload_ready() {
        let frame = Report::PayloadReady { boot_nanos: 258 }.encode();
        assert_eq!(frame, [9, 0, 0, 0, 3, 2, 1, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn encodes_payload_finished_by_exit_and_by_signal() {
        let exit = Report::PayloadFinished { exit_code: 3, signal: 0 }.encode();
        assert_eq!(exit, [9, 0, 0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0]);
        let signal = Report::PayloadFinished { exit_code: 137, signal: 9 }.encode();
        assert_eq!(signal, [9, 0, 0, 0, 4, 137, 0, 0, 0, 9, 0, 0, 0]);
    }

    #[test]
    fn encodes_error_with_its_message_up_to_the_end() {
        let frame = Report::Error { code: ErrorCode::PayloadInvalidConfig, message: "no ä".into() }.encode();
        assert_eq!(frame, [10, 0, 0, 0, 5, 3, 0, 0, 0, b'n', b'o', b' ', 0xc3, 0xa4]);
    }

    #[test]
    fn encodes_step() {
        let frame = Report::Step { step: Step::SecretsDerived, boot_nanos: 0x0102 }.encode();
        assert_eq!(frame, [10, 0, 0, 0, 6, 3, 2, 1, 0, 0, 0, 0, 0, 0]);
        let steps = [Step::HandoverTaken, Step::PayloadVerified, Step::SecretsDerived, Step::ApexesActivated];
        assert_eq!(steps.map(|step| step as u8), [1, 2, 3, 4]);
        assert_eq!([Step::PayloadMounted, Step::StoreOpened].map(|step| step as u8), [5, 6]);
    }

    #[test]
    fn encodes_attestation_request_with_its_csr_up_to_the_end() {
        let frame = Report::AttestationRequest { test_mode: true, csr: vec![0x84, 1, 2] }.encode();
        assert_eq!(frame, [5, 0, 0, 0, 7, 1, 0x84, 1, 2]);
        let frame = Report::AttestationRequest { test_mode: false, csr: vec![0xa0] }.encode();
        assert_eq!(frame, [3, 0, 0, 0, 7, 0, 0xa0]);
    }

    #[test]
    fn encodes_keeper_request_with_its_content_up_to_the_end() {
        let frame = Report::KeeperRequest { step: KeeperStep::Message, content: vec![0x83, 1] }.encode();
        assert_eq!(frame, [4, 0, 0, 0, 8, 3, 0x83, 1]);
        assert_eq!([KeeperStep::Hello, KeeperStep::Signature].map(|step| step as u8), [1, 2]);
    }

    #[test]
    fn cuts_a_long_message_between_characters() {
        let message = "x".repeat(MAX_MESSAGE_BYTES - 1) + "ä";
        let frame = Report::Error { code: ErrorCode::Unknown, message }.encode();
        assert_eq!(frame.len(), 4 + 1 + 4 + MAX_MESSAGE_BYTES - 1);
        assert!(std::str::from_utf8(&frame[9..]).is_ok());
    }

    #[test]
    fn text_form_stays_on_one_line() {
        let report = Report::Error { code: ErrorCode::Unknown, message: "a\nb\x1b[2J".into() };
        assert_eq!(report.to_string(), r#"ERROR code=0 message="a\nb\u{1b}[2J""#);
    }
}
