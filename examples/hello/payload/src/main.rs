//! The payload of the first example: takes one vsock connection on port 5000, reads it to its end, and answers with
//! the SHA-256 of what it read and the count of its lines.

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::FromRawFd;
use std::process::ExitCode;

use sha2::{Digest, Sha256};
use vsock::{VMADDR_CID_ANY, VsockListener};

const PORT: u32 = 5000;
const BUFFER_BYTES: usize = 256 << 10;

fn main() -> ExitCode {
    match serve() {
        Ok(bytes) => {
            println!("hashed {bytes} bytes");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("hello-payload: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<u64, Box<dyn Error>> {
    let listener = VsockListener::bind_with_cid_port(VMADDR_CID_ANY, PORT)
        .map_err(|error| format!("cannot listen on vsock port {PORT}: {error}"))?;
    say_ready()?;
    let (mut connection, _) = listener.accept()?;
    let summary = summarize(&mut connection)?;
    writeln!(connection, "{} {}", summary.hash, summary.lines)?;
    Ok(summary.bytes)
}

/// The guest's init passes a pipe; a byte in it makes the VM's state "payload ready" on the host.
fn say_ready() -> Result<(), Box<dyn Error>> {
    let number = env::var("AVF_READY_FD").map_err(|error| format!("AVF_READY_FD: {error}"))?.parse()?;
    // SAFETY: init opened this descriptor for this process, and nothing else here uses it.
    let mut ready = unsafe { File::from_raw_fd(number) };
    Ok(ready.write_all(b"\n")?)
}

#[derive(Debug, PartialEq, Eq)]
struct Summary {
    bytes: u64,
    lines: u64,
    hash: String,
}

fn summarize(input: &mut impl Read) -> io::Result<Summary> {
    let mut hash = Sha256::new();
    let (mut bytes, mut lines) = (0, 0);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let piece = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => &buffer[..count],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(piece);
        lines += memchr::memchr_iter(b'\n', piece).count() as u64;
        bytes += piece.len() as u64;
    }
    let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Summary { bytes, lines, hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_of_nothing_is_the_one_of_fips_180() {
        let summary = summarize(&mut io::empty()).unwrap();
        assert_eq!(summary.hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!((summary.bytes, summary.lines), (0, 0));
    }

    #[test]
    fn counts_lines_and_bytes_across_reads() {
        let text = "one\ntwo\nrest".repeat(50_000);
        let summary = summarize(&mut text.as_bytes()).unwrap();
        assert_eq!((summary.bytes, summary.lines), (600_000, 100_000));
    }

    #[test]
    fn hash_of_abc_is_the_one_of_fips_180() {
        let summary = summarize(&mut b"abc".as_slice()).unwrap();
        assert_eq!(summary.hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
