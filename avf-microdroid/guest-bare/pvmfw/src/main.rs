//! The firmware of a protected machine.

#![cfg_attr(target_arch = "aarch64", no_std, no_main)]

#[cfg(target_arch = "aarch64")]
mod program;

#[cfg(not(target_arch = "aarch64"))]
fn main() {
    eprintln!("this program runs on bare arm64: build it with --target aarch64-unknown-linux-gnu");
}
