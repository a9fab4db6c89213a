//! APKs of the payload disk: dm-verity by the idsig, and the verification of what is behind it.
//!
//! The idsig is the host's: nothing of it is trusted but what the APK's signature bears out. So the APK is verified
//! through the dm-verity device that the idsig made: what was verified is what will be read.

use std::fs::File;
use std::path::Path;

use avf_formats::apk::{Apk, Signer, Verified};
use avf_formats::idsig::Idsig;
use avf_formats::instance;
use avf_formats::manifest::ManifestInfo;
use avf_formats::{FileSource, ReadAt};

use super::disk::{ApkPartitions, PayloadDisk};
use crate::console::say;
use crate::dm::{Device, Target, Verity};
use crate::failure::Failure;
use crate::loopdev::{self, LoopDevice, Range};

/// Android 16: the level for which signers are looked for, on the host, too.
const SDK: u32 = 36;

const BLOCK: u32 = 4096;

/// fs-verity fills a salt up with zeros to the block of the hash; dm-verity takes it as it is.
const SALT_BLOCK: usize = 64;

/// An APK behind dm-verity, and what it was found to be.
#[derive(Debug)]
pub struct VerifiedApk {
    pub device: Device,
    /// The bytes of the device: the APK and zeros.
    pub size: u64,
    pub record: instance::Apk,
}

/// Maps an APK and verifies it: its whole content, or only its signer if the root hash is the one that this instance
/// has trusted before.
pub fn verify(disk: &PayloadDisk, parts: &ApkPartitions, trusted: Option<&[u8]>) -> Result<VerifiedApk, Failure> {
    let refused = |error: avf_formats::Error| Failure::verification(format!("{}: {}", parts.name, words(&error)));
    let idsig = Idsig::parse(&disk.window(&parts.idsig)?).map_err(refused)?;
    idsig.require_size(parts.apk.length).map_err(refused)?;
    let device = map(disk, parts, &idsig)?;
    let file = File::open(&device.path).and_then(FileSource::new);
    let file = file.map_err(|error| refused(error.into()))?;
    let apk = Apk::open(&file).map_err(refused)?;
    let signer = apk.signer(SDK).map_err(refused)?;
    if idsig.apk_digest != signer.content_digest {
        return Err(Failure::verification(format!("{}: the idsig is for another APK", parts.name)));
    }
    let manifest = if trusted == Some(&idsig.root_hash) {
        apk.manifest().map_err(refused)?.0
    } else {
        let verified = apk.verify_content(&signer).map_err(refused)?;
        require_sound(&idsig, &file, &signer, &verified).map_err(refused)?;
        if let Some(fault) = verified.manifest_fault {
            say(format_args!("{}: the manifest cannot be read: {fault}", parts.name));
        }
        verified.manifest
    };
    let size = file.size();
    Ok(VerifiedApk { device, size, record: record(&idsig, &signer, manifest) })
}

/// A block that is not what the tree says cannot be read.
fn words(error: &avf_formats::Error) -> String {
    match error {
        avf_formats::Error::Io(error) => format!("it is not what its hash tree says, or cannot be read: {error}"),
        refused => refused.to_string(),
    }
}

fn require_sound(
    idsig: &Idsig,
    file: &FileSource,
    signer: &Signer,
    verified: &Verified,
) -> Result<(), avf_formats::Error> {
    idsig.check_digest(verified)?;
    idsig.check_signature(&[file.size(), verified.length], signer)
}

/// No rollback index: our reader of manifests takes the package and the version only.
fn record(idsig: &Idsig, signer: &Signer, manifest: ManifestInfo) -> instance::Apk {
    instance::Apk {
        root_hash: idsig.root_hash.clone(),
        cert_hash: signer.certificate_hash().to_vec(),
        package_name: manifest.package,
        version_code: manifest.version_code,
        rollback_index: Some(None),
    }
}

fn map(disk: &PayloadDisk, parts: &ApkPartitions, idsig: &Idsig) -> Result<Device, Failure> {
    let data = disk.map(&format!("{}-data", parts.name), parts.apk.offset, parts.apk.length)?;
    let hashes = tree(disk, parts, idsig)?;
    let salt = salt(&idsig.salt);
    let verity = Verity {
        data: &data.path,
        // An APK of one block has no tree, but dm-verity wants a device.
        hashes: hashes.as_ref().map_or(Path::new(&data.path), |tree| &tree.path),
        block_size: BLOCK,
        data_blocks: parts.apk.length / u64::from(BLOCK),
        first_hash_block: 0,
        algorithm: "sha256",
        root_hash: &idsig.root_hash,
        salt: &salt,
    };
    Device::create(&parts.name, &Target::verity(&verity)?)
}

fn tree(disk: &PayloadDisk, parts: &ApkPartitions, idsig: &Idsig) -> Result<Option<LoopDevice>, Failure> {
    if idsig.tree_size == 0 {
        return Ok(None);
    }
    let offset = parts.idsig.offset + idsig.tree_offset;
    loopdev::attach(&disk.file, Range { offset, length: idsig.tree_size, direct: false }).map(Some)
}

fn salt(salt: &[u8]) -> Vec<u8> {
    let mut padded = salt.to_vec();
    if !padded.is_empty() {
        padded.resize(SALT_BLOCK, 0);
    }
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_is_filled_up_as_fs_verity_does() {
        assert!(salt(&[]).is_empty());
        assert_eq!(salt(&[7; 32]), [[7; 32], [0; 32]].concat());
    }

    #[test]
    fn the_record_names_what_the_chain_will_name() {
        let idsig = include_bytes!("../../../avf-formats/tests/data/apk/small-ec.apk.idsig");
        let apk = include_bytes!("../../../avf-formats/tests/data/apk/small-ec.apk");
        let (idsig, apk) = (Idsig::parse(&idsig.to_vec()).unwrap(), apk.to_vec());
        let apk = Apk::open(&apk).unwrap();
        let signer = apk.signer(SDK).unwrap();
        let manifest = ManifestInfo { package: "a.b".into(), version_code: 7 };
        let record = record(&idsig, &signer, manifest);
        assert_eq!((record.root_hash, record.cert_hash.len()), (idsig.root_hash, 64));
        assert_eq!((record.package_name.as_str(), record.version_code), ("a.b", 7));
    }
}
