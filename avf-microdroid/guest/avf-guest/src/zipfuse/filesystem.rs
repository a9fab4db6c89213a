//! Answers the kernel's requests about one zip. Knows messages, not descriptors.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libc::c_int;

use super::abi::{self, ANSWER_HEADER_BYTES, Attributes, Request, flag, op};
use super::tree::{Child, Kind, NodeId, ROOT, Tree};
use super::zip::{Error, Method, Zip};
use crate::console::say;
use avf_formats::ReadAt;

/// Longest answer to a read.
pub const MAX_READ: u32 = 1 << 20;
/// Nothing is written, but the kernel wants room for it.
pub const MAX_WRITE: u32 = 8 << 10;

/// Nothing ever changes; a hundred years, as the kernel adds it to its clock.
const FOR_EVER_SECONDS: u64 = 100 * 365 * 24 * 60 * 60;

const MAX_BACKGROUND: u16 = 64;
const ENTRY_OUT_BYTES: usize = 128;
const DIRENT_BYTES: usize = 24;

/// Who owns every file, and what open compressed files may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub gid: u32,
    /// Bytes of all compressed entries that are open at one time.
    pub inflated: u64,
}

#[derive(Clone)]
enum Content {
    /// Where it starts in the zip.
    Stored(u64),
    Inflated(Arc<Vec<u8>>),
}

struct Open {
    content: Content,
    users: u64,
}

/// A zip as files and folders. Thread-safe: any number of requests may be answered at the same time.
pub struct FileSystem<R> {
    zip: Zip<R>,
    tree: Tree,
    limits: Limits,
    open: Mutex<HashMap<NodeId, Open>>,
    /// Held while an entry is inflated, so that the memory for that is bounded too.
    inflating: Mutex<()>,
}

type Answer = Result<(), c_int>;

/// A lock of data that a panic elsewhere cannot have left half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R: ReadAt> FileSystem<R> {
    pub fn new(zip: Zip<R>, tree: Tree, limits: Limits) -> Self {
        Self { zip, tree, limits, open: Mutex::default(), inflating: Mutex::default() }
    }

    /// Writes the answer to a request into `out`, or nothing where none is expected or the message is none.
    pub fn answer(&self, message: &[u8], out: &mut Vec<u8>) {
        out.clear();
        let Some(request) = Request::parse(message) else { return };
        out.resize(ANSWER_HEADER_BYTES, 0);
        let result = match request.operation {
            op::FORGET | op::BATCH_FORGET | op::INTERRUPT => {
                out.clear();
                return;
            }
            op::INIT => init(request.body, out),
            op::LOOKUP => self.lookup(&request, out),
            op::GETATTR => self.get_attributes(&request, out),
            op::OPEN => self.open(&request, out),
            op::READ => self.read(&request, out),
            op::RELEASE => self.release(&request),
            op::OPENDIR => self.open_folder(&request, out),
            op::READDIR => self.read_folder(&request, out, false),
            op::READDIRPLUS => self.read_folder(&request, out, true),
            op::STATFS => self.statistics(out),
            op::RELEASEDIR | op::FLUSH | op::DESTROY => Ok(()),
            _ => Err(libc::ENOSYS),
        };
        let errno = result.err().unwrap_or(0);
        if errno != 0 {
            out.truncate(ANSWER_HEADER_BYTES);
        }
        let length = out.len() as u32;
        out[..4].copy_from_slice(&length.to_ne_bytes());
        out[4..8].copy_from_slice(&(-errno).to_ne_bytes());
        out[8..16].copy_from_slice(&request.unique.to_ne_bytes());
    }

    fn node(&self, request: &Request<'_>) -> Result<NodeId, c_int> {
        let id = usize::try_from(request.node).ok().and_then(|node| node.checked_sub(1));
        id.filter(|&id| id < self.tree.len()).ok_or(libc::ENOENT)
    }

    fn attributes(&self, id: NodeId) -> Result<Attributes, c_int> {
        let node = self.tree.get(id).ok_or(libc::ENOENT)?;
        let (kind, size, links) = match node.kind {
            Kind::Folder(_) => (libc::S_IFDIR, 0, 2),
            Kind::File(entry) => (libc::S_IFREG, self.zip.entries[entry].size, 1),
        };
        let number = id as u64 + 1;
        Ok(Attributes { node: number, size, mode: kind | node.mode, links, uid: 0, gid: self.limits.gid })
    }

    fn lookup(&self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let name = request.body.split(|&byte| byte == 0).next().unwrap_or_default();
        match self.tree.child(self.node(request)?, name) {
            Some(child) => self.put_entry(child, out),
            // An entry without a node: the kernel keeps in mind that there is none.
            None => {
                put_entry_header(0, out);
                out.resize(ANSWER_HEADER_BYTES + ENTRY_OUT_BYTES, 0);
                Ok(())
            }
        }
    }

    fn put_entry(&self, id: NodeId, out: &mut Vec<u8>) -> Answer {
        let attributes = self.attributes(id)?;
        put_entry_header(attributes.node, out);
        attributes.put(out);
        Ok(())
    }

    fn get_attributes(&self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let attributes = self.attributes(self.node(request)?)?;
        put_u64(out, &[FOR_EVER_SECONDS, 0]);
        attributes.put(out);
        Ok(())
    }

    fn open(&self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let flags = abi::u32_at(request.body, 0).ok_or(libc::EINVAL)? as c_int;
        if flags & libc::O_ACCMODE != libc::O_RDONLY {
            return Err(libc::EROFS);
        }
        let id = self.node(request)?;
        let Some(Kind::File(entry)) = self.tree.get(id).map(|node| &node.kind) else { return Err(libc::EISDIR) };
        if !self.open_again(id) {
            let _one = lock(&self.inflating);
            // Somebody may have opened it meanwhile.
            if !self.open_again(id) {
                let content = self.content(*entry)?;
                match lock(&self.open).entry(id) {
                    Slot::Occupied(mut slot) => slot.get_mut().users += 1,
                    Slot::Vacant(slot) => drop(slot.insert(Open { content, users: 1 })),
                }
            }
        }
        put_u64(out, &[request.node]);
        put_u32(out, &[abi::OPEN_KEEP_CACHE, 0]);
        Ok(())
    }

    fn open_again(&self, id: NodeId) -> bool {
        lock(&self.open).get_mut(&id).map(|open| open.users += 1).is_some()
    }

    fn content(&self, index: usize) -> Result<Content, c_int> {
        let entry = &self.zip.entries[index];
        let told = |error: Error| {
            say(format_args!("cannot open {:?} of the package: {error}", String::from_utf8_lossy(&entry.name)));
            libc::EIO
        };
        if entry.method == Method::Stored {
            return self.zip.locate(entry).map(Content::Stored).map_err(told);
        }
        let held: u64 = lock(&self.open).values().map(Open::held).sum();
        if held.saturating_add(entry.size) > self.limits.inflated {
            return Err(libc::ENOMEM);
        }
        self.zip.inflate(entry).map(|content| Content::Inflated(Arc::new(content))).map_err(told)
    }

    fn read(&self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let offset = abi::u64_at(request.body, 8).ok_or(libc::EINVAL)?;
        let count = abi::u32_at(request.body, 16).ok_or(libc::EINVAL)?.min(MAX_READ);
        let id = self.node(request)?;
        let Some(Kind::File(entry)) = self.tree.get(id).map(|node| &node.kind) else { return Err(libc::EISDIR) };
        let size = self.zip.entries[*entry].size;
        let range = offset.min(size)..offset.saturating_add(count.into()).min(size);
        let content = lock(&self.open).get(&id).map(|open| open.content.clone()).ok_or(libc::EBADF)?;
        match content {
            Content::Inflated(bytes) => out.extend(&bytes[range.start as usize..range.end as usize]),
            Content::Stored(start) => {
                out.resize(ANSWER_HEADER_BYTES + (range.end - range.start) as usize, 0);
                let buffer = &mut out[ANSWER_HEADER_BYTES..];
                self.zip.read_stored(start, range, buffer).map_err(|_| libc::EIO)?;
            }
        }
        Ok(())
    }

    fn release(&self, request: &Request<'_>) -> Answer {
        let id = self.node(request)?;
        if let Slot::Occupied(mut slot) = lock(&self.open).entry(id) {
            slot.get_mut().users -= 1;
            if slot.get().users == 0 {
                slot.remove();
            }
        }
        Ok(())
    }

    fn folder(&self, request: &Request<'_>) -> Result<(NodeId, &[Child]), c_int> {
        let id = self.node(request)?;
        match self.tree.get(id).map(|node| &node.kind) {
            Some(Kind::Folder(children)) => Ok((id, children)),
            _ => Err(libc::ENOTDIR),
        }
    }

    fn open_folder(&self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        self.folder(request)?;
        put_u64(out, &[0]);
        put_u32(out, &[abi::OPEN_KEEP_CACHE | abi::OPEN_CACHE_DIR, 0]);
        Ok(())
    }

    /// `.` and `..`, which are not looked up, then the children; an offset is the count of names before it.
    fn read_folder(&self, request: &Request<'_>, out: &mut Vec<u8>, plus: bool) -> Answer {
        let offset = abi::u64_at(request.body, 8).ok_or(libc::EINVAL)?;
        let limit = ANSWER_HEADER_BYTES + abi::u32_at(request.body, 16).ok_or(libc::EINVAL)?.min(MAX_READ) as usize;
        let (id, children) = self.folder(request)?;
        let parent = self.tree.get(id).map_or(ROOT, |node| node.parent);
        let dots = [(&b"."[..], id, false), (&b".."[..], parent, false)];
        let names = dots.into_iter().chain(children.iter().map(|(name, child)| (&**name, *child, true)));
        for (index, (name, node, looked_up)) in names.enumerate().skip(offset.try_into().unwrap_or(usize::MAX)) {
            let size = (DIRENT_BYTES + name.len()).next_multiple_of(8) + if plus { ENTRY_OUT_BYTES } else { 0 };
            if out.len() + size > limit {
                break;
            }
            let end = out.len() + size;
            if plus && looked_up {
                self.put_entry(node, out)?;
            } else if plus {
                out.resize(out.len() + ENTRY_OUT_BYTES, 0);
            }
            put_u64(out, &[node as u64 + 1, index as u64 + 1]);
            put_u32(out, &[name.len() as u32, self.attributes(node)?.mode >> 12]);
            out.extend(name);
            out.resize(end, 0);
        }
        Ok(())
    }

    fn statistics(&self, out: &mut Vec<u8>) -> Answer {
        let bytes: u64 = self.zip.entries.iter().map(|entry| entry.size).fold(0, u64::saturating_add);
        put_u64(out, &[bytes.div_ceil(4096), 0, 0, self.tree.len() as u64, 0]);
        put_u32(out, &[4096, 255, 4096, 0, 0, 0, 0, 0, 0, 0]);
        Ok(())
    }
}

impl Open {
    fn held(&self) -> u64 {
        match &self.content {
            Content::Stored(_) => 0,
            Content::Inflated(bytes) => bytes.len() as u64,
        }
    }
}

fn init(body: &[u8], out: &mut Vec<u8>) -> Answer {
    let field = |at| abi::u32_at(body, at).ok_or(libc::EINVAL);
    let (major, minor, readahead, flags) = (field(0)?, field(4)?, field(8)?, field(12)?);
    // An older kernel would not know the answers' layout, and a newer major asks again with the answer's.
    if major < abi::MAJOR || (major == abi::MAJOR && minor < abi::MINOR) {
        return Err(libc::EPROTO);
    }
    let wanted = flag::ASYNC_READ
        | flag::DO_READDIRPLUS
        | flag::READDIRPLUS_AUTO
        | flag::PARALLEL_DIROPS
        | flag::MAX_PAGES
        | flag::CACHE_SYMLINKS;
    put_u32(out, &[abi::MAJOR, abi::MINOR, readahead.min(MAX_READ), wanted & flags]);
    put_u16(out, &[MAX_BACKGROUND, MAX_BACKGROUND / 4 * 3]);
    put_u32(out, &[MAX_WRITE, 1]);
    put_u16(out, &[(MAX_READ / 4096) as u16, 0]);
    put_u32(out, &[0; 8]);
    Ok(())
}

fn put_entry_header(node: u64, out: &mut Vec<u8>) {
    put_u64(out, &[node, 0, FOR_EVER_SECONDS, FOR_EVER_SECONDS, 0]);
}

fn put_u64(out: &mut Vec<u8>, fields: &[u64]) {
    fields.iter().for_each(|field| out.extend(field.to_ne_bytes()));
}

fn put_u32(out: &mut Vec<u8>, fields: &[u32]) {
    fields.iter().for_each(|field| out.extend(field.to_ne_bytes()));
}

fn put_u16(out: &mut Vec<u8>, fields: &[u16]) {
    fields.iter().for_each(|field| out.extend(field.to_ne_bytes()));
}
