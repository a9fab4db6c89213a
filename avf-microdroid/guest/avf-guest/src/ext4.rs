//! A small empty ext4, ready to be copied to a block device and grown there by the kernel.
//!
//! The guest has no `mke2fs`: that program and its libraries are a megabyte of C to be run as root on a first boot.
//! The kernel itself grows a mounted ext4 to the size of its device, online and with its journal, so that an empty file
//! system of 8 MiB, made once by `mke2fs`, is all that there is to write: a few blocks, the rest is free space or not
//! yet initialised. `ext4/make` says how it was made; it is kept as those blocks, each after its number, deflated.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use crate::sys::{self, check};

pub const BLOCK: usize = 4096;

/// Bytes of the empty file system: the least that a device can have.
pub const SMALLEST: u64 = 16 << 20;

const TEMPLATE: &[u8] = include_bytes!("../ext4/template.bin");
const MAX_TEMPLATE_BYTES: usize = 1 << 20;

/// Where the superblock's magic number is in block 0, and which.
const MAGIC_AT: usize = 1024 + 56;
const MAGIC: [u8; 2] = [0x53, 0xef];
/// Where its volume label is, and which.
const LABEL_AT: usize = 1024 + 120;
const LABEL: [u8; 16] = *b"avf-store\0\0\0\0\0\0\0";

/// `_IOW('f', 16, __u64)`.
const EXT4_IOC_RESIZE_FS: u32 = 0x4008_6610;

/// The blocks of the empty file system that are not free, by number. Block 0 has the superblock.
pub fn template() -> BTreeMap<u32, Vec<u8>> {
    let bytes = miniz_oxide::inflate::decompress_to_vec_with_limit(TEMPLATE, MAX_TEMPLATE_BYTES)
        .expect("the template is part of this program");
    bytes
        .chunks_exact(4 + BLOCK)
        .map(|record| {
            let (number, block) = record.split_at(4);
            (u32::from_le_bytes(number.try_into().expect("4 bytes")), block.to_vec())
        })
        .collect()
}

/// Whether a block 0 is that of a file system which was made from the template.
pub fn is_superblock(block: &[u8; BLOCK]) -> bool {
    block[MAGIC_AT..MAGIC_AT + 2] == MAGIC && block[LABEL_AT..LABEL_AT + 16] == LABEL
}

/// Grows a mounted file system to `size` bytes, if it is smaller; `folder` is its root. A kill at any moment leaves it
/// whole, smaller, and ready to be grown again.
pub fn grow(folder: &File, size: u64) -> io::Result<()> {
    let blocks: u64 = size / BLOCK as u64;
    // SAFETY: the kernel reads one u64.
    let result = unsafe { libc::ioctl(folder.as_raw_fd(), EXT4_IOC_RESIZE_FS as _, &blocks) };
    let done: sys::Result<_> = check("ioctl(EXT4_IOC_RESIZE_FS)", result);
    done.map(drop).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_is_a_few_blocks_of_the_smallest_file_system() {
        let template = template();
        assert!(template.len() < 64, "{}", template.len());
        assert!(template.keys().all(|&number| u64::from(number) < SMALLEST / BLOCK as u64));
        assert!(is_superblock(template[&0].as_slice().try_into().unwrap()));
    }

    #[test]
    fn expanded_template_passes_fsck() {
        let path = std::env::temp_dir().join(format!("avf-ext4-{}", std::process::id()));
        let mut image = vec![0; SMALLEST as usize];
        for (number, block) in template() {
            let start = number as usize * BLOCK;
            image[start..start + BLOCK].copy_from_slice(&block);
        }
        std::fs::write(&path, image).unwrap();
        let checked = std::process::Command::new("/sbin/e2fsck").arg("-fn").arg(&path).output();
        std::fs::remove_file(&path).unwrap();
        match checked {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
            Err(error) => eprintln!("skipped: /sbin/e2fsck: {error}"),
        }
    }
}
