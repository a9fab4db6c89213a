//! What runs inside an avf4j virtual machine: one static executable, installed in the initrd as `/init`.
//!
//! The executable is multi-call: the last part of its own name, or else its first argument, says which applet runs.
//! There are two, `init` and `zipfuse`, which init starts.
//!
//! # Boot order
//!
//! 1. [`mounts`]: `/proc`, `/sys`, `/dev`, `/run`, `/tmp`; then [`console`]: descriptors 0, 1 and 2 are `/dev/console`.
//! 2. [`modules`]: the kernel modules that the initrd's `/lib/modules/load` lists.
//! 3. [`vsock`]: the report channel, a stream to the host's port that is equal to the VM's own CID; then the first
//!    [`report`], HELLO. The kernel command line's `avf.report=console` replaces the channel by text lines on the console.
//! 4. [`disk`]: the block device whose virtio serial is `payload`; [`payload`] unpacks the archive on it ([`cpio`]) to `/payload`.
//! 5. [`process`]: the payload starts in a session of its own, on the virtio console `/dev/hvc0` where there is one.
//! 6. [`keeper`]: reports that the payload started, is ready and finished, and reaps every process meanwhile.
//! 7. [`power`]: whatever happened, the VM powers off. A failure goes to the console and, if it is up, to the report channel.
//!
//! # For verified packages
//!
//! Where the initrd has the file `/bootconfig`, steps 4 to 6 are those of the [`manager`]. What they need of the kernel
//! are modules of their own:
//! [`gpt`] finds the partitions of the payload disk, [`loopdev`] and [`dm`] make block devices of them ([`dm`] with
//! dm-verity), [`zipfuse`] mounts the package, [`encryptedstore`] the payload's storage ([`ext4`] is what it is
//! formatted with), and [`sandbox`] with [`seccomp`] is what the payload is confined to. Their kernel modules are those
//! of `/lib/modules/microdroid`.
//!
//! Everything read from the disk, the kernel command line or the host is bounded and checked before it is used, and
//! every wait other than the one for the payload itself has a limit.

pub mod cmdline;
pub mod console;
pub mod cpio;
pub mod disk;
pub mod dm;
pub mod encryptedstore;
pub mod ext4;
pub mod failure;
pub mod gpt;
pub mod init;
pub mod keeper;
pub mod loopdev;
pub mod manager;
pub mod modules;
pub mod mounts;
pub mod payload;
pub mod power;
pub mod process;
pub mod report;
pub mod sandbox;
pub mod seccomp;
pub mod sys;
pub mod vsock;
pub mod zipfuse;

/// Runs the applet that the arguments name and returns the exit code.
pub fn run(arguments: &[&[u8]]) -> i32 {
    match applet(arguments) {
        b"init" => init::main(),
        b"zipfuse" => zipfuse::main(arguments.get(2..).unwrap_or_default()),
        other => {
            eprintln!("avf-guest: no applet {:?}; there are: init, zipfuse", String::from_utf8_lossy(other));
            2
        }
    }
}

fn applet<'a>(arguments: &[&'a [u8]]) -> &'a [u8] {
    let own = arguments.first().copied().unwrap_or_default();
    let own = own.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    if own == b"init" { own } else { arguments.get(1).copied().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::applet;

    #[test]
    fn own_name_selects_the_applet_whatever_its_folder() {
        assert_eq!(applet(&[b"/sbin/init", b"single"]), b"init");
        assert_eq!(applet(&[b"init"]), b"init");
    }

    #[test]
    fn first_argument_selects_the_applet_under_any_other_name() {
        assert_eq!(applet(&[b"/usr/bin/avf-guest", b"init"]), b"init");
    }

    #[test]
    fn nothing_is_selected_without_arguments() {
        assert_eq!(applet(&[]), b"");
        assert_eq!(applet(&[b"avf-guest"]), b"");
    }
}
