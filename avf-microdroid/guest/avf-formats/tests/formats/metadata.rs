use avf_formats::Kind;
use avf_formats::metadata::{ApexPayload, ApkPayload, Metadata, Task};

use crate::support::{data, refused, survives_damage};

#[test]
fn survives_reading_and_writing() {
    for name in ["metadata-binary.bin", "metadata-config-path.bin"] {
        let bytes = data(&format!("metadata/{name}"));
        assert_eq!(Metadata::parse(&bytes).unwrap().encode(), bytes);
        let padded = [bytes.clone(), vec![0; 3000]].concat();
        assert_eq!(Metadata::read(&padded).unwrap().encode(), bytes);
    }
}

#[test]
fn reads_what_the_host_fills_in() {
    let metadata = Metadata::parse(&data("metadata/metadata-binary.bin")).unwrap();
    let apex = |name: &str, partition: &str, last_update_seconds, is_factory| ApexPayload {
        name: name.to_owned(),
        partition: partition.to_owned(),
        last_update_seconds,
        is_factory,
        ..ApexPayload::default()
    };
    assert_eq!(
        metadata.apexes,
        [
            apex("com.android.adbd", "microdroid-apex-0", 1_700_000_000, false),
            apex("com.android.os.statsd", "microdroid-apex-1", 0, true)
        ]
    );
    assert_eq!(
        metadata.apk,
        Some(ApkPayload {
            name: "apk".to_owned(),
            partition: "microdroid-apk".to_owned(),
            idsig_partition: "microdroid-apk-idsig".to_owned()
        })
    );
    assert_eq!(metadata.task, Some(Task::Binary { name: "libpayload.so".to_owned(), extra_apk_count: 1 }));
    let metadata = Metadata::parse(&data("metadata/metadata-config-path.bin")).unwrap();
    assert_eq!(metadata.task, Some(Task::ConfigPath("/mnt/apk/assets/vm_config.json".to_owned())));
}

#[test]
fn writes_the_guests_file_for_apexd() {
    let apex = ApexPayload {
        name: "a".to_owned(),
        public_key: vec![1, 2],
        root_digest: vec![3],
        last_update_seconds: u64::MAX,
        is_factory: true,
        manifest_version: -1,
        manifest_name: "m".to_owned(),
        ..ApexPayload::default()
    };
    let metadata = Metadata { apexes: vec![apex], apk: None, task: None };
    assert_eq!(Metadata::parse(&metadata.encode()).unwrap(), metadata);
}

#[test]
fn refuses_what_is_cut_off_or_of_another_version() {
    let mut bytes = data("metadata/metadata-binary.bin");
    for length in 0..bytes.len() {
        assert_eq!(refused(Metadata::parse(&bytes[..length])), Kind::Metadata);
    }
    bytes[5] = 2;
    let error = Metadata::parse(&bytes).unwrap_err();
    assert!(error.to_string().contains("version must be 1 but is 2"), "{error}");
}

#[test]
fn refuses_lies_about_sizes_and_types() {
    let framed = |message: &[u8]| [&(message.len() as u32).to_be_bytes(), message].concat();
    let table: [(&str, &[u8]); 8] = [
        ("the field number 0", &[0x00, 0x01]),
        ("a number of more than 64 bits", &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]),
        ("a number without end", &[0x08, 0x80]),
        ("a group", &[0x08, 0x01, 0x3b]),
        ("a version of more than 32 bits", &[0x08, 0x81, 0x80, 0x80, 0x80, 0x10]),
        ("bytes beyond the end", &[0x08, 0x01, 0x12, 0x05, 0x0a]),
        ("text that is not UTF-8", &[0x08, 0x01, 0x22, 0x01, 0xff]),
        ("a number where text must be", &[0x08, 0x01, 0x20, 0x01]),
    ];
    for (name, message) in table {
        assert_eq!(refused(Metadata::parse(&framed(message))), Kind::Metadata, "{name}");
    }
    assert!(
        Metadata::parse(&framed(&[0x08, 0x01, 0x78, 0x05, 0x7d, 1, 2, 3, 4, 0x79, 1, 2, 3, 4, 5, 6, 7, 8])).is_ok()
    );
    let many = [&[0x08, 0x01][..], &[0x12, 0x00].repeat(1025)].concat();
    assert_eq!(refused(Metadata::parse(&framed(&many))), Kind::Metadata);
    assert_eq!(refused(Metadata::parse(&[vec![0xff; 4], vec![0; 100]].concat())), Kind::Metadata);
}

#[test]
fn survives_damage_everywhere() {
    survives_damage(&data("metadata/metadata-binary.bin"), 20_000, |bytes| drop(Metadata::parse(bytes)));
}
