//! The native methods of `io.github.avf4j.payload.VsockNative`.
//!
//! The only function of the Java virtual machine that they need is the one that tells where a direct buffer is.

#![allow(non_snake_case, reason = "the names are those that the Java Native Interface gives")]

use std::ffi::c_void;
use std::ptr;

use libc::c_int;

use crate::socket;

/// `JNIEnv *`: a pointer to a pointer to a table of functions.
pub type Environment = *const *const [*const c_void; FUNCTIONS];

/// A reference to an object or a class.
pub type Reference = *mut c_void;

/// The table up to JNI 1.4, of which each later version has more at the end.
const FUNCTIONS: usize = 232;

/// Java Native Interface specification, chapter 4, `GetDirectBufferAddress`.
const GET_DIRECT_BUFFER_ADDRESS: usize = 230;

type GetDirectBufferAddress = extern "system" fn(Environment, Reference) -> *mut u8;

/// Where the part of a direct buffer begins; null if it is none.
///
/// # Safety
/// Both are what a native method was called with, and the buffer is longer than the offset.
unsafe fn address(environment: Environment, buffer: Reference, offset: c_int) -> *mut u8 {
    // SAFETY: an environment points to a table that has this function with this type.
    let start = unsafe {
        let function = (**environment)[GET_DIRECT_BUFFER_ADDRESS];
        let function = std::mem::transmute::<*const c_void, GetDirectBufferAddress>(function);
        function(environment, buffer)
    };
    // SAFETY: the caller's promise.
    if start.is_null() { ptr::null_mut() } else { unsafe { start.add(offset as usize) } }
}

macro_rules! native {
    ($($name:ident($($argument:ident),*) => $call:expr;)*) => {
        $(
            #[unsafe(no_mangle)]
            pub extern "system" fn $name(_: Environment, _: Reference $(, $argument: c_int)*) -> c_int {
                $call
            }
        )*
    };
}

native! {
    Java_io_github_avf4j_payload_VsockNative_listen(port) => socket::listen(port as u32);
    Java_io_github_avf4j_payload_VsockNative_accept(socket, event) => socket::accept(socket, event);
    Java_io_github_avf4j_payload_VsockNative_connect(cid, port) => socket::connect(cid as u32, port as u32);
    Java_io_github_avf4j_payload_VsockNative_shutdownOutput(socket) => socket::shutdown_output(socket);
    Java_io_github_avf4j_payload_VsockNative_event() => socket::event();
    Java_io_github_avf4j_payload_VsockNative_signal(event) => socket::signal(event);
    Java_io_github_avf4j_payload_VsockNative_close(descriptor) => socket::close(descriptor);
}

/// A number without sign, or an error: 64 bits hold both.
fn wide(result: Result<u32, c_int>) -> i64 {
    result.map_or_else(i64::from, i64::from)
}

#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_avf4j_payload_VsockNative_localPort(
    _: Environment,
    _: Reference,
    socket: c_int,
) -> i64 {
    wide(socket::local_port(socket))
}

#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_avf4j_payload_VsockNative_peerCid(
    _: Environment,
    _: Reference,
    socket: c_int,
) -> i64 {
    wide(socket::peer_cid(socket))
}

/// # Safety
/// Called by Java with a direct buffer that has this part.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn Java_io_github_avf4j_payload_VsockNative_read(
    environment: Environment,
    _: Reference,
    socket: c_int,
    event: c_int,
    target: Reference,
    offset: c_int,
    length: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let memory = unsafe { address(environment, target, offset) };
    if memory.is_null() {
        return -libc::EFAULT;
    }
    // SAFETY: the buffer has this part, and Java keeps it while the call runs.
    unsafe { socket::read(socket, event, memory, length as usize) }
}

/// # Safety
/// Called by Java with a direct buffer that has this part.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn Java_io_github_avf4j_payload_VsockNative_write(
    environment: Environment,
    _: Reference,
    socket: c_int,
    event: c_int,
    source: Reference,
    offset: c_int,
    length: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let memory = unsafe { address(environment, source, offset) };
    if memory.is_null() {
        return -libc::EFAULT;
    }
    // SAFETY: the buffer has this part, and Java keeps it while the call runs.
    unsafe { socket::write(socket, event, memory, length as usize) }
}
