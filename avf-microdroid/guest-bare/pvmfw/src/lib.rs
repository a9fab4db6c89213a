//! The firmware of a protected machine, as Android's pvmfw is: what it decides, without the machine.
//!
//! It stands between a host that nobody trusts and a guest: it verifies kernel and ramdisk, decides about rollback,
//! derives the guest's secrets from its own, and writes the guest's device tree anew. The twin of avf-attestation's
//! package of the same name, with its names and the rules of March 2025; what differs:
//!
//! - There is no instance image. Where nothing else protects against rollback, the salt of the secrets is random, and
//!   the guest is a new instance at every boot, as in the rules of 2026.
//! - The machine is ours: GICv3, two serial ports, a clock, virtio over memory-mapped registers, no PCI.
//! - Of the configuration data, the handover alone is used. Properties of `/avf` need a reference tree, and arrive
//!   nowhere; a debug policy and an overlay for devices have no effect.
//! - One key is trusted, which hosts may replace in the image.
//!
//! | module | knows |
//! |---|---|
//! | [`boot`] | all of it, in order |
//! | [`config`] | the configuration data behind the firmware |
//! | [`payload`] | whether kernel and ramdisk are what their owner signed |
//! | [`rollback`] | who protects against older code |
//! | [`dice`] | what the guest's secrets are made of |
//! | [`host_tree`] | what the host says of the machine |
//! | `trusted_key` | who may sign kernels |
//! | [`guest_tree`] | what the guest is told of it |
#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod boot;
pub mod config;
pub mod dice;
mod error;
pub mod guest_tree;
pub mod host_tree;
pub mod payload;
mod properties;
pub mod rollback;
mod trusted_key;

pub use error::{PvmfwError, RebootReason};
pub use trusted_key::TRUSTED_KEY;

/// What the firmware decides with.
pub type Result<T> = core::result::Result<T, PvmfwError>;
