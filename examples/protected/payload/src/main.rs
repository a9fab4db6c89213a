//! A program for a protected machine, without an operating system.
//!
//! It has a secret that only ever was in its private memory, and proves to whoever connects to port 5000 that it has
//! it. Its pages are private to begin with; all that the host sees is the pool of the queues.

#![cfg_attr(target_arch = "aarch64", no_std, no_main)]

#[cfg(target_arch = "aarch64")]
mod program;

#[cfg(not(target_arch = "aarch64"))]
fn main() {
    eprintln!("this program runs on bare arm64: build it with --target aarch64-unknown-linux-gnu");
}
