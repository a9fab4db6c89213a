//! What libvm_payload calls: no function of the NDK.

use std::ffi::c_void;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::sync::Arc;

use crate::ndk::ibinder::AIBinder;
use crate::server::{Limits, Server};
use crate::vsock;

/// Called once, when clients can connect.
pub type OnReady = unsafe extern "C" fn(*mut c_void);

/// Serves an object on a vsock port to the host only; returns the negated `errno` when that fails.
///
/// # Safety
///
/// The object is one to which the caller has a reference, and `on_ready` takes the parameter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avf_binder_serve_host(
    service: *mut AIBinder,
    port: u32,
    on_ready: Option<OnReady>,
    parameter: *mut c_void,
) -> i32 {
    // SAFETY: the caller's promise.
    let Some(service) = (unsafe { AIBinder::import(service) }) else { return -libc::EINVAL };
    let error = vsock::serve_host(service.binder(), port, || {
        if let Some(on_ready) = on_ready {
            // SAFETY: the caller's promise.
            unsafe { on_ready(parameter) };
        }
    });
    -error.raw_os_error().unwrap_or(libc::EIO)
}

/// Serves an object on a listening socket, which is taken, to everybody who can connect; for tests and for other
/// transports than vsock. Returns the negated `errno` when that fails.
///
/// # Safety
///
/// The object is one to which the caller has a reference, and the descriptor is the caller's to give.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avf_binder_serve_socket(service: *mut AIBinder, socket: i32, threads: u32) -> i32 {
    // SAFETY: the caller's promise.
    let service: Option<Arc<AIBinder>> = unsafe { AIBinder::import(service) };
    if socket < 0 {
        return -libc::EBADF;
    }
    // SAFETY: the caller's promise.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let limits = Limits { threads: threads as usize, ..Limits::default() };
    let server = Server::new(service.map(|service| service.binder()), limits);
    -server.serve(socket.as_fd(), |_| true).raw_os_error().unwrap_or(libc::EIO)
}
