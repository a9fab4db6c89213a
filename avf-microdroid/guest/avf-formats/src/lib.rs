//! The formats that the guest reads and writes.
//!
//! Every parser here takes bytes that a host or an app made and that may be hostile: it is bounded, never panics, and
//! refuses with an error that says where and why. Nothing here opens a file; the caller lends bytes or something that
//! can be read at an offset.
//!
//! | module | knows |
//! |---|---|
//! | [`zip`] | the archive around APK and APEX, read so strictly that no two readers see different files |
//! | [`apk`] | APK signatures (v3, v3.1) and the digest of the content |
//! | [`manifest`] | package and version in Android's binary XML |
//! | [`idsig`] | the v4 signature file: root hash and tree of an APK |
//! | [`merkle`] | the trees of fs-verity and dm-verity |
//! | [`metadata`] | the first partition of a payload disk |
//! | [`avb`] | AVB footer, vbmeta, descriptors |
//! | [`apex`] | APEX: manifest, key, payload |
//! | [`cbor`] | CBOR in its deterministic form |
//! | [`dice`] | secrets, keys and certificates of a DICE layer, and what the payload's layer is made of |
//! | [`handover`] | what one DICE layer hands the next |
//! | [`instance`] | instance.img and the manager's sealed record in it |
//! | [`secret`] | bytes that are wiped and never printed |
//! | [`secretkeeper`] | a session with the keeper of secrets, and who may have them |
//! | [`secrets`] | the VM's secret, payload secrets, the encrypted store's key |
//! | [`attestation`] | the request of a VM to have a payload's key certified |
//! | [`wire`] | what a payload asks the manager |
//!
//! The host has the same rules in Java; what one of the two takes or refuses, so does the other.
//!
//! Without the feature `std`, which is on by default, there are only the modules that firmware needs, and a heap is all
//! that they want: [`avb`], [`cbor`], [`dice`], [`handover`], [`secret`].

#![forbid(unsafe_code)]
#![cfg_attr(not(feature = "std"), no_std)]
// What is shared with modules that are left out.
#![cfg_attr(not(feature = "std"), allow(dead_code))]

extern crate alloc;

#[cfg(feature = "std")]
pub mod apex;
#[cfg(feature = "std")]
pub mod apk;
#[cfg(feature = "std")]
pub mod attestation;
pub mod avb;
pub mod cbor;
#[cfg(feature = "std")]
mod der;
pub mod dice;
mod error;
mod fields;
pub mod handover;
mod hash;
#[cfg(feature = "std")]
pub mod idsig;
#[cfg(feature = "std")]
pub mod instance;
pub mod io;
mod kdf;
#[cfg(feature = "std")]
pub mod manifest;
#[cfg(feature = "std")]
pub mod merkle;
#[cfg(feature = "std")]
pub mod metadata;
#[cfg(feature = "std")]
mod protobuf;
pub mod secret;
#[cfg(feature = "std")]
pub mod secretkeeper;
#[cfg(feature = "std")]
pub mod secrets;
mod signature;
mod source;
#[cfg(feature = "std")]
mod spki;
#[cfg(feature = "std")]
pub mod wire;
#[cfg(feature = "std")]
pub mod zip;

pub use error::{Error, Kind, Refusal, Result};
pub use hash::{Digest, Hash};
#[cfg(feature = "std")]
pub use source::FileSource;
pub use source::{Joined, ReadAt, Window};
