//! A server on a port of this virtual machine.

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use libc::{sockaddr_vm, socklen_t};

use crate::binder::Binder;
use crate::server::{Limits, Server};

/// The host, as every guest sees it (`VMADDR_CID_HOST`).
pub const HOST_CID: u32 = 2;

/// A client opens all its connections at once.
const BACKLOG: i32 = 50;

const SIZE: socklen_t = mem::size_of::<sockaddr_vm>() as socklen_t;

/// Serves an object to the host only, for ever; returns why it does not. `on_ready` is called once, when clients can
/// connect.
pub fn serve_host(root: Binder, port: u32, on_ready: impl FnOnce()) -> io::Error {
    let listener = match listen(port) {
        Ok(listener) => listener,
        Err(error) => return error,
    };
    on_ready();
    let server = Server::new(Some(root), Limits::default());
    server.serve(listener.as_fd(), |socket| peer_cid(socket) == Some(HOST_CID))
}

fn listen(port: u32) -> io::Result<OwnedFd> {
    // SAFETY: no memory is passed.
    let socket = checked(unsafe { libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: the descriptor is new, and nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let mut own = empty();
    own.svm_family = libc::AF_VSOCK as libc::sa_family_t;
    own.svm_cid = libc::VMADDR_CID_ANY;
    own.svm_port = port;
    // SAFETY: the address lives during the call and has this size.
    checked(unsafe { libc::bind(socket.as_raw_fd(), (&raw const own).cast(), SIZE) })?;
    // SAFETY: no memory is passed.
    checked(unsafe { libc::listen(socket.as_raw_fd(), BACKLOG) })?;
    Ok(socket)
}

fn peer_cid(socket: &OwnedFd) -> Option<u32> {
    let mut peer = empty();
    let mut size = SIZE;
    // SAFETY: the address has room for this size, and both live during the call.
    let result = unsafe { libc::getpeername(socket.as_raw_fd(), (&raw mut peer).cast(), &raw mut size) };
    (result == 0).then_some(peer.svm_cid)
}

fn empty() -> sockaddr_vm {
    // SAFETY: all zeros are a value of this struct of integers.
    unsafe { mem::zeroed() }
}

fn checked(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
