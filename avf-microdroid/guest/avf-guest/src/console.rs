//! The two consoles: the kernel's `/dev/console` for init's own words, and the virtio console `/dev/hvc0` for the payload.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use crate::sys::{self, check};

/// How long a virtio console that the machine has may take to offer its port. A console with several ports offers
/// them in messages that arrive after the driver was loaded.
const PORT_LIMIT: Duration = Duration::from_secs(1);
const PORT_STEP: Duration = Duration::from_millis(1);

/// How long the host may take to fetch the last output.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
const DRAIN_STEP: Duration = Duration::from_millis(1);

/// The virtio device type of a console (virtio 1.2, 5.3), as sysfs writes it.
const VIRTIO_CONSOLE: &[u8] = b"0x0003";

/// Writes one line for people to the console. A console that does not work is no reason to fail.
pub fn say(words: fmt::Arguments<'_>) {
    let _ = io::stderr().write_all(format!("avf: {words}\n").as_bytes());
}

/// Makes descriptors 0, 1 and 2 the kernel's console, or `/dev/null` where the kernel has none.
pub fn adopt() {
    let Ok(console) = open_terminal("/dev/console").or_else(|_| open_terminal("/dev/null")) else { return };
    for target in 0..=2 {
        // SAFETY: both are descriptors of this process, and nothing in it owns 0, 1 or 2.
        unsafe { libc::dup2(console.as_raw_fd(), target) };
    }
    if console.as_raw_fd() <= 2 {
        // It is one of the three: closing it would undo the work.
        std::mem::forget(console);
    }
}

fn open_terminal(path: &str) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open(path)
}

/// Standard input, output and error of the payload.
pub struct PayloadConsole {
    pub input: OwnedFd,
    pub output: OwnedFd,
    is_virtio: bool,
}

impl PayloadConsole {
    /// The virtio console in raw mode if the machine has one; else no input, and output on the kernel's console.
    pub fn open() -> io::Result<Self> {
        match virtio_console() {
            Some(console) => {
                make_raw(&console)?;
                Ok(Self { input: console.try_clone()?.into(), output: console.into(), is_virtio: true })
            }
            None => Ok(Self {
                input: File::open("/dev/null")?.into(),
                output: open_terminal("/dev/console").or_else(|_| open_terminal("/dev/null"))?.into(),
                is_virtio: false,
            }),
        }
    }

    /// Waits until the host has all output, or long enough. Unlike `tcdrain` this cannot outlast its limit.
    pub fn drain(&self) {
        if !self.is_virtio {
            return;
        }
        let drained = sys::poll_until(DRAIN_LIMIT, DRAIN_STEP, || {
            let mut waiting = 0;
            // SAFETY: TIOCOUTQ writes one int.
            let result = unsafe { libc::ioctl(self.output.as_raw_fd(), libc::TIOCOUTQ, &mut waiting) };
            (result == -1 || waiting == 0).then_some(())
        });
        if drained.is_none() {
            say(format_args!("the host did not fetch all output within {DRAIN_LIMIT:?}"));
        }
    }
}

fn virtio_console() -> Option<File> {
    if !has_virtio_console(Path::new("/sys/bus/virtio/devices")) {
        return None;
    }
    sys::poll_until(PORT_LIMIT, PORT_STEP, || open_terminal("/dev/hvc0").ok())
}

fn has_virtio_console(devices: &Path) -> bool {
    let Ok(entries) = fs::read_dir(devices) else { return false };
    entries.flatten().any(|entry| {
        sys::read_bounded(&entry.path().join("device"), 64).is_ok_and(|kind| kind.trim_ascii() == VIRTIO_CONSOLE)
    })
}

/// Raw: bytes pass both ways as they are, no echo, no line feed translation.
fn make_raw(terminal: &File) -> io::Result<()> {
    let fd = terminal.as_fd().as_raw_fd();
    // SAFETY: a zeroed termios is valid, the kernel fills it, and the other calls read it.
    unsafe {
        let mut settings: libc::termios = std::mem::zeroed();
        check("tcgetattr", libc::tcgetattr(fd, &mut settings)).map_err(io::Error::other)?;
        libc::cfmakeraw(&mut settings);
        check("tcsetattr", libc::tcsetattr(fd, libc::TCSANOW, &settings)).map_err(io::Error::other)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_console_among_virtio_devices_by_its_type() {
        let devices = std::env::temp_dir().join(format!("avf-virtio-{}", std::process::id()));
        for (name, kind) in [("virtio0", "0x0002\n"), ("virtio1", "0x0003\n")] {
            assert!(!has_virtio_console(&devices));
            fs::create_dir_all(devices.join(name)).unwrap();
            fs::write(devices.join(name).join("device"), kind).unwrap();
        }
        assert!(has_virtio_console(&devices));
        fs::remove_dir_all(&devices).unwrap();
    }
}
