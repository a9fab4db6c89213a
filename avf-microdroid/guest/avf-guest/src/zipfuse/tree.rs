//! Files and folders as the names in a zip imply them.
//!
//! Folders that the zip does not list are made up; of two files of one name the first counts. A name that is absolute,
//! or has an empty part, `.`, `..` or NUL, makes the whole zip unusable, and so does a file that is a folder elsewhere.

use std::collections::HashMap;

use super::zip::Entry;

/// As many nodes as 65,534 entries can make in folders of reasonable depth.
const MAX_NODES: usize = 1 << 20;
const MAX_PART_BYTES: usize = 255;
const MAX_DEPTH: usize = 64;

/// Names a node; the root is [`ROOT`]. Always in range of the tree that it came from.
pub type NodeId = usize;

pub const ROOT: NodeId = 0;

/// A name in a folder.
pub type Child = (Box<[u8]>, NodeId);

#[derive(Debug)]
pub enum Kind {
    /// Sorted by name.
    Folder(Vec<Child>),
    /// The entry's index in the zip.
    File(usize),
}

#[derive(Debug)]
pub struct Node {
    pub parent: NodeId,
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
}

#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Node>,
}

struct Builder {
    nodes: Vec<Node>,
    known: HashMap<(NodeId, Box<[u8]>), NodeId>,
    shared: bool,
}

impl Tree {
    /// Makes the tree; with `shared`, the group has the same bits as the owner.
    pub fn build(entries: &[Entry], shared: bool) -> Result<Self, String> {
        let root = Node { parent: ROOT, kind: Kind::Folder(Vec::new()), mode: folder_mode(shared) };
        let mut builder = Builder { nodes: vec![root], known: HashMap::new(), shared };
        for (index, entry) in entries.iter().enumerate() {
            builder
                .add(index, entry)
                .map_err(|why| format!("entry {:?} {why}", String::from_utf8_lossy(&entry.name)))?;
        }
        let Builder { mut nodes, known, .. } = builder;
        for ((parent, name), node) in known {
            if let Kind::Folder(children) = &mut nodes[parent].kind {
                children.push((name, node));
            }
        }
        for node in &mut nodes {
            if let Kind::Folder(children) = &mut node.kind {
                children.sort_unstable();
            }
        }
        Ok(Self { nodes })
    }

    pub fn get(&self, node: NodeId) -> Option<&Node> {
        self.nodes.get(node)
    }

    /// The child of that name, if `parent` is a folder with such a child.
    pub fn child(&self, parent: NodeId, name: &[u8]) -> Option<NodeId> {
        let Kind::Folder(children) = &self.get(parent)?.kind else { return None };
        let index = children.binary_search_by(|(other, _)| (**other).cmp(name)).ok()?;
        Some(children[index].1)
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        false
    }
}

impl Builder {
    fn add(&mut self, index: usize, entry: &Entry) -> Result<(), String> {
        let is_folder = entry.name.ends_with(b"/");
        let path = entry.name.strip_suffix(b"/").unwrap_or(&entry.name);
        let parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
        if parts.len() > MAX_DEPTH {
            return Err(format!("must have at most {MAX_DEPTH} parts but has {}", parts.len()));
        }
        for part in &parts {
            if part.is_empty() || matches!(*part, b"." | b"..") || part.contains(&0) || part.len() > MAX_PART_BYTES {
                return Err("must be a relative path of plain names, each of at most 255 bytes".into());
            }
        }
        let (last, folders) = parts.split_last().expect("splitting gives one part or more");
        let mut parent = ROOT;
        for part in folders {
            parent = self.folder(parent, part)?;
        }
        if is_folder {
            let folder = self.folder(parent, last)?;
            if let Some(permissions) = entry.permissions {
                self.nodes[folder].mode = shared(permissions & 0o555, self.shared);
            }
            return Ok(());
        }
        if let Some(&known) = self.known.get(&(parent, (*last).into())) {
            return match self.nodes[known].kind {
                Kind::File(_) => Ok(()),
                Kind::Folder(_) => Err("is a file and a folder".into()),
            };
        }
        let in_bin = folders.first() == Some(&&b"bin"[..]);
        // Nobody writes: the file system is read-only.
        let mode = entry.permissions.unwrap_or(if in_bin { 0o500 } else { 0o400 }) & 0o555;
        let node = Node { parent, kind: Kind::File(index), mode: shared(mode, self.shared) };
        self.push(parent, last, node).map(drop)
    }

    fn folder(&mut self, parent: NodeId, name: &[u8]) -> Result<NodeId, String> {
        match self.known.get(&(parent, name.into())) {
            Some(&known) if matches!(self.nodes[known].kind, Kind::Folder(_)) => Ok(known),
            Some(_) => Err("is below a file".into()),
            None => {
                let node = Node { parent, kind: Kind::Folder(Vec::new()), mode: folder_mode(self.shared) };
                self.push(parent, name, node)
            }
        }
    }

    fn push(&mut self, parent: NodeId, name: &[u8], node: Node) -> Result<NodeId, String> {
        if self.nodes.len() >= MAX_NODES {
            return Err(format!("is beyond {MAX_NODES} files and folders"));
        }
        let id = self.nodes.len();
        self.nodes.push(node);
        self.known.insert((parent, name.into()), id);
        Ok(id)
    }
}

fn folder_mode(is_shared: bool) -> u32 {
    shared(0o500, is_shared)
}

fn shared(mode: u32, is_shared: bool) -> u32 {
    if is_shared { mode | (mode & 0o700) >> 3 } else { mode }
}
