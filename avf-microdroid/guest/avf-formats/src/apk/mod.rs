//! APKs, verified as AVF does: structure, signature, content.
//!
//! Rules, in this order: the zip's structure; the signing block; exactly one signer for the SDK level; its strongest
//! signature (chunked SHA-512 before verity before chunked SHA-256; the first on a tie); SDK ranges inside and outside
//! the signed data; the lists of algorithms; the content digest; the certificate's key. A v3.1 signer counts for the
//! levels that it names; proof of rotation is not checked, as in AVF: who signs is who counts. A v2 signature is never
//! enough.
//!
//! ```no_run
//! # fn main() -> avf_formats::Result<()> {
//! use avf_formats::FileSource;
//! use avf_formats::apk::Apk;
//!
//! let file = FileSource::new(std::fs::File::open("/dev/mapper/microdroid-apk")?)?;
//! let apk = Apk::open(&file)?;
//! let signer = apk.signer(36)?;
//! let verified = apk.verify_content(&signer)?;
//! println!("{} by {:?}", verified.manifest.package, signer.certificate_hash());
//! # Ok(())
//! # }
//! ```
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

mod algorithm;
mod block;
mod choice;
mod content;
mod signer;

use crate::hash::{Digest, Hash};
use crate::manifest::ManifestInfo;
use crate::source::ReadAt;
use crate::zip::{Archive, Entry};
use crate::{Error, Kind, Result};

pub(crate) use algorithm::Algorithm;
pub use choice::Scheme;

const MANIFEST: &str = "AndroidManifest.xml";
const MAX_MANIFEST: u64 = 4 << 20;

/// An APK whose structure is sound.
pub struct Apk<'a> {
    archive: Archive<'a>,
}

/// The signer that counts; its signature over the digest of the content verifies, the content is another matter.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The scheme that it signed by.
    pub scheme: Scheme,
    /// The id of the algorithm that counts.
    pub algorithm: u32,
    /// What the content must be.
    pub content_digest: Vec<u8>,
    /// The signer's own certificate, DER.
    pub certificate: Vec<u8>,
    /// DER SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
    /// Where the signer stands in the file.
    pub(crate) position: u64,
    pub(crate) digest: algorithm::ContentDigest,
}

impl Signer {
    /// SHA-512 of the certificate: the authority in the payload's DICE node.
    pub fn certificate_hash(&self) -> Digest {
        Hash::Sha512.digest(&self.certificate)
    }

    /// Refuses a certificate that has not the signer's key.
    ///
    /// Part of [`Apk::verify_content`], where AVF has it; for those who trust the content already.
    pub fn require_certificate(&self) -> Result<()> {
        match crate::der::public_key_of_certificate(&self.certificate) {
            None => {
                Err(Error::at(Kind::Certificate, self.position, "the first certificate cannot be parsed as DER alone"))
            }
            Some(key) if key != self.public_key => Err(Error::at(
                Kind::Certificate,
                self.position,
                "the first certificate has another public key than the signer",
            )),
            Some(_) => Ok(()),
        }
    }
}

/// What a whole APK turned out to be.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The content digest that was signed and is right.
    pub content_digest: Vec<u8>,
    /// The bytes up to the end of the zip: the size of the file, unless zeros follow as on a block device.
    pub length: u64,
    /// What the manifest says; unknown if it cannot be read.
    pub manifest: ManifestInfo,
    /// Why the manifest could not be read.
    pub manifest_fault: Option<String>,
}

impl<'a> Apk<'a> {
    /// Reads and checks the structure of the zip.
    pub fn open(file: &'a dyn ReadAt) -> Result<Self> {
        Ok(Apk { archive: Archive::open(file)? })
    }

    /// The zip.
    pub fn archive(&self) -> &Archive<'a> {
        &self.archive
    }

    /// Finds the signer for an SDK level and checks all but content and certificate.
    pub fn signer(&self, sdk: u32) -> Result<Signer> {
        let chosen = choice::choose(&self.archive, sdk)?;
        signer::verify(&chosen.signer, chosen.scheme)
    }

    /// Reads the whole file once: its content must be what was signed, and the certificate be the signer's.
    ///
    /// The manifest is taken from the bytes that were digested.
    pub fn verify_content(&self, signer: &Signer) -> Result<Verified> {
        let manifest = ManifestBytes::read(&self.archive)?;
        let computed = content::digest(&self.archive, signer.digest, manifest.pin())?;
        if computed != signer.content_digest {
            return Err(Error::new(Kind::ContentDigest, "the content was changed after it was signed"));
        }
        signer.require_certificate()?;
        let (manifest, manifest_fault) = manifest.parse(&self.archive);
        Ok(Verified { content_digest: computed, length: self.archive.end.end(), manifest, manifest_fault })
    }

    /// What the manifest says, or why it cannot be read; for those who trust the content already.
    ///
    /// An error only if the file cannot be read.
    pub fn manifest(&self) -> Result<(ManifestInfo, Option<String>)> {
        Ok(ManifestBytes::read(&self.archive)?.parse(&self.archive))
    }
}

/// The manifest as it stands in the file, read once.
enum ManifestBytes {
    Raw { entry: Entry, bytes: Vec<u8> },
    Missing(String),
}

impl ManifestBytes {
    fn read(archive: &Archive<'_>) -> Result<Self> {
        let Some(entry) = archive.find(MANIFEST) else {
            return Ok(ManifestBytes::Missing(format!("there is no {MANIFEST}")));
        };
        match archive.read_raw(entry, MAX_MANIFEST) {
            Ok(bytes) => Ok(ManifestBytes::Raw { entry: entry.clone(), bytes }),
            Err(Error::Refused(refusal)) => Ok(ManifestBytes::Missing(refusal.reason)),
            Err(error) => Err(error),
        }
    }

    fn pin(&self) -> Option<(u64, &[u8])> {
        match self {
            ManifestBytes::Raw { entry, bytes } => Some((entry.data_offset, bytes)),
            ManifestBytes::Missing(_) => None,
        }
    }

    fn parse(self, archive: &Archive<'_>) -> (ManifestInfo, Option<String>) {
        let info = match self {
            ManifestBytes::Missing(fault) => return (ManifestInfo::default(), Some(fault)),
            ManifestBytes::Raw { entry, bytes } => {
                archive.unpack(&entry, bytes).and_then(|content| crate::manifest::parse(&content))
            }
        };
        match info {
            Ok(info) => (info, None),
            Err(error) => (ManifestInfo::default(), Some(error.to_string())),
        }
    }
}
