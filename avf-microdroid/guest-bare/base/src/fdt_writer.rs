//! Writes flattened device trees, node after node.

use alloc::vec::Vec;

const MAGIC: u32 = 0xd00d_feed;
const HEADER: usize = 40;
/// No reserved memory: it is in nodes.
const RESERVATIONS: usize = 16;
const VERSION: u32 = 17;
const LAST_COMPATIBLE: u32 = 16;

const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const END: u32 = 9;

/// A tree that is being written. The properties of a node come before its children; that each node ends, and where, is
/// up to the caller.
#[derive(Debug, Default)]
pub struct FdtWriter {
    structure: Vec<u8>,
    strings: Vec<u8>,
}

impl FdtWriter {
    /// Begins with nothing, not even a root.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a node, whose children and properties follow; the root has an empty name.
    pub fn begin(&mut self, name: &str) -> &mut Self {
        self.word(BEGIN_NODE);
        self.structure.extend_from_slice(name.as_bytes());
        self.structure.push(0);
        self.pad();
        self
    }

    /// Ends the node that began last.
    pub fn end(&mut self) -> &mut Self {
        self.word(END_NODE);
        self
    }

    /// A property of these bytes.
    pub fn bytes(&mut self, name: &str, value: &[u8]) -> &mut Self {
        let name = self.string(name);
        self.word(PROPERTY);
        self.word(value.len() as u32);
        self.word(name);
        self.structure.extend_from_slice(value);
        self.pad();
        self
    }

    /// A property that is only there.
    pub fn empty(&mut self, name: &str) -> &mut Self {
        self.bytes(name, &[])
    }

    /// A property of cells.
    pub fn cells(&mut self, name: &str, cells: &[u32]) -> &mut Self {
        let value: Vec<u8> = cells.iter().flat_map(|cell| cell.to_be_bytes()).collect();
        self.bytes(name, &value)
    }

    /// A property of numbers of two cells each.
    pub fn numbers(&mut self, name: &str, numbers: &[u64]) -> &mut Self {
        let value: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        self.bytes(name, &value)
    }

    /// A property of texts, each ended by a NUL.
    pub fn texts(&mut self, name: &str, texts: &[&str]) -> &mut Self {
        let value: Vec<u8> = texts.iter().flat_map(|text| text.bytes().chain([0])).collect();
        self.bytes(name, &value)
    }

    /// The tree.
    pub fn finish(mut self) -> Vec<u8> {
        self.word(END);
        let structure_at = HEADER + RESERVATIONS;
        let strings_at = structure_at + self.structure.len();
        let size = strings_at + self.strings.len();
        let header = [
            MAGIC,
            size as u32,
            structure_at as u32,
            strings_at as u32,
            HEADER as u32,
            VERSION,
            LAST_COMPATIBLE,
            0,
            self.strings.len() as u32,
            self.structure.len() as u32,
        ];
        let mut tree = Vec::with_capacity(size);
        tree.extend(header.iter().flat_map(|word| word.to_be_bytes()));
        tree.extend_from_slice(&[0; RESERVATIONS]);
        tree.extend_from_slice(&self.structure);
        tree.extend_from_slice(&self.strings);
        tree
    }

    fn word(&mut self, word: u32) {
        self.structure.extend_from_slice(&word.to_be_bytes());
    }

    fn pad(&mut self) {
        self.structure.resize(self.structure.len().next_multiple_of(4), 0);
    }

    /// Where the name of a property stands, which many have in common.
    fn string(&mut self, name: &str) -> u32 {
        let mut at = 0;
        for known in self.strings.split(|byte| *byte == 0) {
            if known == name.as_bytes() && at < self.strings.len() {
                return at as u32;
            }
            at += known.len() + 1;
        }
        let at = self.strings.len();
        self.strings.extend(name.bytes().chain([0]));
        at as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fdt::Fdt;

    #[test]
    fn a_tree_is_read_as_it_was_written() {
        let mut writer = FdtWriter::new();
        writer.begin("").cells("#address-cells", &[2]).texts("compatible", &["a", "bc"]);
        writer.begin("child@1").numbers("reg", &[0x8000_0000, 0x1000]).empty("compatible").end();
        writer.begin("other").bytes("reg", &[1, 2, 3]).end();
        writer.end();
        let bytes = writer.finish();
        let tree = Fdt::parse(&bytes).unwrap();
        assert!(tree.root().is_compatible("bc") && tree.root().u32("#address-cells") == Some(2));
        let child = tree.node("/child").unwrap();
        assert_eq!((child.reg(0), child.property("compatible")), (Some((0x8000_0000, 0x1000)), Some(&[][..])));
        assert_eq!(tree.node("/other").unwrap().property("reg"), Some(&[1, 2, 3][..]));
        let strings = bytes.windows(4).filter(|part| part == b"reg\0").count();
        assert_eq!(strings, 1);
    }
}
