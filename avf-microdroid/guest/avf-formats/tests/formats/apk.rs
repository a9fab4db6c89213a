use avf_formats::apk::{Apk, Scheme, Verified};
use avf_formats::manifest::ManifestInfo;
use avf_formats::{Kind, Result};

use crate::support::{Numbers, data, hex, json, refused, refuses_flips, survives_damage};
use crate::zip::Zip;

const SDK: u32 = 36;
const V2: u32 = 0x7109_871a;
const V3: u32 = 0xf053_68c0;
const V31: u32 = 0x1b93_ad61;

fn verify(bytes: &[u8], sdk: u32) -> Result<Verified> {
    let bytes = bytes.to_vec();
    let apk = Apk::open(&bytes)?;
    apk.verify_content(&apk.signer(sdk)?)
}

fn last_index_of(bytes: &[u8], pattern: &[u8]) -> usize {
    bytes.windows(pattern.len()).rposition(|window| window == pattern).unwrap()
}

fn index_of_id(bytes: &[u8], id: u32) -> usize {
    last_index_of(bytes, &id.to_le_bytes())
}

fn number(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

#[test]
fn knows_signer_digest_and_manifest() {
    for vector in json("apk/apk.json").as_array().unwrap() {
        let bytes = data(&format!("apk/{}", vector["apk"].as_str().unwrap()));
        let apk = Apk::open(&bytes).unwrap();
        let signer = apk.signer(SDK).unwrap();
        assert_eq!(signer.scheme, Scheme::V3);
        assert_eq!(format!("0x{:x}", signer.algorithm), vector["v3"]["algorithms"][0].as_str().unwrap());
        assert_eq!(hex(&signer.content_digest), vector["v3"]["digest"].as_str().unwrap());
        assert_eq!(hex(&signer.certificate_hash()), vector["v3"]["cert_sha512"].as_str().unwrap());
        let verified = apk.verify_content(&signer).unwrap();
        let manifest = ManifestInfo {
            package: vector["package"].as_str().unwrap().to_owned(),
            version_code: vector["version_code"].as_u64().unwrap(),
        };
        assert_eq!((&verified.manifest, verified.manifest_fault), (&manifest, None));
        assert_eq!(apk.manifest().unwrap(), (manifest, None));
        assert_eq!(verified.length, vector["size"].as_u64().unwrap());
    }
}

#[test]
fn takes_every_algorithm() {
    let table = [
        ("rsa2048", 0x103),
        ("pkcs1-sha512", 0x104),
        ("pss-sha256", 0x101),
        ("pss-sha512", 0x102),
        ("p384", 0x202),
        ("p384-sha256", 0x201),
        ("p521", 0x202),
        ("p521-sha256", 0x201),
        ("verity-rsa2048", 0x421),
        ("verity-p256", 0x423),
        ("v4-digest-v3-Sha256withEC", 0x201),
    ];
    for (name, algorithm) in table {
        let bytes = data(&format!("apk/{name}.apk"));
        let apk = Apk::open(&bytes).unwrap();
        let signer = apk.signer(SDK).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(signer.algorithm, algorithm, "{name}");
        apk.verify_content(&signer).unwrap_or_else(|error| panic!("{name}: {error}"));

        let mut changed = bytes.clone();
        changed[apk.archive().entries()[0].data_offset as usize] ^= 1;
        assert_eq!(refused(verify(&changed, SDK)), Kind::ContentDigest, "{name}");
        let mut changed = bytes.clone();
        let spki = last_index_of(&bytes, &signer.public_key);
        changed[spki - 10] ^= 1;
        assert_eq!(refused(verify(&changed, SDK)), Kind::Signature, "{name}");
    }
}

#[test]
fn refuses_what_is_not_signed_by_v3() {
    assert_eq!(refused(verify(&data("apk/only-v2.apk"), SDK)), Kind::OnlyV2);
    assert_eq!(refused(verify(&data("apk/only-v1.apk"), SDK)), Kind::OnlyV1);
    assert_eq!(refused(verify(&Zip::of(&[("a", "b")]).bytes(), SDK)), Kind::NotSigned);
}

#[test]
fn refuses_a_signature_that_was_stripped_to_v2() {
    let mut bytes = data("apk/small-ec.apk");
    let at = index_of_id(&bytes, V3);
    bytes[at] ^= 1;
    assert_eq!(refused(verify(&bytes, SDK)), Kind::Stripped);
}

#[test]
fn takes_the_rotated_key_for_the_levels_that_it_names() {
    let bytes = data("apk/rotated.apk");
    let apk = Apk::open(&bytes).unwrap();
    let key = |sdk| {
        let signer = apk.signer(sdk).unwrap();
        apk.verify_content(&signer).unwrap();
        (signer.scheme, signer.public_key)
    };
    assert_eq!(key(32), key(34));
    assert_eq!(key(35), key(36));
    assert_eq!((key(34).0, key(35).0), (Scheme::V3, Scheme::V31));
    assert_ne!(key(34).1, key(35).1);
}

#[test]
fn refuses_a_rotation_that_was_stripped() {
    let mut bytes = data("apk/rotated.apk");
    let at = index_of_id(&bytes, V31);
    bytes[at] ^= 1;
    assert_eq!(refused(verify(&bytes, SDK)), Kind::Stripped);
    assert_eq!(refused(verify(&bytes, 30)), Kind::Stripped);
}

#[test]
fn needs_a_signer_for_the_level() {
    assert_eq!(refused(verify(&data("apk/small-ec.apk"), 10)), Kind::NoSignerForSdk);
}

#[test]
fn refuses_sdk_levels_that_were_changed_outside_the_signed_data() {
    let mut bytes = data("apk/small-ec.apk");
    let signer = index_of_id(&bytes, V3) + 12;
    let min = signer + 4 + number(&bytes, signer);
    assert_eq!(number(&bytes, min), 24);
    bytes[min] = 25;
    assert_eq!(refused(verify(&bytes, SDK)), Kind::SdkRange);
    bytes[min] = 37;
    assert_eq!(refused(verify(&bytes, SDK)), Kind::NoSignerForSdk);
    bytes[min..min + 4].fill(0xff);
    assert_eq!(refused(verify(&bytes, SDK)), Kind::SignerForm);
}

#[test]
fn names_algorithms_that_it_does_not_know() {
    let mut bytes = data("apk/small-ec.apk");
    let signer = index_of_id(&bytes, V3) + 12;
    let id = signer + 4 + number(&bytes, signer) + 8 + 4 + 4;
    assert_eq!(number(&bytes, id), 0x201);
    bytes[id + 1] = 3;
    let error = verify(&bytes, SDK).unwrap_err();
    assert_eq!(error.kind(), Some(Kind::UnsupportedAlgorithm));
    assert!(error.to_string().contains("0x0301"), "{error}");
}

#[test]
fn refuses_an_id_that_stands_twice_in_the_signing_block() {
    let mut bytes = data("apk/small-ec.apk");
    let (v2, v3) = (index_of_id(&bytes, V2), index_of_id(&bytes, V3));
    bytes.copy_within(v3..v3 + 4, v2);
    assert_eq!(refused(verify(&bytes, SDK)), Kind::SigningBlock);
}

#[test]
fn takes_zeros_behind_the_file_as_a_block_device_has_them() {
    let mut bytes = data("apk/v4-digest-v3-Sha256withEC.apk");
    let length = bytes.len() as u64;
    bytes.resize(bytes.len().next_multiple_of(4096), 0);
    assert_eq!(verify(&bytes, SDK).unwrap().length, length);
}

#[test]
fn counts_an_unreadable_manifest_as_unknown() {
    let bytes = Zip::of(&[("a", "b")]).bytes();
    let (info, fault) = Apk::open(&bytes).unwrap().manifest().unwrap();
    assert_eq!((info, fault.as_deref()), (ManifestInfo::default(), Some("there is no AndroidManifest.xml")));
    let bytes = Zip::of(&[("AndroidManifest.xml", "text")]).bytes();
    assert!(Apk::open(&bytes).unwrap().manifest().unwrap().1.is_some());
}

/// All bytes but those of the v2 signature and of the padding, which AVF does not look at.
fn covered(bytes: &[u8]) -> Vec<usize> {
    let v2 = index_of_id(bytes, V2);
    let padding = index_of_id(bytes, 0x4272_6577);
    let ends = |id: usize| id + u64::from_le_bytes(bytes[id - 8..id].try_into().unwrap()) as usize;
    (0..bytes.len()).filter(|at| !(v2..ends(v2)).contains(at) && !(padding..ends(padding)).contains(at)).collect()
}

#[test]
fn refuses_every_flipped_bit_of_the_signer() {
    for name in ["small-ec", "pss-sha256", "p521"] {
        let bytes = data(&format!("apk/{name}.apk"));
        let v3 = index_of_id(&bytes, V3);
        let length = u64::from_le_bytes(bytes[v3 - 8..v3].try_into().unwrap()) as usize;
        refuses_flips(&bytes, v3 - 8..v3 + length, |bytes| verify(bytes, SDK).is_ok());
    }
}

#[test]
fn refuses_flipped_bits_everywhere() {
    let bytes = data("apk/small-ec.apk");
    let covered = covered(&bytes);
    let mut numbers = Numbers::new(7);
    let sample: Vec<usize> = (0..1000).map(|_| covered[numbers.below(covered.len())]).collect();
    refuses_flips(&bytes, sample.into_iter(), |bytes| verify(bytes, SDK).is_ok());
    let end = last_index_of(&bytes, b"PK\x05\x06");
    refuses_flips(&bytes, number(&bytes, end + 16) - 24..bytes.len(), |bytes| verify(bytes, SDK).is_ok());
}

#[test]
fn survives_damage_to_the_signing_block() {
    for name in ["small-ec", "rotated", "only-v2"] {
        let bytes = data(&format!("apk/{name}.apk"));
        let v2 = index_of_id(&bytes, V2) - 16;
        survives_damage(&bytes[v2..v2 + 1800], 2000, |part| {
            let mut changed = bytes.clone();
            changed[v2..v2 + part.len()].copy_from_slice(part);
            if let Ok(apk) = Apk::open(&changed) {
                let _ = apk.signer(SDK).and_then(|signer| signer.require_certificate());
            }
        });
    }
}
