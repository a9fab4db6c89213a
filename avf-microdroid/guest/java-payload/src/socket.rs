//! Sockets whose calls another thread can end.
//!
//! A call that may block waits for its socket or for an event, whichever comes first: closing a socket would not wake
//! it. Results are those of the system, errors negated, as Java gets them.

use std::mem;

use libc::{AF_VSOCK, c_int, sockaddr_vm, socklen_t};

const BACKLOG: c_int = 128;

/// The result of a call, or what `errno` is, negated.
fn checked(result: c_int) -> c_int {
    if result < 0 { -errno() } else { result }
}

fn errno() -> c_int {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

fn address(cid: u32, port: u32) -> sockaddr_vm {
    // SAFETY: all zeros are a value of this struct of integers.
    let mut address: sockaddr_vm = unsafe { mem::zeroed() };
    address.svm_family = AF_VSOCK as _;
    address.svm_cid = cid;
    address.svm_port = port;
    address
}

const SIZE: socklen_t = mem::size_of::<sockaddr_vm>() as socklen_t;

/// A stream socket on which `set_up` succeeds.
fn stream(set_up: impl FnOnce(c_int) -> c_int) -> c_int {
    // SAFETY: no memory is passed.
    let socket = checked(unsafe { libc::socket(AF_VSOCK, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) });
    if socket < 0 {
        return socket;
    }
    let result = set_up(socket);
    if result < 0 {
        close(socket);
        return result;
    }
    socket
}

pub fn listen(port: u32) -> c_int {
    stream(|socket| {
        let own = address(libc::VMADDR_CID_ANY, port);
        // SAFETY: the address lives during the call and has this size.
        let bound = checked(unsafe { libc::bind(socket, (&raw const own).cast(), SIZE) });
        if bound < 0 {
            return bound;
        }
        // SAFETY: no memory is passed.
        let listening = checked(unsafe { libc::listen(socket, BACKLOG) });
        // A connection may be gone between the wait for it and the call that takes it.
        if listening < 0 { listening } else { nonblocking(socket) }
    })
}

fn nonblocking(socket: c_int) -> c_int {
    // SAFETY: no memory is passed.
    checked(unsafe { libc::fcntl(socket, libc::F_SETFL, libc::O_NONBLOCK) })
}

pub fn connect(cid: u32, port: u32) -> c_int {
    stream(|socket| {
        let other = address(cid, port);
        loop {
            // SAFETY: the address lives during the call and has this size.
            let result = checked(unsafe { libc::connect(socket, (&raw const other).cast(), SIZE) });
            if result != -libc::EINTR {
                return if result < 0 { result } else { nonblocking(socket) };
            }
        }
    })
}

type NameCall = unsafe extern "C" fn(c_int, *mut libc::sockaddr, *mut socklen_t) -> c_int;

/// One end's address.
fn name(call: NameCall, socket: c_int) -> Result<sockaddr_vm, c_int> {
    let mut address = address(0, 0);
    let mut size = SIZE;
    // SAFETY: the address has room for this size, and both live during the call.
    match checked(unsafe { call(socket, (&raw mut address).cast(), &raw mut size) }) {
        0 => Ok(address),
        error => Err(error),
    }
}

pub fn local_port(socket: c_int) -> Result<u32, c_int> {
    name(libc::getsockname, socket).map(|address| address.svm_port)
}

pub fn peer_cid(socket: c_int) -> Result<u32, c_int> {
    name(libc::getpeername, socket).map(|address| address.svm_cid)
}

/// Repeats a call until it neither blocks nor is interrupted, or the event is signalled.
fn patiently(socket: c_int, event: c_int, wanted: i16, call: impl Fn() -> isize) -> c_int {
    loop {
        let mut waits = [
            libc::pollfd { fd: socket, events: wanted, revents: 0 },
            libc::pollfd { fd: event, events: libc::POLLIN, revents: 0 },
        ];
        // SAFETY: the list has two entries and lives during the call.
        let ready = checked(unsafe { libc::poll(waits.as_mut_ptr(), 2, -1) });
        if ready < 0 && ready != -libc::EINTR {
            return ready;
        }
        if waits[1].revents != 0 {
            return -libc::ECANCELED;
        }
        if ready < 0 || waits[0].revents == 0 {
            continue;
        }
        let result = call();
        if result >= 0 {
            return result as c_int;
        }
        let error = errno();
        if error != libc::EAGAIN && error != libc::EINTR && error != libc::ECONNABORTED {
            return -error;
        }
    }
}

pub fn accept(socket: c_int, event: c_int) -> c_int {
    patiently(socket, event, libc::POLLIN, || {
        let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: nobody asks for the address.
        unsafe { libc::accept4(socket, std::ptr::null_mut(), std::ptr::null_mut(), flags) as isize }
    })
}

/// # Safety
/// The memory can be written.
pub unsafe fn read(socket: c_int, event: c_int, target: *mut u8, length: usize) -> c_int {
    patiently(socket, event, libc::POLLIN, || {
        // SAFETY: the caller's promise.
        unsafe { libc::recv(socket, target.cast(), length, 0) }
    })
}

/// # Safety
/// The memory can be read.
pub unsafe fn write(socket: c_int, event: c_int, source: *const u8, length: usize) -> c_int {
    patiently(socket, event, libc::POLLOUT, || {
        // SAFETY: the caller's promise.
        unsafe { libc::send(socket, source.cast(), length, libc::MSG_NOSIGNAL) }
    })
}

pub fn shutdown_output(socket: c_int) -> c_int {
    // SAFETY: no memory is passed.
    checked(unsafe { libc::shutdown(socket, libc::SHUT_WR) })
}

pub fn event() -> c_int {
    // SAFETY: no memory is passed.
    checked(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })
}

/// Nobody ever takes the signal back: it is for all calls there are and will be.
pub fn signal(event: c_int) -> c_int {
    let one = 1u64.to_ne_bytes();
    // SAFETY: the number lives during the call.
    checked(unsafe { libc::write(event, one.as_ptr().cast(), one.len()) } as c_int)
}

pub fn close(descriptor: c_int) -> c_int {
    // SAFETY: the callers own the descriptor and forget it.
    checked(unsafe { libc::close(descriptor) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn pair() -> (c_int, c_int) {
        let mut sockets = [0; 2];
        let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK;
        // SAFETY: there is room for two.
        assert_eq!(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, sockets.as_mut_ptr()) }, 0);
        (sockets[0], sockets[1])
    }

    fn receive(socket: c_int, event: c_int) -> Result<Vec<u8>, c_int> {
        let mut bytes = vec![0; 1000];
        // SAFETY: the target has this length.
        match unsafe { read(socket, event, bytes.as_mut_ptr(), bytes.len()) } {
            count @ 0.. => Ok(bytes[..count as usize].to_vec()),
            error => Err(error),
        }
    }

    fn send(socket: c_int, event: c_int, bytes: &[u8]) -> c_int {
        // SAFETY: the source has this length.
        unsafe { write(socket, event, bytes.as_ptr(), bytes.len()) }
    }

    #[test]
    fn moves_bytes_and_ends_one_direction_only() {
        let ((here, there), event) = (pair(), event());
        assert_eq!(send(here, event, b"question"), 8);
        assert_eq!(shutdown_output(here), 0);
        assert_eq!(receive(there, event).unwrap(), b"question");
        assert_eq!(receive(there, event).unwrap(), b"");
        assert_eq!(send(there, event, b"answer"), 6);
        assert_eq!(receive(here, event).unwrap(), b"answer");
        for socket in [here, there, event] {
            close(socket);
        }
    }

    #[test]
    fn waits_for_bytes_and_for_room() {
        let ((here, there), event) = (pair(), event());
        let writer = thread::spawn(move || {
            let bytes = vec![7; 1 << 20];
            let mut sent = 0;
            while sent < bytes.len() {
                sent += usize::try_from(send(there, event, &bytes[sent..])).unwrap();
            }
            shutdown_output(there)
        });
        let mut total = 0;
        loop {
            match receive(here, event).unwrap().len() {
                0 => break,
                count => total += count,
            }
        }
        assert_eq!(total, 1 << 20);
        assert_eq!(writer.join().unwrap(), 0);
        for socket in [here, there, event] {
            close(socket);
        }
    }

    #[test]
    fn a_signal_ends_calls_that_block_and_later_ones() {
        let ((here, there), event) = (pair(), event());
        let reader = thread::spawn(move || receive(here, event));
        assert_eq!(signal(event), 8);
        assert_eq!(reader.join().unwrap(), Err(-libc::ECANCELED));
        assert_eq!(accept(here, event), -libc::ECANCELED);
        assert_eq!(send(here, event, b"late"), -libc::ECANCELED);
        for socket in [here, there, event] {
            close(socket);
        }
    }

    #[test]
    fn writing_to_nobody_is_an_error_and_no_signal() {
        let ((here, there), event) = (pair(), event());
        close(there);
        assert_eq!(send(here, event, b"x"), -libc::EPIPE);
        for socket in [here, event] {
            close(socket);
        }
    }

    #[test]
    fn says_what_the_system_says() {
        assert_eq!(close(-1), -libc::EBADF);
        assert_eq!(local_port(-1), Err(-libc::EBADF));
        assert_eq!(peer_cid(-1), Err(-libc::EBADF));
        assert_eq!(signal(-1), -libc::EBADF);
    }
}
