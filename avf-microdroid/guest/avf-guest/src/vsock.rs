//! The guest's side of vsock: who am I, and a stream to the host.

use std::fs::File;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use crate::sys::{self, CallError, Deadline, check, check_fd};

/// The host, as every guest sees it (`VMADDR_CID_HOST`).
const HOST_CID: u32 = 2;

/// `_IO(7, 0xb9)` of `linux/vm_sockets.h`.
const IOCTL_VM_SOCKETS_GET_LOCAL_CID: u32 = 0x7b9;

/// `SO_VM_SOCKETS_CONNECT_TIMEOUT` of `linux/vm_sockets.h`; takes a timeval.
const SO_VM_SOCKETS_CONNECT_TIMEOUT: libc::c_int = 6;

/// How long the host may take to accept, the time for the device to appear included.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const CONNECT_STEP: Duration = Duration::from_millis(2);

/// How long a write may wait for a host that does not read.
const SEND_LIMIT: Duration = Duration::from_secs(5);

/// This VM's own CID, if there is a vsock device.
pub fn local_cid() -> Result<u32, String> {
    let device = File::open("/dev/vsock").map_err(|error| format!("cannot open /dev/vsock: {error}"))?;
    let mut cid: u32 = 0;
    // SAFETY: the ioctl writes one 32-bit integer.
    let result = unsafe { libc::ioctl(device.as_raw_fd(), IOCTL_VM_SOCKETS_GET_LOCAL_CID as _, &mut cid) };
    check("ioctl(IOCTL_VM_SOCKETS_GET_LOCAL_CID)", result).map_err(|error| error.to_string())?;
    // 0 to 2 are the hypervisor, the loopback and the host; all ones is "any", which the kernel answers without a device.
    if cid <= HOST_CID || cid == u32::MAX { Err("there is no vsock device".into()) } else { Ok(cid) }
}

/// Connects to the host's port that is equal to the own CID. Tries again while the device or the host's listener is
/// not there yet, until [`CONNECT_LIMIT`] has passed; then the reason of the last attempt is the answer.
///
/// A host that refuses is asked again; one that does not answer at all gets the whole time for one attempt, so that it
/// never finds a connection that was already given up here.
pub fn connect_to_host() -> Result<(u32, OwnedFd), String> {
    let deadline = Deadline::after(CONNECT_LIMIT);
    let mut reason = String::new();
    let connected = sys::poll_until(CONNECT_LIMIT, CONNECT_STEP, || {
        let attempt = local_cid().and_then(|cid| match connect(HOST_CID, cid, deadline.remaining()) {
            Ok(stream) => Ok((cid, stream)),
            Err(error) => Err(format!("cannot connect to the host's port {cid}: {error}")),
        });
        attempt.map_err(|error| reason = error).ok()
    });
    connected.ok_or(reason)
}

fn connect(cid: u32, port: u32, limit: Duration) -> Result<OwnedFd, CallError> {
    // SAFETY: takes integers.
    let stream =
        check_fd("socket", unsafe { libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) })?;
    // A time of zero would mean the kernel's default, and so would one below its clock's tick.
    set_time(&stream, libc::AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, limit.max(Duration::from_millis(20)))?;
    set_time(&stream, libc::SOL_SOCKET, libc::SO_SNDTIMEO, SEND_LIMIT)?;
    // SAFETY: a zeroed sockaddr_vm is valid; the kernel reads as many bytes as it has.
    let result = unsafe {
        let mut address: libc::sockaddr_vm = mem::zeroed();
        address.svm_family = libc::AF_VSOCK as libc::sa_family_t;
        address.svm_cid = cid;
        address.svm_port = port;
        libc::connect(
            stream.as_raw_fd(),
            (&raw const address).cast(),
            mem::size_of::<libc::sockaddr_vm>() as libc::socklen_t,
        )
    };
    check("connect", result)?;
    Ok(stream)
}

fn set_time(socket: &OwnedFd, level: libc::c_int, option: libc::c_int, time: Duration) -> Result<(), CallError> {
    let value = libc::timeval { tv_sec: time.as_secs() as _, tv_usec: time.subsec_micros() as _ };
    // SAFETY: the kernel reads one timeval.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            mem::size_of::<libc::timeval>() as libc::socklen_t,
        )
    };
    check("setsockopt", result).map(drop)
}
