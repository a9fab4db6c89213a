//! A program for tests of protected machines that does what programs should not, as `avf.test=MODE` on the command line
//! says. It writes what came of it to the console and switches the machine off.
//!
//! | mode | what it does |
//! |---|---|
//! | `never-share` | starts a vsock device with queues in memory that it never shares |
//! | `private-descriptor` | shares the rings, but not the buffers that descriptors point to |
//! | `unshare-in-flight` | accepts a connection on port 5000, takes all memory back, and then sends |
//! | `share-twice` | shares a page that is shared already |
//! | `store-and-off` | writes to all memory that is its own |
//! | `spin` | computes for ever |
//! | `panic`, `fault` | fails |
//! | `echo` | serves port 5000 as it should |

#![cfg_attr(target_arch = "aarch64", no_std, no_main)]

#[cfg(target_arch = "aarch64")]
mod program;

#[cfg(not(target_arch = "aarch64"))]
fn main() {
    eprintln!("this program runs on bare arm64: build it with --target aarch64-unknown-linux-gnu");
}
