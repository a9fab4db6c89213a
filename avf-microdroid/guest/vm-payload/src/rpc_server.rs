//! `AVmPayload_runVsockRpcServer`: an object of libbinder_ndk for the host.

#![allow(non_snake_case, reason = "the names are those of AVF's C API")]

use std::ffi::c_void;
use std::io;

use crate::memory::die;

#[cfg(feature = "binder")]
use binder_ndk::ndk::{ibinder::AIBinder, server::OnReady, server::avf_binder_serve_host};
#[cfg(not(feature = "binder"))]
use shared::{AIBinder, OnReady, avf_binder_serve_host};

/// What libbinder_ndk.so has.
#[cfg(not(feature = "binder"))]
mod shared {
    use std::ffi::c_void;

    /// An object whose content is libbinder_ndk's.
    #[repr(C)]
    pub struct AIBinder {
        _content: [u8; 0],
    }

    pub type OnReady = unsafe extern "C" fn(*mut c_void);

    #[link(name = "binder_ndk", kind = "dylib")]
    unsafe extern "C" {
        pub fn avf_binder_serve_host(
            service: *mut AIBinder,
            port: u32,
            on_ready: Option<OnReady>,
            parameter: *mut c_void,
        ) -> i32;
    }
}

/// # Safety
///
/// See `vm_payload.h`: the caller has a reference to the object, and `on_ready` takes the parameter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AVmPayload_runVsockRpcServer(
    service: *mut AIBinder,
    port: u32,
    on_ready: Option<OnReady>,
    param: *mut c_void,
) -> ! {
    const NAME: &str = "AVmPayload_runVsockRpcServer";
    if service.is_null() {
        die(NAME, "service is null");
    }
    // SAFETY: the caller's promise.
    let error = unsafe { avf_binder_serve_host(service, port, on_ready, param) };
    die(NAME, format_args!("cannot serve on port {port}: {}", io::Error::from_raw_os_error(-error)))
}
