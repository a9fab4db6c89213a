//! The file systems that every program expects.

use std::ffi::CStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use libc::{MS_NODEV, MS_NOEXEC, MS_NOSUID, c_ulong};

use crate::failure::Failure;
use crate::sys;

struct Mount {
    kind: &'static CStr,
    target: &'static CStr,
    flags: c_ulong,
    options: &'static CStr,
    /// Whether the guest cannot go on without it.
    needed: bool,
}

const MOUNTS: [Mount; 6] = [
    Mount { kind: c"proc", target: c"/proc", flags: MS_NOSUID | MS_NODEV | MS_NOEXEC, options: c"", needed: true },
    Mount { kind: c"sysfs", target: c"/sys", flags: MS_NOSUID | MS_NODEV | MS_NOEXEC, options: c"", needed: true },
    Mount { kind: c"devtmpfs", target: c"/dev", flags: MS_NOSUID | MS_NOEXEC, options: c"mode=0755", needed: true },
    Mount {
        kind: c"devpts",
        target: c"/dev/pts",
        flags: MS_NOSUID | MS_NOEXEC,
        options: c"mode=0620,ptmxmode=0666",
        needed: false,
    },
    Mount { kind: c"tmpfs", target: c"/run", flags: MS_NOSUID | MS_NODEV, options: c"mode=0755", needed: true },
    Mount { kind: c"tmpfs", target: c"/tmp", flags: MS_NOSUID | MS_NODEV, options: c"mode=1777", needed: true },
];

/// Mounts all of them, whatever fails on the way, and then tells the first failure that matters: a console may be
/// there to show it only if `/dev` was tried.
pub fn mount_all() -> Result<(), Failure> {
    // Where the initial root is a tmpfs, everybody may write to it. It is init's alone.
    let _ = fs::set_permissions("/", fs::Permissions::from_mode(0o755));
    let mut first = Ok(());
    for mount in &MOUNTS {
        let done = mount.perform();
        if mount.needed && first.is_ok() {
            first = done;
        }
    }
    first
}

impl Mount {
    fn perform(&self) -> Result<(), Failure> {
        // A folder that cannot be made shows in the mount's own error.
        let _ = fs::create_dir_all(Path::new(std::ffi::OsStr::from_bytes(self.target.to_bytes())));
        match sys::mount(self.kind, self.target, self.kind, self.flags, self.options) {
            // The kernel mounts devtmpfs itself when it is configured to.
            Err(error) if error.errno == libc::EBUSY => Ok(()),
            result => result.map_err(|error| {
                Failure::machine(format!(
                    "cannot mount {} on {}: {error}",
                    self.kind.to_string_lossy(),
                    self.target.to_string_lossy()
                ))
            }),
        }
    }
}
