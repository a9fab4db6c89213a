//! The system of the base image: a read-only file system that the bootconfig vouches for.
//!
//! The bootconfig, which is part of the verified RAM disk, has the digest of the vbmeta image; that has the root of the
//! tree over the system; and dm-verity holds every block that is read against it.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;

use avf_formats::avb::{self, Descriptor, HashtreeDescriptor};
use avf_formats::{FileSource, ReadAt};
use libc::{MS_NOATIME, MS_NODEV, MS_NOSUID, MS_RDONLY};

use super::bootconfig::Vbmeta;
use crate::disk::{self, Disk};
use crate::dm::{Device, Target, Verity};
use crate::failure::Failure;
use crate::sys;

/// The serial of the disk with the file system and its tree.
const DISK: &str = "system";
/// The serial of the disk with the vbmeta image.
const VBMETA_DISK: &str = "system-vbmeta";
/// The name of the partition in the vbmeta image, and of the mapping.
const PARTITION: &str = "system";

/// Verifies the system and mounts it on `/system`.
pub fn mount(expected: &Vbmeta) -> Result<(), Failure> {
    let refused = |what: &dyn std::fmt::Display| Failure::machine(format!("the base image's system: {what}"));
    let vbmeta = disk::find(VBMETA_DISK)?;
    let image = FileSource::new(vbmeta.file).and_then(|source| source.read_range(0, expected.size));
    let tree = tree(&image.map_err(|error| refused(&error))?, expected).map_err(|reason| refused(&reason))?;
    let system = disk::find(DISK)?;
    let device = map(&system, &tree)?;
    let source = CString::new(device.path.as_os_str().as_bytes()).expect("a device's name has no NUL");
    let flags = MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOATIME;
    sys::mount(&source, c"/system", c"erofs", flags, c"").map_err(|error| refused(&error))
}

/// The tree of the system in a vbmeta image that is the expected one.
fn tree(image: &[u8], expected: &Vbmeta) -> Result<HashtreeDescriptor, String> {
    if *expected.hash.digest(image) != *expected.digest {
        return Err("its vbmeta image is another than the RAM disk's".into());
    }
    // Its signature was the firmware's to verify: these are the very bytes.
    let vbmeta = avb::Vbmeta::parse(image, 0).map_err(|error| error.to_string())?;
    if vbmeta.flags != 0 {
        return Err(format!("the flags of its vbmeta image must be 0 but are {:#x}", vbmeta.flags));
    }
    let descriptors = vbmeta.descriptors().map_err(|error| error.to_string())?;
    let mut trees = descriptors.into_iter().filter_map(|descriptor| match descriptor {
        Descriptor::Hashtree(tree) if tree.partition == PARTITION => Some(tree),
        _ => None,
    });
    match (trees.next(), trees.next()) {
        (Some(tree), None) => {
            tree.parameters().map_err(|error| error.to_string())?;
            Ok(tree)
        }
        _ => Err("its vbmeta image must have one tree of the system".into()),
    }
}

fn map(disk: &Disk, tree: &HashtreeDescriptor) -> Result<Device, Failure> {
    let block = u64::from(tree.data_block_size);
    if tree.hash_block_size != tree.data_block_size || tree.tree_offset % block != 0 || tree.image_size > disk.size {
        return Err(Failure::machine(format!(
            "the base image's system: a tree at byte {} over {} bytes does not fit a disk of {}",
            tree.tree_offset, tree.image_size, disk.size
        )));
    }
    let verity = Verity {
        data: &disk.path,
        hashes: &disk.path,
        block_size: tree.data_block_size,
        data_blocks: tree.image_size / block,
        first_hash_block: tree.tree_offset / block,
        algorithm: &tree.hash_algorithm,
        root_hash: &tree.root_digest,
        salt: &tree.salt,
    };
    Device::create(PARTITION, &Target::verity(&verity)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use avf_formats::Hash;

    /// A signed image with a tree, of a partition of another name.
    const IMAGE: &[u8] = include_bytes!("../../../avf-formats/tests/data/avb/hashtree_sha256.vbmeta");

    fn expected(image: &[u8]) -> Vbmeta {
        Vbmeta { size: image.len(), hash: Hash::Sha256, digest: Hash::Sha256.digest(image).to_vec() }
    }

    #[test]
    fn any_changed_byte_is_another_image() {
        for at in 0..IMAGE.len() {
            let mut changed = IMAGE.to_vec();
            changed[at] ^= 1;
            assert!(tree(&changed, &expected(IMAGE)).unwrap_err().contains("another than the RAM disk's"));
        }
    }

    #[test]
    fn the_tree_must_be_that_of_the_system() {
        let refused = tree(IMAGE, &expected(IMAGE)).unwrap_err();
        assert!(refused.contains("one tree of the system"), "{refused}");
    }
}
