//! The payload's layer and its secrets against AVF's unit tests and independently computed values.

mod vectors;

use avf_formats::dice::Config;
use avf_formats::dice::payload::{Component, Hidden, Revision, Start, config_descriptor, input};
use avf_formats::instance::{Apex, Apk, Record, Sealer};
use avf_formats::secrets::{SecretTooLong, VmSecret};
use serde_json::Value;
use vectors::{array, bytes, cdis, hex, json, secret};

const REVISIONS: [(&str, Revision); 2] = [("jan2025", Revision::January2025), ("mar2025", Revision::March2025)];

fn component(name: &str, version: u64, code_hash: &[u8], authority_hash: &[u8]) -> Component {
    Component { name: name.into(), version, code_hash: code_hash.into(), authority_hash: authority_hash.into() }
}

#[test]
fn writes_the_descriptors_of_microdroid_manager() {
    let vectors = json("avf/microdroid_config_descriptors.json");
    let path = Start::ConfigPath("/config_path");
    let components =
        [component("apk1", 1, &[0x2a, 0x2b], &[0x11]), component("apk2", 0x1000_0000_0001, &[0x2b], &[0x13, 0x14])];
    for (name, revision) in REVISIONS {
        let expected = &vectors[name];
        assert_eq!(config_descriptor(path, &[], revision), hex(&expected[0]));
        assert_eq!(config_descriptor(Start::BinaryName("payload_binary"), &[], revision), hex(&expected[1]));
        assert_eq!(config_descriptor(path, &components, revision), hex(&expected[2]));
    }
}

/// The payload of the computed vectors.
fn record(vectors: &Value) -> Record {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (apk, apex) = (&vectors["apk"], &vectors["apex"]);
    Record {
        salt: None,
        apk: Apk {
            root_hash: hex(&apk["root_hash"]),
            cert_hash: hex(&apk["cert_hash"]),
            package_name: text(&apk["package"]),
            version_code: apk["version"].as_u64().unwrap(),
            rollback_index: None,
        },
        extra_apks: vec![],
        apexes: vec![Apex {
            name: "com.android.virt".into(),
            manifest_name: Some(text(&apex["manifest_name"])),
            manifest_version: apex["manifest_version"].as_i64(),
            public_key: bytes("avf/com.android.virt.avbpubkey"),
            root_digest: hex(&apex["root_digest"]),
            last_update_seconds: 0,
            is_factory: true,
        }],
    }
}

#[test]
fn derives_the_layer_and_the_secrets_of_a_payload() {
    let vectors = json("avf/microdroid_derivation_computed.json");
    let parent = cdis(&vectors["parent_cdi_attest"], &vectors["parent_cdi_seal"]);
    let start = Start::ConfigPath(vectors["config_path"].as_str().unwrap());
    for (name, revision) in REVISIONS {
        let expected = &vectors[name];
        let input = input(&record(&vectors), start, false, Hidden::Zeros, revision).unwrap();
        assert_eq!(input.code_hash, array(&expected["code_hash"]));
        assert_eq!(input.authority_hash, array(&expected["authority_hash"]));
        assert!(matches!(&input.config, Config::Descriptor(value) if *value == hex(&expected["config_descriptor"])));
        let layer = parent.next(&input);
        assert_eq!(layer.attest.expose(), &array(&expected["cdi_attest"]));
        assert_eq!(layer.seal.expose(), &array(&expected["cdi_seal"]));

        let v1 = VmSecret::v1(&layer.seal);
        assert_eq!(v1.encrypted_store_key().expose(), &array(&expected["v1"]["encryptedstore_key"]));
        let payload = v1.payload_secret(b"my_secret", 32).unwrap();
        assert_eq!(payload.expose(), hex(&expected["v1"]["payload_secret_32"]));
        let v2 = VmSecret::v2(&layer.seal, &secret(&expected["v2"]["skp_secret"]));
        assert_eq!(v2.encrypted_store_key().expose(), &array(&expected["v2"]["encryptedstore_key"]));
        let payload = v2.payload_secret(b"my_secret", 32).unwrap();
        assert_eq!(payload.expose(), hex(&expected["v2"]["payload_secret_32"]));
    }
}

#[test]
fn the_instance_key_is_that_of_the_parent() {
    let vectors = json("avf/microdroid_derivation_computed.json");
    let derived = Sealer::new(&secret(&vectors["parent_cdi_seal"]));
    let given = Sealer::of_key(secret(&vectors["instance_data_key_if_sealed_with_parent_cdi"]));
    let plain = record(&vectors).encode();
    let sealed = derived.seal(&plain).unwrap();
    let mut header = [0; 512];
    header[..16].copy_from_slice(&avf_formats::instance::MICRODROID);
    header[16..24].copy_from_slice(&(sealed.len() as u64).to_le_bytes());
    assert_eq!(given.open(&sealed, &header).unwrap().expose(), plain.expose());
}

#[test]
fn derives_the_secrets_of_each_scheme() {
    for case in json("api/vm-secret.json").as_array().unwrap() {
        let seal = secret(&case["cdi_seal"]);
        let vm = match &case["skp_secret"] {
            Value::Null => VmSecret::v1(&seal),
            keeper => VmSecret::v2(&seal, &secret(keeper)),
        };
        assert_eq!(vm.encrypted_store_key().expose(), &array(&case["encryptedstore_key"]), "{}", case["kind"]);
        for payload in case["payload_secret"].as_array().unwrap() {
            let identifier = payload["identifier_utf8"].as_str().unwrap().as_bytes();
            let size = payload["size"].as_u64().unwrap() as usize;
            assert_eq!(vm.payload_secret(identifier, size).unwrap().expose(), hex(&payload["secret"]));
        }
    }
}

#[test]
fn a_payload_secret_has_at_most_32_bytes() {
    let vm = VmSecret::v1(&secret(&Value::from("00".repeat(32))));
    assert!(vm.payload_secret(b"id", 0).unwrap().is_empty());
    assert_eq!(vm.payload_secret(b"id", 33).unwrap_err(), SecretTooLong(33));
    assert_eq!(format!("{vm:?}"), "VmSecret(Secret[32 bytes])");
}

#[test]
fn debug_mode_signer_and_instance_change_the_sealing_secret_and_the_code_does_not() {
    let vectors = json("avf/microdroid_derivation_computed.json");
    let parent = cdis(&vectors["parent_cdi_attest"], &vectors["parent_cdi_seal"]);
    let start = Start::BinaryName("libpayload.so");
    let seal = |record: &Record, debuggable, hidden| {
        let input = input(record, start, debuggable, hidden, Revision::March2025).unwrap();
        *parent.next(&input).seal.expose()
    };
    let first = seal(&record(&vectors), false, Hidden::Zeros);
    assert_ne!(seal(&record(&vectors), true, Hidden::Zeros), first);
    assert_ne!(seal(&record(&vectors), false, Hidden::InstanceId(&[1; 64])), first);
    assert_ne!(seal(&record(&vectors), false, Hidden::Salt(&[1; 64])), first);
    let mut other_signer = record(&vectors);
    other_signer.apk.cert_hash[0] ^= 1;
    assert_ne!(seal(&other_signer, false, Hidden::Zeros), first);
    let mut other_code = record(&vectors);
    other_code.apk.root_hash[0] ^= 1;
    assert_eq!(seal(&other_code, false, Hidden::Zeros), first);
}

#[test]
fn an_apk_is_listed_with_its_rollback_index_where_it_has_one() {
    let mut record = record(&json("avf/microdroid_derivation_computed.json"));
    record.apk.rollback_index = Some(None);
    assert_eq!(Component::of_apk(&record.apk).version, 7);
    record.apk.rollback_index = Some(Some(3));
    assert_eq!(Component::of_apk(&record.apk).version, 3);
}

#[test]
fn an_apex_without_manifest_is_refused_by_name() {
    let mut record = record(&json("avf/microdroid_derivation_computed.json"));
    record.apexes[0].manifest_name = None;
    let refused = input(&record, Start::BinaryName("a"), false, Hidden::Zeros, Revision::January2025);
    assert!(refused.unwrap_err().to_string().contains("\"com.android.virt\" has no manifest name"));
}
