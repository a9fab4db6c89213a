//! Payloads for integration tests: the first argument selects what this one does.
//!
//! | arguments | does |
//! |---|---|
//! | `exit N` | ends with exit code N |
//! | `signal N` | ends by signal N |
//! | `print TEXT` | writes the text and a line feed to standard output |
//! | `flood BYTES` | writes that many bytes of text to standard output, as fast as it can: lines of 63 characters |
//! | `sleep SECONDS` | says that it is ready, then sleeps |
//! | `env` | prints arguments as `arg=…` and environment as `env=…`, one a line |
//! | `echo PORT` | vsock server that says that it is ready and echoes each connection until its end, any number at once; a connection that starts with `quit\n` ends it |
//! | `connect PORT BYTES` | connects to the host's port, sends that many bytes, shuts down its side, prints the line that the host answers |
//! | `cat` | copies standard input to standard output, up to and with a line `end` |
//! | `panic` | makes the kernel panic |
//! | `reboot` | restarts the machine |
//! | `report` | prints `uid=…`, `processors=…` and `memory_kib=…`, one a line |
//!
//! The bytes of `connect` are the little-endian `nextLong()` of Java's `new SplittableRandom(PORT)`, one after the
//! other. Wrong arguments end with exit code 2, failures with 1, both with the reason on standard error.

mod splitmix;

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, Read, Write};
use std::net::Shutdown;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use vsock::{VMADDR_CID_ANY, VMADDR_CID_HOST, VsockListener, VsockStream};

use splitmix::SplitMix;

const USAGE: &str = "usage: test-payload exit N | signal N | print TEXT | flood BYTES | sleep SECONDS | env | echo PORT | connect PORT BYTES | cat | panic | reboot | report";

const BUFFER_BYTES: usize = 64 << 10;

const QUIT: &[u8] = b"quit\n";

type Done = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match perform(&words) {
        Some(Ok(code)) => ExitCode::from(code),
        Some(Err(error)) => {
            eprintln!("test-payload {}: {error}", words[0]);
            ExitCode::FAILURE
        }
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The exit code, or none if the arguments are wrong.
fn perform(words: &[&str]) -> Option<Result<u8, Box<dyn Error>>> {
    let done = match *words {
        ["exit", code] => return Some(Ok(number(code)?)),
        ["signal", signal] => raise(number(signal)?),
        ["print", text] => writeln!(io::stdout(), "{text}").map_err(Into::into),
        ["flood", bytes] => flood(number(bytes)?),
        ["sleep", seconds] => sleep(number(seconds)?),
        ["env", ..] => print_surroundings(),
        ["echo", port] => echo(number(port)?),
        ["connect", port, bytes] => connect(number(port)?, number(bytes)?),
        ["cat"] => cat(),
        ["panic"] => fs::write("/proc/sysrq-trigger", "c").map_err(Into::into),
        ["reboot"] => reboot(),
        ["report"] => report(),
        _ => return None,
    };
    Some(done.map(|()| 0))
}

fn number<T: FromStr>(word: &str) -> Option<T> {
    word.parse().ok()
}

/// Tells the guest's init that this payload is ready; a no-op where there is no init to tell.
fn say_ready() -> io::Result<()> {
    let Some(number) = std::env::var("AVF_READY_FD").ok().and_then(|text| text.parse().ok()) else { return Ok(()) };
    // SAFETY: init passed the descriptor to this process for this one use; dropping the file closes it.
    unsafe { File::from_raw_fd(number) }.write_all(b"\n")
}

fn raise(signal: i32) -> Done {
    // SAFETY: both take integers. The default action first: the standard library handles SIGSEGV and SIGBUS itself.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
    Err(format!("signal {signal} did not end the process").into())
}

fn flood(bytes: u64) -> Done {
    let line = b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ.\n";
    let mut output = io::stdout().lock();
    let block = line.repeat(BUFFER_BYTES / line.len());
    let mut left = bytes;
    while left > 0 {
        let count = left.min(block.len() as u64);
        output.write_all(&block[..count as usize])?;
        left -= count;
    }
    Ok(output.flush()?)
}

fn sleep(seconds: u64) -> Done {
    say_ready()?;
    thread::sleep(Duration::from_secs(seconds));
    Ok(())
}

fn print_surroundings() -> Done {
    let mut text = Vec::new();
    for argument in std::env::args_os() {
        text.extend_from_slice(b"arg=");
        text.extend_from_slice(argument.as_bytes());
        text.push(b'\n');
    }
    for (key, value) in std::env::vars_os() {
        text.extend_from_slice(b"env=");
        text.extend_from_slice(key.as_bytes());
        text.push(b'=');
        text.extend_from_slice(value.as_bytes());
        text.push(b'\n');
    }
    Ok(io::stdout().write_all(&text)?)
}

fn echo(port: u32) -> Done {
    let listener = VsockListener::bind_with_cid_port(VMADDR_CID_ANY, port)?;
    say_ready()?;
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || {
            if let Err(error) = echo_one(stream) {
                eprintln!("test-payload echo: {error}");
            }
        });
    }
    Ok(())
}

fn echo_one(mut stream: VsockStream) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut first = true;
    loop {
        let count = match stream.read(&mut buffer)? {
            0 => return stream.shutdown(Shutdown::Write),
            count => count,
        };
        if std::mem::take(&mut first) && buffer[..count].starts_with(QUIT) {
            std::process::exit(0);
        }
        stream.write_all(&buffer[..count])?;
    }
}

fn connect(port: u32, bytes: u64) -> Done {
    let mut stream = VsockStream::connect_with_cid_port(VMADDR_CID_HOST, port)?;
    io::copy(&mut SplitMix::new(u64::from(port)).take(bytes), &mut stream)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    io::BufReader::new(stream).take(BUFFER_BYTES as u64).read_line(&mut answer)?;
    print!("{answer}");
    Ok(io::stdout().flush()?)
}

fn cat() -> Done {
    say_ready()?;
    let mut output = io::stdout().lock();
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        output.write_all(&line)?;
        output.flush()?;
        if line == b"end\n" {
            break;
        }
        line.clear();
    }
    Ok(())
}

fn reboot() -> Done {
    // SAFETY: takes an integer.
    unsafe { libc::reboot(libc::LINUX_REBOOT_CMD_RESTART) };
    Err(io::Error::last_os_error().into())
}

fn report() -> Done {
    // SAFETY: takes no arguments.
    let uid = unsafe { libc::getuid() };
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let processors = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo")?;
    let memory = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|value| value.split_whitespace().next())
        .ok_or("/proc/meminfo has no MemTotal")?;
    print!("uid={uid}\nprocessors={processors}\nmemory_kib={memory}\n");
    Ok(io::stdout().flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_code_is_the_one_asked_for() {
        assert!(matches!(perform(&["exit", "7"]), Some(Ok(7))));
    }

    #[test]
    fn rejects_unknown_words_and_missing_or_wrong_numbers() {
        for words in [&[][..], &["exit"], &["exit", "256"], &["connect", "1"], &["dance"], &["cat", "x"]] {
            assert!(perform(words).is_none(), "{words:?}");
        }
    }
}
