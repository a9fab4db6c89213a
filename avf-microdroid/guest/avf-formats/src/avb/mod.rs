//! Android Verified Boot: footer, vbmeta image, signature, descriptors.
//!
//! All numbers are big-endian. A vbmeta image is read whole, at most 64 KiB; its signature says nothing about trust:
//! the caller compares the whole key blob with one that is trusted.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

mod descriptor;
mod vbmeta;

pub use descriptor::{Descriptor, HashDescriptor, HashtreeDescriptor};
pub use vbmeta::Vbmeta;

use alloc::format;

use crate::fields::Fields;
use crate::source::ReadAt;
use crate::{Error, Kind, Result};

/// The last 64 bytes of a partition, which say where its vbmeta image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footer {
    /// The size before anything was appended.
    pub original_image_size: u64,
    /// From the start of the partition.
    pub vbmeta_offset: u64,
    /// The length of the vbmeta image.
    pub vbmeta_size: u64,
}

impl Footer {
    /// The length of a footer in bytes.
    pub const SIZE: u64 = 64;

    const MAGIC: u32 = 0x4156_4266;
    const MAX_MAJOR: u32 = 1;

    /// Reads the footer at the end of an image.
    pub fn read(image: &dyn ReadAt) -> Result<Self> {
        let Some(position) = image.size().checked_sub(Self::SIZE) else {
            return Err(Error::new(Kind::AvbHeader, format!("a footer has 64 bytes but here are {}", image.size())));
        };
        let bytes = image.read_range(position, Self::SIZE as usize)?;
        let mut fields = Fields::new(&bytes, position, Kind::AvbHeader);
        if fields.be32("the magic")? != Self::MAGIC {
            return Err(Error::at(Kind::AvbHeader, position, "the magic of a footer is \"AVBf\" but here is another"));
        }
        let major = fields.be32("the major version")?;
        if major > Self::MAX_MAJOR {
            return Err(Error::at(Kind::AvbHeader, position + 4, format!("a footer of version {major} is unknown")));
        }
        fields.be32("the minor version")?;
        Ok(Footer {
            original_image_size: fields.be64("the original size")?,
            vbmeta_offset: fields.be64("the offset of vbmeta")?,
            vbmeta_size: fields.be64("the size of vbmeta")?,
        })
    }
}

/// Whether these bytes are an RSA key in AVB's encoding, of 2048, 4096 or 8192 bits.
#[cfg(feature = "std")]
pub(crate) fn is_public_key(blob: &[u8]) -> bool {
    [256, 512, 1024].into_iter().any(|bytes| vbmeta::key(blob, bytes).is_some())
}
