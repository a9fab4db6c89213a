//! PID 1 of the guest: the boot order that the crate's documentation lists, and the one way out of it.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd};
use std::panic;
use std::path::Path;

use crate::cmdline::{self, ReportTarget};
use crate::console::{self, PayloadConsole, say};
use crate::disk;
use crate::failure::Failure;
use crate::keeper;
use crate::manager;
use crate::modules;
use crate::mounts;
use crate::payload;
use crate::power;
use crate::process::Program;
use crate::report::{self, Report};
use crate::sys;
use crate::vsock;

const MAX_CMDLINE_BYTES: u64 = 64 << 10;

/// Boots, runs the payload, and powers off; returns only if this process is not PID 1.
pub fn main() -> i32 {
    // Everything below mounts, kills and powers off: on a machine in use that would be a disaster.
    if std::process::id() != 1 {
        eprintln!("avf-guest: init must be PID 1 of a virtual machine");
        return 2;
    }
    let init_boot_nanos = sys::boot_nanos();
    power::off_on_crash();
    panic::set_hook(Box::new(|panic| give_up(&Failure::machine(format!("init panicked: {panic}")))));
    if let Err(failure) = boot(init_boot_nanos) {
        give_up(&failure);
    }
    report::finish();
    power::off()
}

fn give_up(failure: &Failure) -> ! {
    say(format_args!("{failure}"));
    report::send(&Report::Error { code: failure.code, message: failure.message.clone() });
    report::finish();
    power::off()
}

fn boot(init_boot_nanos: u64) -> Result<(), Failure> {
    let mounted = mounts::mount_all();
    console::adopt();
    mounted?;
    modules::load_all()?;
    let cid = open_report_channel()?;
    report::send(&Report::Hello { version: report::VERSION, init_boot_nanos });
    if manager::is_needed() {
        return manager::run();
    }
    let invocation = payload::install(disk::find(payload::SERIAL)?)?;
    run(invocation, cid)
}

/// The own CID, if there is one: only reports on the console go without.
fn open_report_channel() -> Result<Option<u32>, Failure> {
    let cmdline = sys::read_bounded(Path::new("/proc/cmdline"), MAX_CMDLINE_BYTES)
        .map_err(|error| Failure::machine(format!("cannot read /proc/cmdline: {error}")))?;
    match cmdline::report_target(&cmdline).map_err(Failure::machine)? {
        ReportTarget::Console => {
            report::use_console();
            Ok(vsock::local_cid().ok())
        }
        ReportTarget::Vsock => {
            let (cid, stream) = vsock::connect_to_host()
                .map_err(|reason| Failure::machine(format!("no report channel to the host: {reason}")))?;
            report::use_stream(stream);
            Ok(Some(cid))
        }
    }
}

fn run(invocation: payload::Invocation, cid: Option<u32>) -> Result<(), Failure> {
    let machine = |what: &dyn std::fmt::Display| Failure::machine(format!("cannot prepare the payload: {what}"));
    let console = PayloadConsole::open().map_err(|error| machine(&error))?;
    let (ready, readying) = sys::pipe().map_err(|error| machine(&error))?;
    sys::set_nonblocking(ready.as_fd()).map_err(|error| machine(&error))?;
    let children = sys::child_signals().map_err(|error| machine(&error))?;

    let mut own = vec![variable("AVF_READY_FD", i64::from(readying.as_raw_fd()))];
    own.extend(cid.map(|cid| variable("AVF_CID", i64::from(cid))));
    let mut arguments = vec![c"payload".to_owned()];
    arguments.extend(invocation.arguments);
    let program = Program {
        path: payload::EXECUTABLE,
        arguments: &arguments,
        environment: &payload::environment(invocation.environment, own),
        input: console.input.as_fd(),
        output: console.output.as_fd(),
        inherited: Some(readying.as_fd()),
        confined: None,
    };
    let pid = program.start()?;
    drop(readying);
    report::send(&Report::PayloadStarted { pid: pid.unsigned_abs(), boot_nanos: sys::boot_nanos() });

    let kept = keeper::keep(pid, children, ready);
    keeper::end_all_others();
    console.drain();
    kept.map(drop)
}

fn variable(key: &str, value: i64) -> CString {
    CString::new(format!("{key}={value}")).expect("neither has a NUL")
}
