//! Tests the parts of `avf-guest` that only a kernel can: started as `/init` in place of the real one.
//!
//! The kernel command line's `avf.test=NAME` selects what it does, and the disks are those that the test of that name
//! needs. Lines that start with `test:` on the console are for the host's test to read; the last of them is
//! `test: passed` or `test: failed`.

mod confined;
mod disks;

use std::fs;
use std::path::Path;

use avf_guest::{console, modules, mounts, power};

/// What a test says, line by line.
pub type Done = Result<(), String>;

pub fn say(words: &str) {
    println!("test: {words}");
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if std::process::id() != 1 {
        if arguments.get(1).is_some_and(|word| word == "zipfuse") {
            let arguments: Vec<&[u8]> = arguments.iter().map(String::as_bytes).collect();
            std::process::exit(avf_guest::run(&arguments));
        }
        // The program that a test of the sandbox starts.
        std::process::exit(match confined::inside(&arguments[1..]) {
            Ok(()) => 0,
            Err(reason) => {
                say(&format!("inside: {reason}"));
                1
            }
        });
    }
    power::off_on_crash();
    std::panic::set_hook(Box::new(|panic| {
        println!("test: failed: {panic}");
        power::off()
    }));
    match boot() {
        Ok(()) => say("passed"),
        Err(reason) => say(&format!("failed: {reason}")),
    }
    power::off()
}

fn boot() -> Done {
    mounts::mount_all().map_err(|failure| failure.message)?;
    console::adopt();
    modules::load_all().map_err(|failure| failure.message)?;
    modules::load_microdroid().map_err(|failure| failure.message)?;
    let cmdline = fs::read_to_string("/proc/cmdline").map_err(|error| error.to_string())?;
    let test = cmdline.split_whitespace().filter_map(|word| word.strip_prefix("avf.test=")).next_back();
    match test {
        Some("package") => disks::package(Path::new("/dev/vda")),
        Some("damaged") => disks::damaged(Path::new("/dev/vda")),
        Some("store") => disks::store(Path::new("/dev/vda"), 7),
        Some("other-key") => disks::store(Path::new("/dev/vda"), 8),
        Some("grow") => disks::grow(Path::new("/dev/vda")),
        Some("sandbox") => confined::outside(),
        other => Err(format!("there is no test {other:?}")),
    }
}
