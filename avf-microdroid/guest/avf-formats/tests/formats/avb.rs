use avf_formats::avb::{Descriptor, Footer, Vbmeta};
use avf_formats::{Hash, Kind};

use crate::support::{data, hex, refused, refuses_flips, survives_damage, unhex};

fn accepted(bytes: &[u8]) -> bool {
    Vbmeta::parse(bytes, 0).is_ok_and(|vbmeta| vbmeta.verify().is_ok() && vbmeta.descriptors().is_ok())
}

#[test]
fn finds_and_verifies_what_avbtool_made() {
    let image = data("avb/kernel_microdroid_style.img");
    let (footer, vbmeta) = Vbmeta::find(&image).unwrap();
    assert_eq!(footer, Footer { original_image_size: 8292, vbmeta_offset: 12288, vbmeta_size: 2624 });
    vbmeta.verify().unwrap();
    assert_eq!((vbmeta.rollback_index, vbmeta.flags), (1, 0));
    let key = vbmeta.public_key();
    assert_eq!((key.len(), hex(&key[..16])), (1032, "0000100055d904add804afe3d3846c7e".to_owned()));
    let descriptors = vbmeta.descriptors().unwrap();
    let names: Vec<String> = descriptors
        .iter()
        .map(|descriptor| match descriptor {
            Descriptor::Hash(hash) => format!("hash {}", hash.partition),
            Descriptor::Property { key, value } => format!("{key}={}", String::from_utf8_lossy(value)),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected =
        ["hash boot", "com.android.virt.cap=secretkeeper_protection", "hash initrd_debug", "hash initrd_normal"];
    assert_eq!(names, expected);
    let Descriptor::Hash(boot) = &descriptors[0] else { panic!() };
    let salted = [&boot.salt, &image[..8292]].concat();
    assert_eq!(*Hash::Sha256.digest(&salted), *boot.digest);
}

#[test]
fn reads_hashtree_descriptors() {
    let vbmeta = Vbmeta::parse(&data("avb/hashtree_sha256.vbmeta"), 0).unwrap();
    vbmeta.verify().unwrap();
    let Descriptor::Hashtree(tree) = vbmeta.descriptors().unwrap().remove(0) else { panic!() };
    assert_eq!(hex(&tree.root_digest), "b10378ed2fbd732cccb9738a06786ece6c3262843f452c1f86ba4bd72ccd5e0a");
    assert_eq!((tree.image_size, tree.tree_offset, tree.tree_size), (1_052_672, 1_052_672, 16384));
    assert_eq!((tree.hash_algorithm.as_str(), tree.salt.clone()), ("sha256", unhex("d00df00d")));
    let bytes: Vec<u8> = (0..1_052_672_u32).map(|n| n as u8).collect();
    let root = avf_formats::merkle::root(&bytes, &tree.parameters().unwrap()).unwrap();
    assert_eq!(*root, *tree.root_digest);
}

#[test]
fn reads_but_does_not_use_sha1() {
    let vbmeta = Vbmeta::parse(&data("avb/known_hashtree_sha1.vbmeta"), 0).unwrap();
    vbmeta.verify().unwrap();
    let Descriptor::Hashtree(tree) = vbmeta.descriptors().unwrap().remove(0) else { panic!() };
    assert_eq!(tree.hash_algorithm, "sha1");
    assert_eq!(refused(tree.parameters()), Kind::AvbDescriptorValue);
}

/// A vbmeta image, without signature, of these descriptors.
fn unsigned(descriptors: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 256];
    header[..8].copy_from_slice(b"AVB0\0\0\0\x01");
    let auxiliary = descriptors.len().next_multiple_of(64) as u64;
    header[20..28].copy_from_slice(&auxiliary.to_be_bytes());
    header[104..112].copy_from_slice(&(descriptors.len() as u64).to_be_bytes());
    header.extend_from_slice(descriptors);
    header.resize(256 + auxiliary as usize, 0);
    header
}

#[test]
fn reads_every_kind_of_descriptor() {
    for name in ["property", "hashtree", "hash", "kernel_commandline", "chain_partition"] {
        let bytes = data(&format!("avb/{name}_descriptor.bin"));
        let read = |bytes: &[u8]| Vbmeta::parse(&unsigned(bytes), 0).and_then(|vbmeta| vbmeta.descriptors());
        let found = read(&bytes).unwrap();
        assert_eq!(found.len(), 1);
        assert!(!matches!(found[0], Descriptor::Unknown(_)), "{name}");
        for length in 1..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "{name} of {length} bytes");
        }
        survives_damage(&bytes, 3000, |bytes| drop(read(bytes)));
    }
    let unknown = [&9_u64.to_be_bytes()[..], &8_u64.to_be_bytes(), &[0; 8]].concat();
    let vbmeta = Vbmeta::parse(&unsigned(&unknown), 0).unwrap();
    assert_eq!(vbmeta.descriptors().unwrap(), [Descriptor::Unknown(9)]);
    assert_eq!(refused(vbmeta.verify()), Kind::AvbNotSigned);
}

type Fault = (Kind, fn(&mut Vec<u8>));

#[test]
fn refuses_images_in_the_order_of_libavb() {
    let good = data("avb/known_hash_sha256.vbmeta");
    assert!(accepted(&good));
    let table: [Fault; 11] = [
        (Kind::AvbHeader, |bytes| bytes.truncate(255)),
        (Kind::AvbHeader, |bytes| bytes[0] ^= 1),
        (Kind::AvbVersion, |bytes| bytes[7] = 2),
        (Kind::AvbVersion, |bytes| bytes[11] = 4),
        (Kind::AvbHeader, |bytes| bytes[19] = 1),
        (Kind::AvbHeader, |bytes| bytes[20] = 0xff),
        (Kind::AvbHeader, |bytes| bytes[40] = 0xff),
        (Kind::AvbHeader, |bytes| bytes[175] = b'x'),
        (Kind::AvbHeader, |bytes| bytes[31] = 7),
        (Kind::AvbHash, |bytes| bytes[600] ^= 1),
        (Kind::AvbSignature, |bytes| bytes[256 + 40] ^= 1),
    ];
    for (index, (kind, change)) in table.into_iter().enumerate() {
        let mut bytes = good.clone();
        change(&mut bytes);
        assert_eq!(refused(Vbmeta::parse(&bytes, 0).and_then(|vbmeta| vbmeta.verify())), kind, "{index}");
    }
}

#[test]
fn refuses_every_flipped_bit_that_is_signed() {
    for (name, signature) in [("known_hash_sha256", 256), ("kernel_microdroid_style", 512)] {
        let bytes = data(&format!("avb/{name}.vbmeta"));
        let authentication = u64::from_be_bytes(bytes[12..20].try_into().unwrap()) as usize;
        // The padding of the authentication block is not signed.
        let signed = (0..256 + 32 + signature).chain(256 + authentication..bytes.len());
        refuses_flips(&bytes, signed, accepted);
        survives_damage(&bytes, 5000, |bytes| _ = accepted(bytes));
    }
}

#[test]
fn refuses_footers_that_point_outside() {
    let good = data("avb/kernel_rialto_style.img");
    let footer = good.len() - 64;
    for (at, value) in [(0, 0), (7, 2), (20, 0xff), (25, 0xff), (28, 0xff), (33, 0xff), (35, 1)] {
        let mut bytes = good.clone();
        bytes[footer + at] = value;
        assert_eq!(refused(Vbmeta::find(&bytes)), Kind::AvbHeader, "{at}");
    }
    assert_eq!(refused(Vbmeta::find(&vec![0; 63])), Kind::AvbHeader);
    survives_damage(&good[footer..], 5000, |end| {
        let bytes = [&good[..footer], end].concat();
        let _ = Vbmeta::find(&bytes);
    });
}
