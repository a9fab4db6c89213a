//! APEX: a zip with a manifest, a public key, and a payload that is a file system with a hash tree and a vbmeta image.
//!
//! [`Apex::open`] checks all but the content of the payload, which dm-verity holds against the root digest when it is
//! read; [`Apex::verify_payload`] does so at once. Nothing says that the key is trusted: it goes into the DICE chain.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

use crate::avb::{self, Descriptor, HashtreeDescriptor, Vbmeta};
use crate::fields::Part;
use crate::merkle::{self, Layout, Parameters};
use crate::protobuf::Message;
use crate::source::{ReadAt, Window};
use crate::zip::{Archive, Entry, Method};
use crate::{Error, Kind, Result};

const MANIFEST: &str = "apex_manifest.pb";
const PUBLIC_KEY: &str = "apex_pubkey";
const PAYLOAD: &str = "apex_payload.img";
const COMPRESSED: &str = "original_apex";
const MAX_MANIFEST: u64 = 1 << 18;
const MAX_KEY: u64 = 1 << 16;
const MAX_NAME: usize = 200;
const PAGE: u64 = 4096;
const PIECE: u64 = 1 << 16;

/// What an APEX says of itself, as far as a guest needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The module, as `com.example.module`: 1..200 letters, digits, `_`, `.` or `-`.
    pub name: String,
    /// 1 or more.
    pub version: i64,
    /// Whether nothing in it may be executed.
    pub no_code: bool,
    /// Whether it is a shared library APEX.
    pub provide_shared_apex_libs: bool,
}

impl Manifest {
    /// Parses `apex_manifest.pb`; fields that are not known are passed over.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut message = Message::new(Part { position: 0, bytes }, Kind::ApexManifest);
        let mut manifest =
            Manifest { name: String::new(), version: 0, no_code: false, provide_shared_apex_libs: false };
        while let Some(field) = message.next()? {
            match field.number {
                1 => manifest.name = field.text()?,
                2 => manifest.version = field.number()? as i64,
                // Hooks, the version for people, libraries: nothing that is used here, but text.
                3..=5 | 7..=10 => drop(field.text()?),
                6 => manifest.no_code = field.flag()?,
                11 => manifest.provide_shared_apex_libs = field.flag()?,
                12 => return Err(compressed("it is the manifest of a compressed APEX: decompress it")),
                13 => drop(field.flag()?),
                _ => {}
            }
        }
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<()> {
        let usual = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let first = self.name.bytes().next().is_some_and(usual);
        let rest = self.name.bytes().all(|byte| usual(byte) || matches!(byte, b'.' | b'-'));
        if !first || !rest || self.name.len() > MAX_NAME {
            return Err(Error::new(
                Kind::ApexManifest,
                format!("the name must have 1..{MAX_NAME} letters, digits, '_', '.' or '-', not {:?}", self.name),
            ));
        }
        if self.version <= 0 {
            return Err(Error::new(
                Kind::ApexManifest,
                format!("the version must be in 1..2^63-1 but was {}", self.version),
            ));
        }
        Ok(())
    }
}

/// The file systems that a payload may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSystem {
    Ext4,
    F2fs,
    Erofs,
}

impl FileSystem {
    /// The name by which Linux mounts it.
    pub fn name(self) -> &'static str {
        match self {
            FileSystem::Ext4 => "ext4",
            FileSystem::F2fs => "f2fs",
            FileSystem::Erofs => "erofs",
        }
    }

    /// Tells the file system of an image by its magic.
    fn of(image: &dyn ReadAt) -> Result<Option<Self>> {
        let known: [(Self, u64, &[u8]); 3] = [
            (FileSystem::Ext4, 1080, &[0x53, 0xef]),
            (FileSystem::F2fs, 1024, &[0x10, 0x20, 0xf5, 0xf2]),
            (FileSystem::Erofs, 1024, &[0xe2, 0xe1, 0xf5, 0xe0]),
        ];
        for (system, offset, magic) in known {
            let fits = image.size() >= offset + magic.len() as u64;
            if fits && image.read_range(offset, magic.len())? == magic {
                return Ok(Some(system));
            }
        }
        Ok(None)
    }
}

/// An APEX whose payload is signed by its key; the content of the payload was not looked at.
pub struct Apex<'a> {
    file: &'a dyn ReadAt,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The bytes of the manifest, which the payload must have, too.
    pub manifest_bytes: Vec<u8>,
    /// The key that signed the payload, in AVB's encoding.
    pub public_key: Vec<u8>,
    /// What the payload is.
    pub file_system: FileSystem,
    /// Where the payload starts in the file; a multiple of 4096.
    pub payload_offset: u64,
    /// The bytes of the payload, with what AVB put behind it.
    pub payload_size: u64,
    /// How to set dm-verity up; offsets are those in the payload.
    pub hashtree: HashtreeDescriptor,
    /// Of the payload's vbmeta image.
    pub rollback_index: u64,
    payload_checksum: u32,
}

impl<'a> Apex<'a> {
    /// Reads zip, manifest, key, and the headers of the payload, and verifies the payload's signature.
    ///
    /// Positions in refusals of the payload's AVB structures are those in the payload.
    pub fn open(file: &'a dyn ReadAt) -> Result<Self> {
        let archive = Archive::open(file)?;
        if archive.find(COMPRESSED).is_some() {
            return Err(compressed("it is a compressed APEX: give the original_apex that is in it"));
        }
        let manifest_bytes = archive.read(require(&archive, MANIFEST)?, MAX_MANIFEST)?;
        let manifest = Manifest::parse(&manifest_bytes)?;
        let public_key = archive.read(require(&archive, PUBLIC_KEY)?, MAX_KEY)?;
        if !avb::is_public_key(&public_key) {
            return Err(Error::new(Kind::ApexPublicKey, "the public key is none that AVB knows"));
        }
        let payload = require(&archive, PAYLOAD)?;
        if payload.method != Method::Stored || payload.data_offset % PAGE != 0 {
            return Err(Error::at(
                Kind::ApexPlace,
                payload.data_offset,
                format!("{PAYLOAD} must be stored uncompressed at a multiple of {PAGE}"),
            ));
        }
        let image = Window::new(file, payload.data_offset, payload.size)?;
        let (_, vbmeta) = Vbmeta::find(&image)?;
        let hashtree = only_tree(vbmeta.descriptors()?)?;
        require_usable(&hashtree, payload.size)?;
        let Some(file_system) = FileSystem::of(&Window::new(&image, 0, hashtree.image_size)?)? else {
            return Err(Error::at(
                Kind::ApexFileSystem,
                payload.data_offset,
                "the payload is no ext4, f2fs or EROFS image",
            ));
        };
        vbmeta.verify()?;
        if vbmeta.public_key() != public_key {
            return Err(Error::new(
                Kind::ApexOtherKey,
                format!("the payload is signed by another key than that in {PUBLIC_KEY}"),
            ));
        }
        if vbmeta.flags != 0 {
            return Err(Error::new(
                Kind::ApexFlags,
                format!("the flags of vbmeta must be 0 but are 0x{:x}", vbmeta.flags),
            ));
        }
        Ok(Apex {
            file,
            manifest,
            manifest_bytes,
            public_key,
            file_system,
            payload_offset: payload.data_offset,
            payload_size: payload.size,
            hashtree,
            rollback_index: vbmeta.rollback_index,
            payload_checksum: payload.crc,
        })
    }

    /// The root of the payload's tree: what the DICE node of a payload is computed from.
    pub fn root_digest(&self) -> &[u8] {
        &self.hashtree.root_digest
    }

    /// How the payload's tree is made.
    pub fn parameters(&self) -> Result<Parameters> {
        self.hashtree.parameters()
    }

    /// The bytes of the payload.
    pub fn payload(&self) -> Result<Window<'a>> {
        Ok(Window::new(self.file, self.payload_offset, self.payload_size)?)
    }

    /// Reads the payload and refuses it unless data, tree and checksum are right.
    pub fn verify_payload(&self) -> Result<()> {
        let image = self.payload()?;
        let data = Window::new(&image, 0, self.hashtree.image_size)?;
        let tree = Window::new(&image, self.hashtree.tree_offset, self.hashtree.tree_size)?;
        merkle::check(&data, &tree, &self.parameters()?, self.root_digest())?;
        let mut crc = flate2::Crc::new();
        let mut at = 0;
        while at < image.size() {
            let piece = image.read_range(at, (image.size() - at).min(PIECE) as usize)?;
            crc.update(&piece);
            at += piece.len() as u64;
        }
        if crc.sum() != self.payload_checksum {
            return Err(Error::new(Kind::ApexChecksum, "the payload has another checksum than the zip says"));
        }
        Ok(())
    }
}

fn require<'b>(archive: &'b Archive<'_>, name: &str) -> Result<&'b Entry> {
    archive.find(name).ok_or_else(|| Error::new(Kind::ApexMissingEntry, format!("there is no {name} in it")))
}

fn only_tree(descriptors: Vec<Descriptor>) -> Result<HashtreeDescriptor> {
    let mut trees = descriptors.into_iter().filter_map(|descriptor| match descriptor {
        Descriptor::Hashtree(tree) => Some(tree),
        _ => None,
    });
    match (trees.next(), trees.next()) {
        (Some(tree), None) => Ok(tree),
        (None, _) => Err(unusable("there is none")),
        (Some(_), Some(_)) => Err(unusable("there is more than one")),
    }
}

fn require_usable(tree: &HashtreeDescriptor, payload_size: u64) -> Result<()> {
    let parameters = tree.parameters()?;
    if u64::from(tree.data_block_size) > PAGE || u64::from(tree.hash_block_size) > PAGE {
        return Err(unusable(format!(
            "blocks of {} and {} bytes are larger than a page of the guest",
            tree.data_block_size, tree.hash_block_size
        )));
    }
    if tree.image_size > payload_size {
        return Err(unusable(format!("the data has {} bytes but the payload {payload_size}", tree.image_size)));
    }
    let expected = Layout::of(&parameters, tree.image_size).size;
    if tree.tree_size != expected {
        return Err(unusable(format!("the tree has {} bytes but must have {expected}", tree.tree_size)));
    }
    let inside = tree.tree_offset.checked_add(expected).is_some_and(|end| end <= payload_size);
    if !inside || tree.tree_offset % u64::from(tree.hash_block_size) != 0 {
        return Err(unusable(format!(
            "a tree of {expected} bytes cannot be at byte {} of {payload_size}",
            tree.tree_offset
        )));
    }
    if tree.root_digest.len() != parameters.hash().size() {
        return Err(unusable(format!("the root digest has {} bytes", tree.root_digest.len())));
    }
    Ok(())
}

fn unusable(reason: impl std::fmt::Display) -> Error {
    Error::new(Kind::ApexDescriptor, format!("hashtree descriptor: {reason}"))
}

fn compressed(reason: &str) -> Error {
    Error::new(Kind::ApexCompressed, reason)
}
