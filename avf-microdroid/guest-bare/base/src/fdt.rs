//! Reads flattened device trees (Devicetree Specification 0.4, chapter 5).
//!
//! A tree is walked once when it is parsed; after that, what is asked for is there or is not, and nothing can fail.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::arithmetic_side_effects)]

use core::fmt;

/// The longest tree, in bytes.
pub const MAX_SIZE: usize = 2 << 20;

const MAGIC: u32 = 0xd00d_feed;
const HEADER: usize = 40;
const VERSION: u32 = 17;
const MAX_DEPTH: usize = 16;
const MAX_NODES: usize = 4096;
const MAX_NAME: usize = 64;

const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;

/// Why a tree is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FdtError {
    /// In bytes from the start of the tree, or of the block that the reason names.
    pub position: usize,
    /// A clause without a full stop.
    pub reason: &'static str,
}

impl fmt::Display for FdtError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "device tree: {} (at byte {})", self.reason, self.position)
    }
}

impl core::error::Error for FdtError {}

fn fault<T>(position: usize, reason: &'static str) -> Result<T, FdtError> {
    Err(FdtError { position, reason })
}

/// A device tree whose structure is sound.
#[derive(Clone, Copy, Debug)]
pub struct Fdt<'a> {
    structure: &'a [u8],
    strings: &'a [u8],
}

impl<'a> Fdt<'a> {
    /// The length that a header announces, if it is one of a tree of a length that is read.
    pub fn announced_size(header: &[u8]) -> Result<usize, FdtError> {
        if word(header, 0) != Some(MAGIC) {
            return fault(0, "the magic is missing");
        }
        match word(header, 4).and_then(|size| usize::try_from(size).ok()) {
            Some(size @ HEADER..=MAX_SIZE) => Ok(size),
            _ => fault(4, "the size must be at least that of the header and at most 2 MiB"),
        }
    }

    /// Reads a tree that begins with the first byte; more may follow it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FdtError> {
        let size = Self::announced_size(bytes)?;
        let Some(bytes) = bytes.get(..size) else { return fault(4, "the tree is cut off") };
        let field = |at: usize| word(bytes, at).and_then(|value| usize::try_from(value).ok()).unwrap_or(usize::MAX);
        let last_compatible = word(bytes, 24).unwrap_or(u32::MAX);
        if field(20) < 16 || last_compatible > VERSION {
            return fault(20, "the version is not 17 or one like it");
        }
        let block = |offset: usize, size: usize| offset.checked_add(size).and_then(|end| bytes.get(offset..end));
        let Some(structure) = block(field(8), field(36)) else {
            return fault(8, "the structure is outside of the tree");
        };
        let Some(strings) = block(field(12), field(32)) else {
            return fault(12, "the strings are outside of the tree");
        };
        if field(8) % 4 != 0 {
            return fault(8, "the structure is not aligned");
        }
        let tree = Self { structure, strings };
        tree.check()?;
        Ok(tree)
    }

    /// Walks over everything once, so that nobody has to be careful later.
    fn check(&self) -> Result<(), FdtError> {
        let mut at = 0;
        let mut depth = 0_usize;
        let mut nodes = 0_usize;
        // Properties stand before the children of their node.
        let mut may_have_properties = false;
        loop {
            let start = at;
            let Some(token) = self.token(&mut at) else { return fault(start, "a token of the structure is cut off") };
            match token {
                Token::Begin(name) => {
                    depth = depth.saturating_add(1);
                    nodes = nodes.saturating_add(1);
                    if depth > MAX_DEPTH || nodes > MAX_NODES {
                        return fault(start, "there are too many nodes, or they stand too deep in one another");
                    }
                    if (depth == 1) != (nodes == 1) || name.is_empty() != (depth == 1) {
                        return fault(start, "there must be one root, and every other node needs a name");
                    }
                    may_have_properties = true;
                }
                Token::Property(..) if may_have_properties => {}
                Token::Property(..) => return fault(start, "a property follows a child of its node"),
                Token::EndNode if depth > 0 => {
                    depth = depth.saturating_sub(1);
                    may_have_properties = false;
                }
                Token::End if depth == 0 && nodes > 0 => return Ok(()),
                Token::Nop => {}
                Token::EndNode | Token::End => return fault(start, "a node ends that did not begin, or does not end"),
            }
        }
    }

    /// The next token; nothing where it is cut off or no token, or has a name that is none.
    fn token(&self, at: &mut usize) -> Option<Token<'a>> {
        let kind = word(self.structure, *at)?;
        *at = at.checked_add(4)?;
        Some(match kind {
            BEGIN_NODE => {
                let name = text(self.structure.get(*at..)?)?;
                *at = at.checked_add(name.len())?.checked_add(1)?.checked_next_multiple_of(4)?;
                Token::Begin(name)
            }
            END_NODE => Token::EndNode,
            PROPERTY => {
                let length = usize::try_from(word(self.structure, *at)?).ok()?;
                let name = usize::try_from(word(self.structure, at.checked_add(4)?)?).ok()?;
                let name = text(self.strings.get(name..)?)?;
                let start = at.checked_add(8)?;
                let end = start.checked_add(length)?;
                let value = self.structure.get(start..end)?;
                *at = end.checked_next_multiple_of(4)?;
                if name.is_empty() {
                    return None;
                }
                Token::Property(name, value)
            }
            NOP => Token::Nop,
            END => Token::End,
            _ => return None,
        })
    }

    /// The root.
    pub fn root(&self) -> Node<'a> {
        let mut nodes = self.nodes_from(0);
        // A tree has a root, or it would have been refused.
        nodes.next().unwrap_or(Node { tree: *self, name: "", body: self.structure.len() })
    }

    /// The node of a path such as `/chosen`. A name without an address finds the first of that name.
    pub fn node(&self, path: &str) -> Option<Node<'a>> {
        path.split('/').filter(|step| !step.is_empty()).try_fold(self.root(), |node, step| node.child(step))
    }

    /// All nodes, in their order.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        self.nodes_from(0)
    }

    /// The nodes that are compatible with this.
    pub fn compatible(&self, name: &str) -> impl Iterator<Item = Node<'a>> {
        self.nodes().filter(move |node| node.is_compatible(name))
    }

    fn nodes_from(&self, start: usize) -> Nodes<'a> {
        Nodes { tree: *self, at: start }
    }
}

enum Token<'a> {
    Begin(&'a str),
    Property(&'a str, &'a [u8]),
    EndNode,
    Nop,
    End,
}

struct Nodes<'a> {
    tree: Fdt<'a>,
    at: usize,
}

impl<'a> Iterator for Nodes<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        loop {
            match self.tree.token(&mut self.at)? {
                Token::Begin(name) => return Some(Node { tree: self.tree, name, body: self.at }),
                Token::End => return None,
                _ => {}
            }
        }
    }
}

/// A node of a tree.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    tree: Fdt<'a>,
    name: &'a str,
    body: usize,
}

impl<'a> Node<'a> {
    /// The name with its address, as `memory@80000000`; empty for the root.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Names and values of the properties.
    pub fn properties(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let tree = self.tree;
        let mut at = self.body;
        core::iter::from_fn(move || {
            loop {
                match tree.token(&mut at)? {
                    Token::Property(name, value) => return Some((name, value)),
                    Token::Nop => {}
                    _ => return None,
                }
            }
        })
    }

    /// The value of a property.
    pub fn property(&self, name: &str) -> Option<&'a [u8]> {
        self.properties().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The children, in their order.
    pub fn children(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let tree = self.tree;
        let mut at = self.body;
        let mut depth = 0_usize;
        core::iter::from_fn(move || {
            loop {
                match tree.token(&mut at)? {
                    Token::Begin(name) => {
                        depth = depth.saturating_add(1);
                        if depth == 1 {
                            return Some(Node { tree, name, body: at });
                        }
                    }
                    Token::EndNode => depth = depth.checked_sub(1)?,
                    Token::End => return None,
                    Token::Property(..) | Token::Nop => {}
                }
            }
        })
    }

    /// The first child of this name; a name without an address fits any address.
    pub fn child(&self, name: &str) -> Option<Node<'a>> {
        self.children()
            .find(|node| node.name == name || (!name.contains('@') && node.name.split('@').next() == Some(name)))
    }

    /// A property of one cell.
    pub fn u32(&self, name: &str) -> Option<u32> {
        self.property(name)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// A property of one cell or two.
    pub fn number(&self, name: &str) -> Option<u64> {
        let value = self.property(name)?;
        match value.len() {
            4 => self.u32(name).map(u64::from),
            8 => value.try_into().ok().map(u64::from_be_bytes),
            _ => None,
        }
    }

    /// The cells of a property; nothing if it has not whole ones.
    pub fn cells(&self, name: &str) -> Option<impl Iterator<Item = u32> + use<'a>> {
        let cells = self.property(name)?.chunks_exact(4);
        let cell = |bytes: &[u8]| bytes.try_into().map(u32::from_be_bytes).unwrap_or_default();
        cells.remainder().is_empty().then_some(cells.map(cell))
    }

    /// An address and a size of two cells each, counted from 0.
    pub fn reg(&self, index: usize) -> Option<(u64, u64)> {
        let mut cells = self.cells("reg")?.skip(index.checked_mul(4)?);
        let mut pair = || Some(u64::from(cells.next()?) << 32 | u64::from(cells.next()?));
        Some((pair()?, pair()?))
    }

    /// A property that is one text.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let (last, text) = self.property(name)?.split_last()?;
        if *last != 0 || text.contains(&0) { None } else { core::str::from_utf8(text).ok() }
    }

    /// Whether `compatible` holds this name.
    pub fn is_compatible(&self, name: &str) -> bool {
        let list = self.property("compatible").unwrap_or_default();
        list.split(|byte| *byte == 0).any(|found| found == name.as_bytes())
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let (word, _) = bytes.get(at..)?.split_first_chunk::<4>()?;
    Some(u32::from_be_bytes(*word))
}

/// The printable text up to a NUL.
fn text(bytes: &[u8]) -> Option<&str> {
    let bounded = bytes.get(..=MAX_NAME).unwrap_or(bytes);
    let length = bounded.iter().position(|byte| *byte == 0)?;
    let text = bounded.get(..length)?;
    if text.iter().all(u8::is_ascii_graphic) { core::str::from_utf8(text).ok() } else { None }
}
