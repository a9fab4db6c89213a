use avf_formats::apk::Apk;
use avf_formats::idsig::Idsig;
use avf_formats::{Kind, Result};

use crate::support::{data, hex, json, refused, refuses_flips, survives_damage};

fn check(idsig: &[u8], apk: &[u8]) -> Result<()> {
    let (idsig, apk) = (idsig.to_vec(), apk.to_vec());
    let opened = Apk::open(&apk)?;
    let signer = opened.signer(36)?;
    let verified = opened.verify_content(&signer)?;
    Idsig::parse(&idsig)?.check(&idsig, &apk, &signer, &verified)
}

#[test]
fn reads_idsig_files() {
    for vector in json("apk/apk.json").as_array().unwrap() {
        let name = vector["apk"].as_str().unwrap();
        let apk = data(&format!("apk/{name}"));
        for (kind, suffix) in [("signed_idsig", ""), ("unsigned_idsig", ".unsigned")] {
            let bytes = data(&format!("apk/{name}{suffix}.idsig"));
            let idsig = Idsig::parse(&bytes).unwrap();
            let fields = &vector[kind];
            assert_eq!(idsig.is_signed(), kind == "signed_idsig");
            assert_eq!(hex(&idsig.root_hash), fields["root_hash"].as_str().unwrap());
            assert_eq!(hex(&idsig.apk_digest), fields["apk_digest"].as_str().unwrap());
            assert_eq!(idsig.certificate.len() as u64, fields["cert_len"].as_u64().unwrap());
            assert_eq!(idsig.public_key.len() as u64, fields["pubkey_len"].as_u64().unwrap());
            assert_eq!(idsig.signature.len() as u64, fields["sig_len"].as_u64().unwrap());
            assert_eq!(format!("0x{:x}", idsig.signature_algorithm), fields["sig_alg"].as_str().unwrap());
            assert_eq!(idsig.tree_offset, fields["merkle_tree_offset"].as_u64().unwrap());
            assert_eq!(idsig.tree_size, fields["merkle_tree_size"].as_u64().unwrap());
            check(&bytes, &apk).unwrap();
        }
    }
}

#[test]
fn takes_what_androids_own_tool_made() {
    let idsig = data("apk/v4-digest-v3-Sha256withEC.apk.idsig");
    check(&idsig, &data("apk/v4-digest-v3-Sha256withEC.apk")).unwrap();
    let root = Idsig::parse(&idsig).unwrap().root_hash;
    assert_eq!(hex(&root), "77f063b48b63f846690fa76450a8d3b61a295b6158f50592e873f76dbeeb0201");
}

#[test]
fn takes_both_files_as_block_devices_with_zeros_behind_them() {
    let mut idsig = data("apk/v4-digest-v3-Sha256withEC.apk.idsig");
    let mut apk = data("apk/v4-digest-v3-Sha256withEC.apk");
    apk.resize(apk.len().next_multiple_of(4096), 0);
    let length = idsig.len();
    idsig.resize(length.next_multiple_of(4096), 0);
    check(&idsig, &apk).unwrap();
    idsig[length] = 1;
    assert_eq!(refused(Idsig::parse(&idsig)), Kind::IdsigForm);
    idsig[length] = 0;
    idsig.resize(length + 1, 0);
    assert_eq!(refused(Idsig::parse(&idsig)), Kind::IdsigForm);
    idsig.resize(length.next_multiple_of(4096) + 4096, 0);
    assert_eq!(refused(Idsig::parse(&idsig)), Kind::IdsigForm);
}

#[test]
fn refuses_an_idsig_of_another_apk() {
    let other = data("apk/v4-digest-v3-Sha256withEC.apk.idsig");
    assert_eq!(refused(check(&other, &data("apk/small-ec.apk"))), Kind::IdsigApkDigest);
    let big = data("apk/big-rsa4096.apk.idsig");
    assert_eq!(refused(check(&big, &data("apk/small-ec.apk"))), Kind::IdsigTree);
}

#[test]
fn refuses_every_flipped_bit() {
    let apk = data("apk/small-ec.apk");
    let opened = Apk::open(&apk).unwrap();
    let signer = opened.signer(36).unwrap();
    let verified = opened.verify_content(&signer).unwrap();
    for name in ["small-ec.apk.idsig", "small-ec.apk.unsigned.idsig"] {
        let bytes = data(&format!("apk/{name}"));
        refuses_flips(&bytes, 0..bytes.len(), |bytes| {
            let bytes = bytes.to_vec();
            Idsig::parse(&bytes).is_ok_and(|idsig| idsig.check(&bytes, &apk, &signer, &verified).is_ok())
        });
        survives_damage(&bytes[..200], 5000, |bytes| drop(Idsig::parse(&bytes.to_vec())));
    }
}
