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
//!
//! The host has the same rules in Java; what one of the two takes or refuses, so does the other.

#![forbid(unsafe_code)]

pub mod apex;
pub mod apk;
pub mod avb;
mod der;
mod error;
mod fields;
mod hash;
pub mod idsig;
pub mod manifest;
pub mod merkle;
pub mod metadata;
mod protobuf;
mod signature;
mod source;
pub mod zip;

pub use error::{Error, Kind, Refusal, Result};
pub use hash::{Digest, Hash};
pub use source::{FileSource, Joined, ReadAt, Window};
