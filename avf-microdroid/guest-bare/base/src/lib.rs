//! What a program needs to run on a virtual arm64 machine without an operating system.
//!
//! The program is one image that runs wherever it is loaded, as a kernel or as firmware: [`main`] names its entry, and
//! a build script links it by this crate's `image.ld` (`DEP_AVF_BARE_SCRIPT`). Before its first line runs, the image
//! has been relocated, caches and MMU are on, and there are a stack, a heap and a console.
//!
//! | module | knows |
//! |---|---|
//! | [`fdt`] | the device tree that the host gives |
//! | [`fdt_writer`] | a device tree for the next program |
//! | [`paging`] | translation tables |
//! | [`hypervisor`] | the calls of pKVM: what is private, what the host may see |
//! | [`entropy`] | random numbers of the hypervisor |
//! | [`shared`] | memory that the host sees and writes to at any time |
//! | [`virtio`] | virtio over memory-mapped registers, split queues |
//! | [`vsock`] | a listener for one connection at a time |
//!
//! Those are plain code, tested on any machine. The modules for arm64 alone are `arch`, which nothing else names, and
//! `machine`, which puts all of it together.
//!
//! All that the host writes is hostile: it is read once, bounded and checked before it is used. One processor runs, with
//! interrupts masked; nothing here is thread-safe beyond that.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

#[cfg(all(target_arch = "aarch64", not(test)))]
pub mod arch;
pub mod entropy;
pub mod fdt;
pub mod fdt_writer;
pub mod hypervisor;
#[cfg(all(target_arch = "aarch64", not(test)))]
pub mod machine;
pub mod paging;
pub mod shared;
pub mod virtio;
pub mod vsock;
