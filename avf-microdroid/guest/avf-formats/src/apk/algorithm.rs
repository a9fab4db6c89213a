//! The signature algorithms of APKs.

use crate::hash::Hash;
use crate::signature::Padding;

/// How the content of an APK is digested for its signature; the stronger, the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ContentDigest {
    ChunkedSha256,
    VeritySha256,
    ChunkedSha512,
}

impl ContentDigest {
    pub fn hash(self) -> Hash {
        match self {
            ContentDigest::ChunkedSha256 | ContentDigest::VeritySha256 => Hash::Sha256,
            ContentDigest::ChunkedSha512 => Hash::Sha512,
        }
    }
}

/// An algorithm that is accepted; DSA is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Algorithm {
    pub id: u32,
    pub padding: Padding,
    pub digest: ContentDigest,
}

const KNOWN: [Algorithm; 8] = {
    use ContentDigest::{ChunkedSha256, ChunkedSha512, VeritySha256};
    use Padding::{Ecdsa, Pkcs1, Pss};
    [
        Algorithm { id: 0x0101, padding: Pss, digest: ChunkedSha256 },
        Algorithm { id: 0x0102, padding: Pss, digest: ChunkedSha512 },
        Algorithm { id: 0x0103, padding: Pkcs1, digest: ChunkedSha256 },
        Algorithm { id: 0x0104, padding: Pkcs1, digest: ChunkedSha512 },
        Algorithm { id: 0x0201, padding: Ecdsa, digest: ChunkedSha256 },
        Algorithm { id: 0x0202, padding: Ecdsa, digest: ChunkedSha512 },
        Algorithm { id: 0x0421, padding: Pkcs1, digest: VeritySha256 },
        Algorithm { id: 0x0423, padding: Ecdsa, digest: VeritySha256 },
    ]
};

impl Algorithm {
    pub fn of(id: u32) -> Option<Self> {
        KNOWN.into_iter().find(|algorithm| algorithm.id == id)
    }
}
