//! Why something is refused.

use alloc::string::String;
use core::fmt;

use crate::io;

/// The ways in which bytes can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No end-of-central-directory record: the file is no zip, or is cut off.
    NotAZip,
    /// Something follows the end record, or two records could be the end.
    AmbiguousEnd,
    /// The zip needs ZIP64, which no APK reader of AVF knows.
    Zip64,
    /// The sections of the zip do not follow each other as they must.
    ZipLayout,
    /// The central directory is damaged, or its count of entries is wrong.
    CentralDirectory,
    /// A local header contradicts the central directory.
    LocalHeader,
    /// Two entries have the same name, or one is the folder of another and a file.
    DuplicateEntry,
    /// Two entries share bytes, or one reaches into what follows the entries.
    OverlappingEntries,
    /// A name is absolute, leads out of the archive, or cannot be a file's name.
    UnsafeName,
    /// An entry is a symbolic link or another special file.
    SpecialFile,
    /// An entry is encrypted or compressed by another method than deflate.
    UnsupportedEntry,
    /// The content of an entry is not what the central directory says of it.
    EntryContent,
    /// A structure is larger than what is read into memory.
    TooLarge,
    /// The file was changed while it was read.
    Changed,
    /// No signature of any scheme.
    NotSigned,
    /// Only a v1 (JAR) signature, which does not protect the whole file.
    OnlyV1,
    /// Only a v2 signature, without a v3 signature.
    OnlyV2,
    /// A signed attribute says that there was a newer signature, which is gone.
    Stripped,
    /// The signing block is damaged.
    SigningBlock,
    /// The v2, v3 or v3.1 block in it is damaged.
    SignerForm,
    /// No signer is for this SDK level.
    NoSignerForSdk,
    /// Two signers are for the same SDK level.
    OverlappingSigners,
    /// No signature of a known algorithm, or a key that cannot be used.
    UnsupportedAlgorithm,
    /// A signature does not verify.
    Signature,
    /// The SDK range outside the signed data is not the one inside.
    SdkRange,
    /// Digests and signatures are not of the same algorithms.
    AlgorithmLists,
    /// The content is not what was signed.
    ContentDigest,
    /// A certificate is damaged or has another key.
    Certificate,
    /// The manifest is missing, damaged, or has no usable package name or version.
    Manifest,
    /// The idsig is damaged.
    IdsigForm,
    /// The idsig belongs to another APK.
    IdsigApkDigest,
    /// The root hash in the idsig is not that of the APK.
    IdsigRootHash,
    /// The tree in the idsig is not that of the APK.
    IdsigTree,
    /// The signature in the idsig does not verify, or is by somebody else.
    IdsigSignature,
    /// The metadata of a payload disk are damaged or of an unknown version.
    Metadata,
    /// An APEX is compressed: another APEX is inside.
    ApexCompressed,
    /// Manifest, public key or payload of an APEX is missing.
    ApexMissingEntry,
    /// The manifest of an APEX is damaged, or has no usable name or version.
    ApexManifest,
    /// The public key of an APEX is none that AVB knows.
    ApexPublicKey,
    /// The payload of an APEX is compressed or not aligned to 4096 bytes, so that no guest can map it.
    ApexPlace,
    /// The payload of an APEX is no ext4, f2fs or EROFS image.
    ApexFileSystem,
    /// An APEX has no hashtree descriptor, more than one, or one that no guest can use.
    ApexDescriptor,
    /// The payload of an APEX is signed by another key than the public key in the zip.
    ApexOtherKey,
    /// The vbmeta flags of an APEX turn checks off.
    ApexFlags,
    /// The payload's checksum in the zip is wrong.
    ApexChecksum,
    /// A footer or vbmeta header is damaged, or its ranges point outside.
    AvbHeader,
    /// A newer libavb than 1.3 is required.
    AvbVersion,
    /// The head of a descriptor is damaged.
    AvbDescriptorHeader,
    /// A number of a descriptor has no meaning, or none that is supported.
    AvbDescriptorValue,
    /// The lengths in a descriptor contradict each other.
    AvbDescriptorSize,
    /// Text of a descriptor is not UTF-8.
    AvbDescriptorUtf8,
    /// The bytes of a descriptor are not what they must be.
    AvbDescriptorContents,
    /// A vbmeta image is not signed.
    AvbNotSigned,
    /// The stored digest is not that of the vbmeta image.
    AvbHash,
    /// The signature of a vbmeta image does not hold, or its key cannot be used.
    AvbSignature,
    /// A Merkle tree is impossible, or not that of the data.
    Tree,
}

/// What is refused, where and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which of the ways to fail it is.
    pub kind: Kind,
    /// The byte of the file that gave the reason, where one did.
    pub position: Option<u64>,
    /// The reason, as a clause without a full stop.
    pub reason: String,
}

/// A file that is refused, or one that cannot be read.
#[derive(Debug)]
pub enum Error {
    /// It was read and is not what it must be.
    Refused(Refusal),
    /// It could not be read.
    Io(io::Error),
}

/// What everything here returns.
pub type Result<T> = core::result::Result<T, Error>;

impl Error {
    /// A refusal that belongs to no place.
    pub fn new(kind: Kind, reason: impl Into<String>) -> Self {
        Error::Refused(Refusal { kind, position: None, reason: reason.into() })
    }

    /// A refusal for the byte at `position`.
    pub fn at(kind: Kind, position: u64, reason: impl Into<String>) -> Self {
        Error::Refused(Refusal { kind, position: Some(position), reason: reason.into() })
    }

    /// The kind of a refusal; nothing for what could not be read.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Error::Refused(refusal) => Some(refusal.kind),
            Error::Io(_) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused(Refusal { position: Some(position), reason, .. }) => {
                write!(out, "{reason} (at byte {position})")
            }
            Error::Refused(Refusal { reason, .. }) => out.write_str(reason),
            Error::Io(error) => write!(out, "cannot read: {error}"),
        }
    }
}

impl core::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error::Io(error)
    }
}
