use avf_formats::merkle::{Layout, Parameters, VerifiedReader, check, root};
use avf_formats::{Hash, Kind, ReadAt};

use crate::support::{Numbers, data, hex, json, refused, unhex};

const SALT: [u8; 6] = [1, 2, 3, 4, 5, 6];

fn plain() -> Parameters {
    Parameters::fs_verity(Hash::Sha256, 4096, &[]).unwrap()
}

fn salted() -> Parameters {
    Parameters::fs_verity(Hash::Sha256, 4096, &SALT).unwrap()
}

#[test]
fn computes_the_roots_of_fs_verity() {
    for vector in json("verity/fsverity.json").as_array().unwrap() {
        let size = vector["size"].as_u64().unwrap();
        let bytes = vec![vector["byte"].as_u64().unwrap() as u8; size as usize];
        assert_eq!(hex(&root(&bytes, &plain()).unwrap()), vector["merkle_root"].as_str().unwrap(), "{size}");
        assert_eq!(Layout::of(&plain(), size).size, vector["merkle_tree_size"].as_u64().unwrap());
    }
}

#[test]
fn takes_data_and_tree_of_another_tool() {
    for (name, tree) in [("input.1M", data("verity/input.1M.hash")), ("input.4K", Vec::new())] {
        let bytes = data(&format!("verity/{name}"));
        let root = &data(&format!("verity/{name}.descriptor"))[16..48];
        check(&bytes, &tree, &salted(), root).unwrap();
        let reader = VerifiedReader::new(&bytes, &tree, salted(), root).unwrap();
        assert_eq!(reader.read_range(0, bytes.len()).unwrap(), bytes);
    }
}

#[test]
fn computes_the_tree_of_dm_verity() {
    let expected = "b10378ed2fbd732cccb9738a06786ece6c3262843f452c1f86ba4bd72ccd5e0a";
    let bytes: Vec<u8> = (0..1_052_672_u32).map(|n| n as u8).collect();
    let parameters = Parameters::dm_verity(Hash::Sha256, 4096, 4096, &unhex("d00df00d")).unwrap();
    assert_eq!(hex(&root(&bytes, &parameters).unwrap()), expected);
    assert_eq!(Layout::of(&parameters, bytes.len() as u64).size, 16384);
}

#[test]
fn refuses_flipped_bits_of_data_tree_and_root() {
    let bytes = data("verity/input.1M");
    let tree = data("verity/input.1M.hash");
    let root = data("verity/input.1M.descriptor")[16..48].to_vec();
    let mut numbers = Numbers::new(11);
    for _ in 0..6 {
        let mut changed = bytes.clone();
        let at = numbers.below(bytes.len());
        changed[at] ^= 1 << numbers.below(8);
        assert_eq!(refused(check(&changed, &tree, &salted(), &root)), Kind::Tree);
        let reader = VerifiedReader::new(&changed, &tree, salted(), &root).unwrap();
        assert!(reader.read_range(at as u64, 1).is_err());
        let mut changed = tree.clone();
        changed[numbers.below(tree.len())] ^= 1 << numbers.below(8);
        assert_eq!(refused(check(&bytes, &changed, &salted(), &root)), Kind::Tree);
        let reader = VerifiedReader::new(&bytes, &changed, salted(), &root).unwrap();
        assert!(reader.read_range(0, bytes.len()).is_err());
        let mut changed = root.clone();
        changed[numbers.below(32)] ^= 1 << numbers.below(8);
        assert_eq!(refused(check(&bytes, &tree, &salted(), &changed)), Kind::Tree);
        let reader = VerifiedReader::new(&bytes, &tree, salted(), &changed).unwrap();
        assert!(reader.read_range(0, 1).is_err());
    }
}

#[test]
fn reads_across_blocks_and_levels_only_what_is_right() {
    let bytes = data("verity/input.1M");
    let tree = data("verity/input.1M.hash");
    let root = data("verity/input.1M.descriptor")[16..48].to_vec();
    let reader = VerifiedReader::new(&bytes, &tree, salted(), &root).unwrap();
    let mut numbers = Numbers::new(3);
    for _ in 0..200 {
        let at = numbers.below(bytes.len() - 9000);
        let length = numbers.below(9000);
        assert_eq!(reader.read_range(at as u64, length).unwrap(), &bytes[at..at + length]);
    }
    assert!(reader.read_range(bytes.len() as u64 - 1, 2).is_err());
}

#[test]
fn refuses_impossible_trees() {
    let bytes = data("verity/input.4K");
    assert_eq!(refused(check(&bytes, &vec![0; 4096], &salted(), &[0; 32])), Kind::Tree);
    assert!(VerifiedReader::new(&bytes, &vec![0; 4096], salted(), &[0; 32]).is_err());
    for (block, salt) in [(0, 0), (256, 0), (4095, 0), (1 << 17, 0), (4096, 257)] {
        assert_eq!(refused(Parameters::dm_verity(Hash::Sha256, block, 4096, &vec![0; salt])), Kind::Tree);
        assert_eq!(refused(Parameters::dm_verity(Hash::Sha512, 4096, block.max(256), &vec![0; 257])), Kind::Tree);
    }
    assert!(Layout::of(&plain(), u64::MAX).size > 0);
}
