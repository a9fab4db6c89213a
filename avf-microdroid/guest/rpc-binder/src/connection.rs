//! One connected stream socket of any kind, read and written without signals and with limits of time.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use crate::wire::{Broken, HEADER, Header};

/// How long a peer may take over its part of a handshake.
pub const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// How long a peer may take over a message that it has begun, or that it does not read.
const MESSAGE_LIMIT: Duration = Duration::from_secs(30);

/// Larger writes are known to fail on some hosts' vsock.
const WRITE_CHUNK: usize = 64 * 1024;
const READ_CHUNK: usize = 64 * 1024;

/// A socket that one thread at a time reads from, and one writes to.
#[derive(Debug)]
pub struct Connection {
    socket: OwnedFd,
}

impl Connection {
    pub fn new(socket: OwnedFd) -> Self {
        Self { socket }
    }

    /// Waits for the next command without a limit, then for its rest.
    pub fn read_command(&self, version: u32) -> Result<(Header, Vec<u8>), Broken> {
        self.wait(libc::POLLIN, None)?;
        let deadline = Instant::now() + MESSAGE_LIMIT;
        let mut header = [0; HEADER];
        self.read_exact(&mut header, deadline)?;
        let header = Header::decode(&header, version)?;
        let mut body = Vec::new();
        // What was announced costs nothing before it comes.
        while body.len() < header.body_size {
            let start = body.len();
            body.resize(header.body_size.min(start + READ_CHUNK), 0);
            self.read_exact(&mut body[start..], deadline)?;
        }
        Ok((header, body))
    }

    pub fn read_exact(&self, mut target: &mut [u8], deadline: Instant) -> Result<(), Broken> {
        while !target.is_empty() {
            self.wait(libc::POLLIN, Some(deadline))?;
            // SAFETY: pointer and length are those of a slice.
            let count = unsafe { libc::recv(self.fd(), target.as_mut_ptr().cast(), target.len(), libc::MSG_DONTWAIT) };
            match usize::try_from(count) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(count) => target = &mut target[count..],
                Err(_) => tolerate(io::Error::last_os_error())?,
            }
        }
        Ok(())
    }

    pub fn write_all(&self, mut bytes: &[u8]) -> Result<(), Broken> {
        let deadline = Instant::now() + MESSAGE_LIMIT;
        while !bytes.is_empty() {
            let chunk = &bytes[..bytes.len().min(WRITE_CHUNK)];
            let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
            // SAFETY: pointer and length are those of a slice.
            let count = unsafe { libc::send(self.fd(), chunk.as_ptr().cast(), chunk.len(), flags) };
            match usize::try_from(count) {
                Ok(count) => bytes = &bytes[count..],
                Err(_) => {
                    tolerate(io::Error::last_os_error())?;
                    self.wait(libc::POLLOUT, Some(deadline))?;
                }
            }
        }
        Ok(())
    }

    /// Ends both directions, which wakes every thread that waits for one.
    pub fn shut_down(&self) {
        // SAFETY: no memory is passed.
        unsafe { libc::shutdown(self.fd(), libc::SHUT_RDWR) };
    }

    fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    fn wait(&self, events: i16, deadline: Option<Instant>) -> Result<(), Broken> {
        loop {
            let limit = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => -1,
                Some(Duration::ZERO) => return Err(io::Error::from(io::ErrorKind::TimedOut).into()),
                // Rounded up, so that the last millisecond is not spent on polling.
                Some(rest) => rest.as_millis() as i32 + 1,
            };
            let mut entry = libc::pollfd { fd: self.fd(), events, revents: 0 };
            // SAFETY: one entry that lives during the call.
            match unsafe { libc::poll(&raw mut entry, 1, limit) } {
                1.. => return Ok(()),
                0 => {}
                _ => tolerate(io::Error::last_os_error())?,
            }
        }
    }
}

/// What is no failure: an interruption, or nothing to do at the moment.
fn tolerate(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => Ok(()),
        _ => Err(error),
    }
}
