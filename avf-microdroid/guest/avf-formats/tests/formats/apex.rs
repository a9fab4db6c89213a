use avf_formats::apex::{Apex, FileSystem, Manifest};
use avf_formats::zip::Archive;
use avf_formats::{Kind, ReadAt, Result};

use crate::support::{Numbers, data, hex, refused, refuses_flips, survives_damage};
use crate::zip::Zip;

const ROOT: &str = "4d880289366eca862c17df072ac0d53295e7122708d7eacf6f64018538e6e7af";

fn verify(bytes: &[u8]) -> Result<()> {
    Apex::open(&bytes.to_vec())?.verify_payload()
}

#[test]
fn knows_manifest_key_and_root_digest() {
    let bytes = data("apex/module.apex");
    let apex = Apex::open(&bytes).unwrap();
    let manifest =
        Manifest { name: "com.example.module".to_owned(), version: 7, no_code: true, provide_shared_apex_libs: false };
    assert_eq!(apex.manifest, manifest);
    assert_eq!(hex(&apex.public_key[..16]), "00000800c9d87d7bc65551dd3224a2e0");
    assert_eq!(hex(apex.root_digest()), ROOT);
    assert_eq!(apex.file_system, FileSystem::Erofs);
    assert_eq!((apex.payload_offset, apex.payload_size, apex.rollback_index), (4096, 40960, 3));
    assert_eq!((apex.hashtree.image_size, apex.hashtree.tree_offset, apex.hashtree.tree_size), (28672, 28672, 4096));
    apex.verify_payload().unwrap();
}

#[test]
fn takes_zeros_behind_the_file_as_a_block_device_has_them() {
    let mut bytes = data("apex/module.apex");
    bytes.resize(bytes.len().next_multiple_of(4096), 0);
    verify(&bytes).unwrap();
}

#[test]
fn refuses_flipped_bits_of_payload_key_and_manifest() {
    let bytes = data("apex/module.apex");
    let archive = Archive::open(&bytes).unwrap();
    let range = |name: &str| {
        let entry = archive.find(name).unwrap();
        entry.data_offset as usize..(entry.data_offset + entry.size) as usize
    };
    let payload = range("apex_payload.img");
    let vbmeta = payload.start + 32768..payload.start + 32768 + 1408;
    let mut numbers = Numbers::new(5);
    let sample: Vec<usize> = (0..1000).map(|_| payload.start + numbers.below(payload.len())).collect();
    let positions = range("apex_manifest.pb").chain(range("apex_pubkey")).chain(vbmeta.clone()).chain(sample);
    refuses_flips(&bytes, positions, |bytes| verify(bytes).is_ok());
    // Without a look at the content, signature, key and manifest count all the same.
    let authentication = vbmeta.start + 256 + 32 + 256..vbmeta.start + 256 + 320;
    let signed = vbmeta.filter(|at| !authentication.contains(at));
    refuses_flips(&bytes, signed, |bytes| Apex::open(&bytes.to_vec()).is_ok());
    survives_damage(&bytes, 1000, |bytes| drop(verify(bytes)));
}

/// An APEX of these files, the payload where it must be.
fn zip(manifest: &[u8], key: &[u8], payload: &[u8], also: &str) -> Vec<u8> {
    let mut zip = Zip::default();
    if !also.is_empty() {
        zip.add(also, "");
    }
    let used = 30 + "apex_payload.img".len() + if also.is_empty() { 0 } else { 30 + also.len() };
    let filler = "x".repeat(4096 - used - 30 - "filler".len());
    zip.add("filler", &filler);
    for (name, content) in [("apex_payload.img", payload), ("apex_manifest.pb", manifest), ("apex_pubkey", key)] {
        if !content.is_empty() {
            zip.add(name, "").content = content.to_vec();
        }
    }
    zip.bytes()
}

#[test]
fn refuses_what_is_missing_or_out_of_place() {
    let bytes = data("apex/module.apex");
    let apex = Apex::open(&bytes).unwrap();
    let payload = apex.payload().unwrap();
    let payload = payload.read_range(0, payload.size() as usize).unwrap();
    let (manifest, key) = (&apex.manifest_bytes, &apex.public_key);
    verify(&zip(manifest, key, &payload, "")).unwrap();
    assert_eq!(refused(verify(&zip(&[], key, &payload, ""))), Kind::ApexMissingEntry);
    assert_eq!(refused(verify(&zip(manifest, &[], &payload, ""))), Kind::ApexMissingEntry);
    assert_eq!(refused(verify(&zip(manifest, key, &[], ""))), Kind::ApexMissingEntry);
    assert_eq!(refused(verify(&zip(manifest, key, &payload, "original_apex"))), Kind::ApexCompressed);
    assert_eq!(refused(verify(&zip(manifest, &key[1..], &payload, ""))), Kind::ApexPublicKey);
    let mut other = key.clone();
    other[5] ^= 1;
    assert_eq!(refused(verify(&zip(manifest, &other, &payload, ""))), Kind::ApexOtherKey);
    let mut other = payload.clone();
    other[1024] ^= 1;
    assert_eq!(refused(verify(&zip(manifest, key, &other, ""))), Kind::ApexFileSystem);
    let mut other = payload.clone();
    other[5000] ^= 1;
    assert_eq!(refused(verify(&zip(manifest, key, &other, ""))), Kind::Tree);
    assert_eq!(refused(verify(&zip(manifest, key, &payload[..40000], ""))), Kind::AvbHeader);

    let mut moved = Zip::default();
    moved.add("apex_manifest.pb", "").content = manifest.clone();
    moved.add("apex_pubkey", "").content = key.clone();
    moved.add("apex_payload.img", "").content = payload;
    assert_eq!(refused(verify(&moved.bytes())), Kind::ApexPlace);
}

#[test]
fn refuses_manifests_without_a_usable_name_or_version() {
    let manifest = |name: &str, version: &[u8]| {
        let mut bytes = vec![0x0a, name.len() as u8];
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(version);
        Manifest::parse(&bytes)
    };
    assert!(manifest("a_b-c.9", &[0x10, 1]).is_ok());
    for name in ["", ".", "..", "a/b", "-a", "a b", "é", "a\0"] {
        assert_eq!(refused(manifest(name, &[0x10, 1])), Kind::ApexManifest, "{name:?}");
    }
    let negative = [0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    for version in [&[][..], &[0x10, 0], &negative, &[0x10, 1, 0x3a, 1, 0xff], &[0x10, 1, 0x30]] {
        assert_eq!(refused(manifest("a", version)), Kind::ApexManifest, "{version:?}");
    }
    assert_eq!(refused(manifest("a", &[0x10, 1, 0x62, 0])), Kind::ApexCompressed);
}
