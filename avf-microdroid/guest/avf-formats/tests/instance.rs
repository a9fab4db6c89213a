//! instance.img against vectors, and what a broken or hostile one leads to.

mod vectors;

use avf_formats::instance::{Image, InstanceError, MICRODROID, PVMFW, Record, Sealer};
use vectors::{SplitMix, bytes, hex, json, mutate, secret};

fn sealer() -> Sealer {
    Sealer::of_key(secret(&json("api/instance.json")["sealing_key"]))
}

fn empty() -> Image<Vec<u8>> {
    Image::open(bytes("api/instance-empty.img")).unwrap()
}

fn record() -> Record {
    Record::decode(&hex(&json("api/instance.json")["plaintext_cbor"])).unwrap()
}

#[test]
fn opens_the_record_of_an_image() {
    let mut image = Image::open(bytes("api/instance.img")).unwrap();
    let record = Record::read(&mut image, &sealer()).unwrap().unwrap();
    assert_eq!(record.apk.package_name, "com.example.avf.sample");
    assert_eq!(record.apk.version_code, 42);
    assert_eq!(record.apk.rollback_index, None);
    assert_eq!(record.salt.as_ref().unwrap().expose(), &[0; 64]);
    assert_eq!(record.apexes[0].manifest_version, Some(350_000_000));
    assert_eq!(record.apexes[0].public_key, [1, 2, 3]);
    assert!(!record.apexes[0].is_factory);
}

#[test]
fn a_record_is_written_as_it_was_read() {
    let plain = hex(&json("api/instance.json")["plaintext_cbor"]);
    assert_eq!(Record::decode(&plain).unwrap().encode().expose(), plain);
}

#[test]
fn an_empty_image_has_no_record_and_keeps_the_one_that_is_written() {
    let mut image = empty();
    assert!(Record::read(&mut image, &sealer()).unwrap().is_none());
    record().write(&mut image, &sealer()).unwrap();
    let mut again = Image::open(image.into_storage()).unwrap();
    let read = Record::read(&mut again, &sealer()).unwrap().unwrap();
    assert_eq!(read.changed_since(&record()), None);
    let entries = again.entries().unwrap();
    assert_eq!((entries.len(), entries[0].owner, entries[0].position, entries[0].size), (1, MICRODROID, 512, 539));
}

#[test]
fn a_record_comes_after_those_of_others_and_leaves_them_alone() {
    let mut image = empty();
    image.append(PVMFW, &[7; 221]).unwrap();
    record().write(&mut image, &sealer()).unwrap();
    record().write(&mut image, &sealer()).unwrap();
    let entries = image.entries().unwrap();
    assert_eq!(entries.iter().map(|entry| entry.owner).collect::<Vec<_>>(), [PVMFW, MICRODROID]);
    assert_eq!(image.payload(&entries[0]).unwrap(), [7; 221]);
    assert!(Record::read(&mut image, &sealer()).unwrap().is_some());
}

#[test]
fn a_record_never_changes_its_size() {
    let mut image = empty();
    record().write(&mut image, &sealer()).unwrap();
    let before = image.into_storage();
    let mut image = Image::open(before.clone()).unwrap();
    let mut longer = record();
    longer.apk.package_name.push('x');
    let refused = longer.write(&mut image, &sealer()).unwrap_err();
    assert!(matches!(refused, InstanceError::SizeChanged { stored: 539, given: 540 }));
    assert_eq!(image.into_storage(), before);
}

#[test]
fn two_seals_of_one_record_differ() {
    let plain = record().encode();
    assert_ne!(sealer().seal(&plain).unwrap(), sealer().seal(&plain).unwrap());
}

#[test]
fn another_secret_does_not_open_a_record() {
    let mut image = Image::open(bytes("api/instance.img")).unwrap();
    let other = Sealer::of_key(secret(&"01".repeat(32).into()));
    assert!(matches!(Record::read(&mut image, &other), Err(InstanceError::NotOurs)));
}

#[test]
fn every_changed_bit_of_header_and_payload_is_found() {
    let original = bytes("api/instance.img");
    // The bytes after the payload's 539 are nobody's.
    for at in 512..1024 + 539 {
        let mut changed = original.clone();
        changed[at] ^= 0x10;
        let mut image = Image::open(changed).unwrap();
        match Record::read(&mut image, &sealer()) {
            Err(InstanceError::NotOurs) => {}
            // Another owner, or a size that does not fit.
            Ok(None) if at < 528 => {}
            Err(InstanceError::Invalid { position: 512, .. }) if (528..536).contains(&at) => {}
            other => panic!("byte {at}: {other:?}"),
        }
    }
}

#[test]
fn says_what_changed() {
    let saved = record();
    let changed = |change: fn(&mut Record)| {
        let mut record = record();
        change(&mut record);
        record.changed_since(&saved)
    };
    assert_eq!(changed(|_| {}), None);
    assert_eq!(changed(|record| record.apexes[0].is_factory = true), Some("APEXes have changed."));
    assert_eq!(changed(|record| record.apexes.clear()), Some("APEXes have changed."));
    assert_eq!(changed(|record| record.apk.version_code = 41), Some("The payload's APK has changed."));
    assert_eq!(changed(|record| record.extra_apks.push(record.apk.clone())), Some("Extra APKs have changed."));
    assert_eq!(changed(|record| record.salt = None), Some("The instance's salt has changed."));
}

#[test]
fn refuses_what_is_no_instance_image() {
    assert!(matches!(Image::open(vec![]), Err(InstanceError::Missing)));
    assert!(matches!(Image::open(vec![0; 511]), Err(InstanceError::Missing)));
    assert!(matches!(Image::open(vec![0; 4096]), Err(InstanceError::Missing)));
    let mut other = bytes("api/instance-empty.img");
    other[0] = b'a';
    assert!(matches!(Image::open(other), Err(InstanceError::Invalid { position: 0, .. })));
    for version in [0, 2] {
        let mut other = bytes("api/instance-empty.img");
        other[19] = version;
        assert!(matches!(Image::open(other), Err(InstanceError::Invalid { position: 19, .. })), "{version}");
    }
}

#[test]
fn a_record_that_does_not_fit_leaves_the_image_as_it_was() {
    let mut image = empty();
    assert!(matches!(image.append(MICRODROID, &[1; 3073]), Err(InstanceError::Full { size: 3073 })));
    assert_eq!(image.into_storage(), bytes("api/instance-empty.img"));
    let mut image = empty();
    image.append(MICRODROID, &[1; 3072]).unwrap();
    assert!(matches!(image.append(MICRODROID, &[]), Err(InstanceError::Full { size: 0 })));
    assert_eq!(image.into_storage().len(), 4096);
}

#[test]
fn what_a_killed_boot_left_behind_the_end_is_not_taken_for_a_record() {
    let mut storage = bytes("api/instance-empty.img");
    storage[2048..2560].fill(0xff);
    let mut image = Image::open(storage).unwrap();
    image.append(PVMFW, &[1; 600]).unwrap();
    assert_eq!(image.entries().unwrap().len(), 1);
}

#[test]
fn refuses_records_of_another_structure_with_a_position() {
    let plain = hex(&json("api/instance.json")["plaintext_cbor"]);
    // A salt of 63 bytes, after the map's head, the key and its head.
    let mut salt = plain.clone();
    salt[7] = 63;
    salt.remove(8);
    assert!(matches!(Record::decode(&salt), Err(InstanceError::Record { position: 6, .. })));
    // A byte of 256.
    let mut byte = plain.clone();
    byte.splice(8..9, [0x19, 1, 0]);
    assert!(matches!(Record::decode(&byte), Err(InstanceError::Record { position: 8, .. })));
    let followed = [&plain[..], &[0]].concat();
    assert!(
        matches!(Record::decode(&followed), Err(InstanceError::Record { position, .. }) if position == plain.len())
    );
}

#[test]
fn no_change_makes_a_panic_or_another_record_with_the_same_bytes() {
    let plain = hex(&json("api/instance.json")["plaintext_cbor"]);
    let image = bytes("api/instance.img");
    let mut random = SplitMix(3);
    for _ in 0..3000 {
        let changed = mutate(&plain, &mut random);
        if let Ok(record) = Record::decode(&changed) {
            let again = Record::decode(record.encode().expose()).unwrap();
            assert_eq!(again.changed_since(&record), None);
        }
        if let Ok(mut image) = Image::open(mutate(&image, &mut random)) {
            let _ = Record::read(&mut image, &sealer());
            let _ = record().write(&mut image, &sealer());
        }
    }
}
