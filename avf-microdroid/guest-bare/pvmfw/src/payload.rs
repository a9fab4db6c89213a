//! Whether kernel and ramdisk are what their owner signed.
//!
//! Whether the guest can be debugged is decided by nothing but which of the two ramdisks of the kernel's descriptors
//! was given.

use alloc::string::String;
use alloc::vec::Vec;

use avf_formats::avb::{Descriptor, Footer, HashDescriptor, Vbmeta};
use avf_formats::{Error, Hash, Kind};
use sha2::{Digest, Sha256, Sha512};

use crate::properties::Properties;
pub use crate::properties::{Capabilities, Capability};
use crate::{PvmfwError, Result};

const BOOT: &str = "boot";
const NORMAL: &str = "initrd_normal";
const DEBUG: &str = "initrd_debug";
/// What libavb reads of a partition without a footer that counts.
const MAX_VBMETA: u64 = 64 * 1024;

/// What is known of a kernel and a ramdisk after they were verified.
#[derive(Debug, Clone)]
pub struct VerifiedPayload {
    /// Whether the ramdisk is the one for debugging.
    pub debuggable: bool,
    /// SHA-256.
    pub kernel_digest: [u8; 32],
    /// SHA-256, where there is a ramdisk.
    pub initrd_digest: Option<[u8; 32]>,
    /// SHA-512 of the key that signed.
    pub authority_hash: [u8; 64],
    /// What the kernel says it can do.
    pub capabilities: Capabilities,
    /// Grows with each release that must not be rolled back.
    pub rollback_index: u64,
    /// The guest's page size in bytes, if it says one.
    pub page_size: Option<u64>,
    /// The name of the VM, if it says one.
    pub name: Option<String>,
}

/// Verifies.
///
/// `kernel` is the whole signed file: kernel, vbmeta image, footer; `initrd` has no footer. `trusted_key` is the whole
/// blob of the key that may sign; an empty one is nobody's.
pub fn verify(kernel: &[u8], initrd: Option<&[u8]>, trusted_key: &[u8]) -> Result<VerifiedPayload> {
    let (footer, vbmeta) = vbmeta(kernel)?;
    vbmeta.verify().map_err(fault)?;
    if vbmeta.public_key() != trusted_key || trusted_key.is_empty() {
        return Err(PvmfwError::AvbPublicKeyRejected);
    }
    if vbmeta.flags != 0 {
        return Err(PvmfwError::AvbInvalidMetadata);
    }
    let descriptors = vbmeta.descriptors().map_err(fault)?;
    if descriptors.iter().any(|descriptor| matches!(descriptor, Descriptor::ChainPartition { .. })) {
        return Err(PvmfwError::AvbInvalidMetadata);
    }
    let hashes: Vec<&HashDescriptor> = descriptors.iter().filter_map(hash).collect();
    for boot in hashes.iter().filter(|hash| hash.partition == BOOT) {
        check(boot, kernel)?;
    }
    let boot = described(&hashes)?;
    if boot.image_size != footer.original_image_size {
        return Err(PvmfwError::AvbInvalidMetadata);
    }
    let properties = Properties::of(&descriptors)?;
    let matched = matched_initrd(&hashes, initrd)?;
    Ok(VerifiedPayload {
        debuggable: matched.is_some_and(|hash| hash.partition == DEBUG),
        kernel_digest: digest(boot)?,
        initrd_digest: matched.map(digest).transpose()?,
        authority_hash: Sha512::digest(vbmeta.public_key()).into(),
        capabilities: properties.capabilities,
        rollback_index: vbmeta.rollback_index,
        page_size: properties.page_size,
        name: properties.name,
    })
}

/// The vbmeta image that the footer points to. Where no footer counts, libavb takes the start of the partition for
/// one, which a kernel is not; here it is refused at once, with the same error.
fn vbmeta(kernel: &[u8]) -> Result<(Footer, Vbmeta)> {
    let length = kernel.len() as u64;
    let no_footer = if length < MAX_VBMETA { PvmfwError::AvbIo } else { PvmfwError::AvbInvalidMetadata };
    let tail = kernel.get(kernel.len().saturating_sub(Footer::SIZE as usize)..).unwrap_or_default().to_vec();
    let footer = Footer::read(&tail).map_err(|_| no_footer)?;
    if footer.vbmeta_size > MAX_VBMETA {
        return Err(no_footer);
    }
    let end = footer.vbmeta_offset.checked_add(footer.vbmeta_size).filter(|end| *end <= length);
    let end = end.ok_or(PvmfwError::AvbIo)?;
    let bytes = kernel.get(footer.vbmeta_offset as usize..end as usize).ok_or(PvmfwError::AvbIo)?;
    Ok((footer, Vbmeta::parse(bytes, footer.vbmeta_offset).map_err(fault)?))
}

fn hash(descriptor: &Descriptor) -> Option<&HashDescriptor> {
    match descriptor {
        Descriptor::Hash(hash) => Some(hash),
        _ => None,
    }
}

/// The kernel's descriptor; none may be of an unknown partition or come twice.
fn described<'a>(hashes: &[&'a HashDescriptor]) -> Result<&'a HashDescriptor> {
    for (index, hash) in hashes.iter().enumerate() {
        let known = [BOOT, NORMAL, DEBUG].contains(&&*hash.partition);
        if !known || hashes.iter().skip(index + 1).any(|other| other.partition == hash.partition) {
            return Err(PvmfwError::DescriptorsInvalidContents);
        }
    }
    let boot = hashes.iter().find(|hash| hash.partition == BOOT);
    boot.copied().ok_or(PvmfwError::DescriptorsInvalidContents)
}

/// Whether the descriptor is for the first bytes of an image.
fn check(descriptor: &HashDescriptor, image: &[u8]) -> Result<()> {
    let size = usize::try_from(descriptor.image_size).ok();
    let covered = size.and_then(|size| image.get(..size)).ok_or(PvmfwError::AvbIo)?;
    let hash = Hash::named(&descriptor.hash_algorithm).ok_or(PvmfwError::AvbInvalidMetadata)?;
    if descriptor.digest.len() != hash.size() {
        return Err(PvmfwError::AvbInvalidMetadata);
    }
    let holds = match hash {
        Hash::Sha256 => {
            Sha256::new().chain_update(&descriptor.salt).chain_update(covered).finalize()[..] == descriptor.digest[..]
        }
        Hash::Sha512 => {
            Sha512::new().chain_update(&descriptor.salt).chain_update(covered).finalize()[..] == descriptor.digest[..]
        }
    };
    if holds { Ok(()) } else { Err(PvmfwError::AvbVerification) }
}

/// The descriptor of the ramdisk that was given, if one was.
fn matched_initrd<'a>(hashes: &[&'a HashDescriptor], initrd: Option<&[u8]>) -> Result<Option<&'a HashDescriptor>> {
    let Some(initrd) = initrd else {
        return if hashes.len() > 1 { Err(PvmfwError::AvbInvalidMetadata) } else { Ok(None) };
    };
    for name in [NORMAL, DEBUG] {
        let descriptor = hashes.iter().find(|hash| hash.partition == name).copied();
        let matches = |hash: &&HashDescriptor| hash.image_size == initrd.len() as u64 && check(hash, initrd).is_ok();
        if let Some(matched) = descriptor.filter(matches) {
            return Ok(Some(matched));
        }
    }
    Err(PvmfwError::AvbVerification)
}

fn digest(descriptor: &HashDescriptor) -> Result<[u8; 32]> {
    descriptor.digest[..].try_into().map_err(|_| PvmfwError::AvbInvalidMetadata)
}

fn fault(error: Error) -> PvmfwError {
    match error.kind() {
        None => PvmfwError::AvbIo,
        Some(Kind::AvbVersion) => PvmfwError::AvbUnsupportedVersion,
        Some(Kind::AvbNotSigned | Kind::AvbHash | Kind::AvbSignature) => PvmfwError::AvbVerification,
        Some(Kind::AvbDescriptorHeader) => PvmfwError::DescriptorsInvalidHeader,
        Some(Kind::AvbDescriptorValue) => PvmfwError::DescriptorsInvalidValue,
        Some(Kind::AvbDescriptorSize) => PvmfwError::DescriptorsInvalidSize,
        Some(Kind::AvbDescriptorUtf8) => PvmfwError::DescriptorsInvalidUtf8,
        Some(Kind::AvbDescriptorContents) => PvmfwError::DescriptorsInvalidContents,
        Some(_) => PvmfwError::AvbInvalidMetadata,
    }
}
