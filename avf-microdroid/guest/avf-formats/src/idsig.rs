//! The idsig file (APK signature scheme v4): root hash and tree of an APK.
//!
//! The tree is of SHA-256 over blocks of 4096 bytes; other trees are refused. What the host makes is unsigned:
//! certificate, public key and signature are empty. Signing info blocks, which a signing tool appends for a rotated
//! key, are refused.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

use crate::apk::{self, Algorithm};
use crate::fields::Fields;
use crate::hash::{Hash, hex};
use crate::merkle::{self, Layout, Parameters};
use crate::signature::PublicKey;
use crate::source::{ReadAt, Window};
use crate::{Error, Kind, Result};

const VERSION: u32 = 2;
const SHA256: u32 = 1;
const LOG2_BLOCK: u8 = 12;
const BLOCK: u32 = 1 << LOG2_BLOCK;
const MAX_SALT: usize = 32;
const MAX_DIGEST: usize = 64;
const MAX_HEAD: u64 = 1 << 20;

/// The head of an idsig file: all but the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idsig {
    /// At most 32 bytes; in what the host of AVF makes, none.
    pub salt: Vec<u8>,
    /// 32 bytes.
    pub root_hash: Vec<u8>,
    /// The content digest in the APK's signature.
    pub apk_digest: Vec<u8>,
    /// DER, or empty.
    pub certificate: Vec<u8>,
    /// Anything.
    pub additional_data: Vec<u8>,
    /// DER SubjectPublicKeyInfo, or empty.
    pub public_key: Vec<u8>,
    /// The id of the signature's algorithm.
    pub signature_algorithm: u32,
    /// Over size, tree, digest and certificate; or empty.
    pub signature: Vec<u8>,
    /// Where the tree starts in the file.
    pub tree_offset: u64,
    /// The bytes of the tree, which end the file but for zeros.
    pub tree_size: u64,
}

impl Idsig {
    /// Parses the head; reads at most 1 MiB.
    ///
    /// Zeros may follow the tree, up to a multiple of 4096 bytes: a block device has them behind the file.
    pub fn parse(file: &dyn ReadAt) -> Result<Self> {
        let bytes = file.read_range(0, file.size().min(MAX_HEAD) as usize)?;
        let mut fields = Fields::new(&bytes, 0, Kind::IdsigForm);
        require(&fields.clone(), "version", VERSION, fields.u32("the version")?)?;
        let mut hashing = fields.nested("the hashing info")?;
        require(&hashing.clone(), "hash algorithm", SHA256, hashing.u32("the hash algorithm")?)?;
        let log2_block = hashing.u8("the block size")?;
        require(&hashing, "log2 of the block size", LOG2_BLOCK.into(), log2_block.into())?;
        let salt = hashing.prefixed("the salt")?.to_vec();
        let root_hash = hashing.prefixed("the root hash")?.to_vec();
        hashing.end("the hashing info")?;
        let mut signing = fields.nested("the signing info")?;
        let apk_digest = signing.prefixed("the APK's digest")?.to_vec();
        let certificate = signing.prefixed("the certificate")?.to_vec();
        let additional_data = signing.prefixed("the additional data")?.to_vec();
        let public_key = signing.prefixed("the public key")?.to_vec();
        let signature_algorithm = signing.u32("the signature algorithm")?;
        let signature = signing.prefixed("the signature")?.to_vec();
        signing.end("the signing info (blocks for a rotated key are not supported)")?;
        let tree_size = u64::from(fields.u32("the tree's size")?);
        let tree_offset = fields.position();
        if salt.len() > MAX_SALT || root_hash.len() != Hash::Sha256.size() || apk_digest.len() > MAX_DIGEST {
            return Err(Error::at(
                Kind::IdsigForm,
                12,
                format!(
                    "salt, root hash and APK digest have {}, {} and {} bytes; at most 32, exactly 32 and at most 64 \
                     are possible",
                    salt.len(),
                    root_hash.len(),
                    apk_digest.len()
                ),
            ));
        }
        require_end(file, tree_offset, tree_size)?;
        if Algorithm::of(signature_algorithm).is_none() {
            return Err(Error::new(
                Kind::IdsigForm,
                format!("the signature algorithm 0x{signature_algorithm:04x} is unknown"),
            ));
        }
        Ok(Idsig {
            salt,
            root_hash,
            apk_digest,
            certificate,
            additional_data,
            public_key,
            signature_algorithm,
            signature,
            tree_offset,
            tree_size,
        })
    }

    /// Whether somebody signed it, or it pretends so.
    pub fn is_signed(&self) -> bool {
        !(self.certificate.is_empty() && self.public_key.is_empty() && self.signature.is_empty())
    }

    /// How its tree is made.
    pub fn parameters(&self) -> Result<Parameters> {
        Parameters::fs_verity(Hash::Sha256, BLOCK, &self.salt)
    }

    /// Refuses a tree that has not the size for an APK of `apk_size` bytes.
    pub fn require_size(&self, apk_size: u64) -> Result<()> {
        let size = Layout::of(&self.parameters()?, apk_size).size;
        if size != self.tree_size {
            return Err(Error::at(
                Kind::IdsigTree,
                self.tree_offset.saturating_sub(4),
                format!("the tree of an APK of {apk_size} bytes has {size} bytes but this has {}", self.tree_size),
            ));
        }
        Ok(())
    }

    /// Holds it against an APK that was verified: digest, signature, and by one reading root hash and tree.
    ///
    /// `file` is the idsig, `apk` the file that it is for.
    pub fn check(
        &self,
        file: &dyn ReadAt,
        apk: &dyn ReadAt,
        signer: &apk::Signer,
        verified: &apk::Verified,
    ) -> Result<()> {
        self.require_size(apk.size())?;
        let tree = Window::new(file, self.tree_offset, self.tree_size)?;
        let mut first_fault: Option<u64> = None;
        let root = merkle::build(apk, &self.parameters()?, &mut |position, block| {
            let stored = tree.read_range(position, block.len())?;
            if let Some(at) = stored.iter().zip(block).position(|(a, b)| a != b) {
                let at = self.tree_offset + position + at as u64;
                first_fault = Some(first_fault.map_or(at, |before| before.min(at)));
            }
            Ok(())
        })?;
        self.check_digest(verified)?;
        if *self.root_hash != *root {
            return Err(Error::new(
                Kind::IdsigRootHash,
                format!("the root hash is {} but must be {root:?}", hex(&self.root_hash)),
            ));
        }
        if let Some(position) = first_fault {
            return Err(Error::at(Kind::IdsigTree, position, "the tree is not that of the APK"));
        }
        self.check_signature(&[apk.size(), verified.length], signer)
    }

    /// Refuses an idsig for another APK; enough where dm-verity holds the data against the root hash.
    pub fn check_digest(&self, verified: &apk::Verified) -> Result<()> {
        if self.apk_digest != verified.content_digest {
            return Err(Error::new(
                Kind::IdsigApkDigest,
                format!(
                    "the idsig is for an APK with the digest {} but this has {}",
                    hex(&self.apk_digest),
                    hex(&verified.content_digest)
                ),
            ));
        }
        Ok(())
    }

    /// Refuses a signature that is not by the APK's signer; takes an unsigned file.
    ///
    /// The signature covers the size of the file, which a block device hides: one of `sizes` must be it.
    pub fn check_signature(&self, sizes: &[u64], signer: &apk::Signer) -> Result<()> {
        if !self.is_signed() {
            return Ok(());
        }
        if self.certificate != signer.certificate || self.public_key != signer.public_key {
            return Err(Error::new(Kind::IdsigSignature, "the idsig is signed by somebody else than the APK"));
        }
        let algorithm = Algorithm::of(self.signature_algorithm);
        let key = PublicKey::from_spki(&self.public_key);
        let holds = algorithm.zip(key).is_some_and(|(algorithm, key)| {
            let hash = algorithm.digest.hash();
            let by_key = |&size: &u64| key.verifies(algorithm.padding, hash, &self.signed_data(size), &self.signature);
            sizes.iter().any(by_key)
        });
        if holds { Ok(()) } else { Err(Error::new(Kind::IdsigSignature, "the signature does not verify")) }
    }

    /// What the signature covers.
    fn signed_data(&self, apk_size: u64) -> Vec<u8> {
        let mut data = vec![0; 4];
        data.extend_from_slice(&apk_size.to_le_bytes());
        data.extend_from_slice(&SHA256.to_le_bytes());
        data.push(LOG2_BLOCK);
        for part in [&self.salt, &self.root_hash, &self.apk_digest, &self.certificate, &self.additional_data] {
            data.extend_from_slice(&(part.len() as u32).to_le_bytes());
            data.extend_from_slice(part);
        }
        let length = (data.len() as u32).to_le_bytes();
        data.splice(..4, length);
        data
    }
}

fn require(fields: &Fields<'_>, what: &str, expected: u32, value: u32) -> Result<()> {
    if value == expected { Ok(()) } else { Err(fields.fail(format!("the {what} must be {expected} but is {value}"))) }
}

fn require_end(file: &dyn ReadAt, tree_offset: u64, tree_size: u64) -> Result<()> {
    let follow = file.size().saturating_sub(tree_offset);
    let padding = follow.checked_sub(tree_size).filter(|&padding| padding < u64::from(BLOCK));
    let whole = padding == Some(0) || file.size() % u64::from(BLOCK) == 0;
    let Some(padding) = padding.filter(|_| whole) else {
        return Err(Error::at(
            Kind::IdsigForm,
            tree_offset,
            format!("the tree should have {tree_size} bytes but {follow} follow"),
        ));
    };
    let end = tree_offset + tree_size;
    let rest = file.read_range(end, padding as usize)?;
    match rest.iter().position(|&byte| byte != 0) {
        Some(at) => Err(Error::at(Kind::IdsigForm, end + at as u64, "bytes that are not zero follow the tree")),
        None => Ok(()),
    }
}
