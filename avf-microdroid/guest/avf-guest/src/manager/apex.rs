//! APEXes of the payload disk: what apexd does in a VM.
//!
//! Verified and then activated by what was verified: headers are read once, and the file system is read through
//! dm-verity. Nothing says that the key of an APEX is trusted; it goes into the DICE chain.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use avf_formats::apex::Apex;
use avf_formats::avb::HashtreeDescriptor;
use avf_formats::instance;
use avf_formats::metadata::ApexPayload;
use libc::{MS_BIND, MS_NOATIME, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY};

use super::disk::PayloadDisk;
use crate::dm::{Device, Target, Verity};
use crate::failure::Failure;
use crate::sys;

const FOLDER: &str = "/apex";
const MANIFEST: &str = "apex_manifest.pb";

/// An APEX that was verified, with all that it takes to mount it.
#[derive(Debug)]
pub struct VerifiedApex {
    pub record: instance::Apex,
    /// The name of its mapping.
    device: String,
    /// In the manifest: letters, digits, `_`, `.` and `-`.
    name: String,
    version: i64,
    no_code: bool,
    file_system: &'static str,
    /// Where the payload starts on the disk, in bytes.
    offset: u64,
    tree: HashtreeDescriptor,
    manifest: Vec<u8>,
}

/// Verifies signature, key and manifest of each APEX that the metadata list.
pub fn verify_all(disk: &PayloadDisk) -> Result<Vec<VerifiedApex>, Failure> {
    let listed = disk.metadata.apexes.iter().enumerate();
    let verified = listed.map(|(index, apex)| verify(disk, index, apex)).collect::<Result<Vec<_>, _>>()?;
    match twice(&verified) {
        Some(name) => Err(Failure::payload(format!("there are two APEXes {name:?}"))),
        None => Ok(verified),
    }
}

fn twice(apexes: &[VerifiedApex]) -> Option<&str> {
    let mut names: Vec<&str> = apexes.iter().map(|apex| apex.name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

fn verify(disk: &PayloadDisk, index: usize, listed: &ApexPayload) -> Result<VerifiedApex, Failure> {
    let refused = |what: &dyn std::fmt::Display| Failure::verification(format!("APEX {:?}: {what}", listed.name));
    let partition = disk.partition(&listed.partition)?;
    let file = disk.window(partition)?;
    let apex = Apex::open(&file).map_err(|error| refused(&error))?;
    if apex.hashtree.data_block_size != apex.hashtree.hash_block_size {
        return Err(refused(&"blocks of data and hashes must have the same size"));
    }
    Ok(VerifiedApex {
        record: record(&apex, listed),
        device: format!("apex-{index}"),
        name: apex.manifest.name.clone(),
        version: apex.manifest.version,
        no_code: apex.manifest.no_code,
        file_system: apex.file_system.name(),
        offset: partition.offset + apex.payload_offset,
        tree: apex.hashtree,
        manifest: apex.manifest_bytes,
    })
}

fn record(apex: &Apex<'_>, listed: &ApexPayload) -> instance::Apex {
    instance::Apex {
        name: listed.name.clone(),
        manifest_name: Some(apex.manifest.name.clone()),
        manifest_version: Some(apex.manifest.version),
        public_key: apex.public_key.clone(),
        root_digest: apex.root_digest().to_vec(),
        last_update_seconds: listed.last_update_seconds,
        is_factory: listed.is_factory,
    }
}

impl VerifiedApex {
    /// Mounts it, read-only, on `/apex/NAME@VERSION` and on `/apex/NAME`.
    pub fn activate(&self, disk: &PayloadDisk) -> Result<(), Failure> {
        let versioned = format!("{FOLDER}/{}@{}", self.name, self.version);
        let failed = |what: &dyn std::fmt::Display| Failure::machine(format!("cannot activate {versioned}: {what}"));
        let device = self.map(disk)?;
        let flags = MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOATIME | if self.no_code { MS_NOEXEC } else { 0 };
        let source = CString::new(device.path.as_os_str().as_bytes()).expect("a device's name has no NUL");
        let kind = CString::new(self.file_system).expect("a constant without NUL");
        let plain = format!("{FOLDER}/{}", self.name);
        let [from, to] = [&versioned, &plain].map(|path| CString::new(path.as_str()).expect("names have no NUL"));
        fs::create_dir_all(&versioned).and_then(|()| fs::create_dir_all(&plain)).map_err(|error| failed(&error))?;
        sys::mount(&source, &from, &kind, flags, c"").map_err(|error| failed(&error))?;
        self.require_same_manifest(Path::new(&versioned))?;
        // The flags of the mount are those of what is bound.
        sys::mount(&from, &to, c"", MS_BIND, c"").map_err(|error| failed(&error))
    }

    fn map(&self, disk: &PayloadDisk) -> Result<Device, Failure> {
        let block = u64::from(self.tree.data_block_size);
        let length = self.tree.image_size.max(self.tree.tree_offset + self.tree.tree_size);
        let payload = disk.map(&format!("{}-data", self.device), self.offset, length)?;
        let verity = Verity {
            data: &payload.path,
            hashes: &payload.path,
            block_size: self.tree.data_block_size,
            data_blocks: self.tree.image_size / block,
            first_hash_block: self.tree.tree_offset / block,
            algorithm: &self.tree.hash_algorithm,
            root_hash: &self.tree.root_digest,
            salt: &self.tree.salt,
        };
        Device::create(&self.device, &Target::verity(&verity)?)
    }

    fn require_same_manifest(&self, root: &Path) -> Result<(), Failure> {
        match sys::read_bounded(&root.join(MANIFEST), self.manifest.len() as u64) {
            Ok(inside) if inside == self.manifest => Ok(()),
            Ok(_) => Err(self.refused("the manifest in the payload is not the one beside it")),
            Err(error) => Err(self.refused(&format!("the manifest in the payload cannot be read: {error}"))),
        }
    }

    fn refused(&self, what: &str) -> Failure {
        Failure::verification(format!("APEX {:?}: {what}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_has_what_is_verified_and_what_the_host_says_of_its_origin() {
        let file = include_bytes!("../../../avf-formats/tests/data/apex/module.apex").to_vec();
        let apex = Apex::open(&file).unwrap();
        let listed = ApexPayload {
            name: "com.example".into(),
            partition: "microdroid-apex-0".into(),
            last_update_seconds: 9,
            is_factory: true,
            public_key: vec![1],
            manifest_name: "other".into(),
            ..ApexPayload::default()
        };
        let record = record(&apex, &listed);
        assert_eq!(record.manifest_name.as_deref(), Some(apex.manifest.name.as_str()));
        assert_eq!(record.manifest_version, Some(apex.manifest.version));
        assert_eq!((record.public_key, record.root_digest), (apex.public_key.clone(), apex.root_digest().to_vec()));
        assert_eq!((record.name.as_str(), record.last_update_seconds, record.is_factory), ("com.example", 9, true));
    }
}
