//! The messages of `/dev/fuse` (linux/fuse.h, protocol 7.31), as far as a read-only file system needs them.
//!
//! All integers are in the processor's own byte order. A request is a header of 40 bytes and the fields of its
//! operation; an answer is a header of 16 bytes and the fields, or an errno.

pub const MAJOR: u32 = 7;
pub const MINOR: u32 = 31;

pub const REQUEST_HEADER_BYTES: usize = 40;
pub const ANSWER_HEADER_BYTES: usize = 16;

/// Operations (`enum fuse_opcode`).
pub mod op {
    pub const LOOKUP: u32 = 1;
    pub const FORGET: u32 = 2;
    pub const GETATTR: u32 = 3;
    pub const OPEN: u32 = 14;
    pub const READ: u32 = 15;
    pub const STATFS: u32 = 17;
    pub const RELEASE: u32 = 18;
    pub const FLUSH: u32 = 25;
    pub const INIT: u32 = 26;
    pub const OPENDIR: u32 = 27;
    pub const READDIR: u32 = 28;
    pub const RELEASEDIR: u32 = 29;
    pub const INTERRUPT: u32 = 36;
    pub const DESTROY: u32 = 38;
    pub const BATCH_FORGET: u32 = 42;
    pub const READDIRPLUS: u32 = 44;
}

/// Capabilities in INIT.
pub mod flag {
    pub const ASYNC_READ: u32 = 1 << 0;
    pub const DO_READDIRPLUS: u32 = 1 << 13;
    pub const READDIRPLUS_AUTO: u32 = 1 << 14;
    pub const PARALLEL_DIROPS: u32 = 1 << 18;
    pub const MAX_PAGES: u32 = 1 << 22;
    pub const CACHE_SYMLINKS: u32 = 1 << 23;
}

/// The kernel keeps the pages of a file when it is opened again (`FOPEN_KEEP_CACHE`).
pub const OPEN_KEEP_CACHE: u32 = 1 << 1;
/// The kernel keeps a folder's list (`FOPEN_CACHE_DIR`).
pub const OPEN_CACHE_DIR: u32 = 1 << 3;

/// A request's header.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub operation: u32,
    pub unique: u64,
    pub node: u64,
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Takes a message apart; none if it has not the length that it says.
    pub fn parse(message: &'a [u8]) -> Option<Self> {
        let (header, body) = message.split_at_checked(REQUEST_HEADER_BYTES)?;
        if u32_at(header, 0)? as usize != message.len() {
            return None;
        }
        Some(Self { operation: u32_at(header, 4)?, unique: u64_at(header, 8)?, node: u64_at(header, 16)?, body })
    }
}

pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// `struct fuse_attr`, 88 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Attributes {
    pub node: u64,
    pub size: u64,
    /// Type and permissions.
    pub mode: u32,
    pub links: u32,
    pub uid: u32,
    pub gid: u32,
}

impl Attributes {
    pub fn put(&self, out: &mut Vec<u8>) {
        for field in [self.node, self.size, self.size.div_ceil(512), 0, 0, 0] {
            out.extend(field.to_ne_bytes());
        }
        for field in [0, 0, 0, self.mode, self.links, self.uid, self.gid, 0, 4096, 0] {
            out.extend(field.to_ne_bytes());
        }
    }
}
