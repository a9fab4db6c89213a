use avf_formats::zip::{Archive, Method};
use avf_formats::{Kind, ReadAt};

use crate::support::{data, refused, survives_damage};

/// One entry; what is not set follows from the rest.
#[derive(Clone)]
pub struct Entry {
    pub name: Vec<u8>,
    pub content: Vec<u8>,
    pub local_name: Option<&'static str>,
    pub method: u16,
    pub local_method: Option<u16>,
    pub flags: u16,
    pub central_size: Option<u32>,
    pub local_size: Option<u32>,
    pub local_crc: Option<u32>,
    pub offset: Option<u32>,
    pub made_by: u16,
    pub attributes: u32,
    pub without_local: bool,
    pub descriptor: Vec<u8>,
}

/// Writes zips field by field, also such as no tool would write.
#[derive(Default)]
pub struct Zip {
    pub entries: Vec<Entry>,
    pub comment: Vec<u8>,
    pub after: Vec<u8>,
    pub count: Option<u16>,
    pub disk: u16,
    pub directory_offset: Option<u32>,
    pub between: Vec<u8>,
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

impl Zip {
    pub fn of(entries: &[(&str, &str)]) -> Self {
        let mut zip = Zip::default();
        for (name, content) in entries {
            zip.add(name, content);
        }
        zip
    }

    pub fn add(&mut self, name: &str, content: &str) -> &mut Entry {
        self.entries.push(Entry {
            name: name.into(),
            content: content.into(),
            local_name: None,
            method: 0,
            local_method: None,
            flags: 0,
            central_size: None,
            local_size: None,
            local_crc: None,
            offset: None,
            made_by: 0,
            attributes: 0,
            without_local: false,
            descriptor: Vec::new(),
        });
        self.entries.last_mut().unwrap()
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut directory = Vec::new();
        for entry in &self.entries {
            let offset = entry.offset.unwrap_or(out.len() as u32);
            let sum = crc(&entry.content);
            let length = entry.content.len() as u32;
            if !entry.without_local {
                let name = entry.local_name.map_or(entry.name.clone(), |name| name.into());
                let size = entry.local_size.unwrap_or(length);
                out.extend(0x0403_4b50_u32.to_le_bytes());
                for half in [20, entry.flags, entry.local_method.unwrap_or(entry.method), 0, 0] {
                    out.extend(half.to_le_bytes());
                }
                for word in [entry.local_crc.unwrap_or(sum), size, size] {
                    out.extend(word.to_le_bytes());
                }
                out.extend((name.len() as u16).to_le_bytes());
                out.extend(0_u16.to_le_bytes());
                out.extend(&name);
                out.extend(&entry.content);
                out.extend(&entry.descriptor);
            }
            let size = entry.central_size.unwrap_or(length);
            directory.extend(0x0201_4b50_u32.to_le_bytes());
            for half in [entry.made_by, 20, entry.flags, entry.method, 0, 0] {
                directory.extend(half.to_le_bytes());
            }
            for word in [sum, size, size] {
                directory.extend(word.to_le_bytes());
            }
            for half in [entry.name.len() as u16, 0, 0, 0, 0] {
                directory.extend(half.to_le_bytes());
            }
            directory.extend(entry.attributes.to_le_bytes());
            directory.extend(offset.to_le_bytes());
            directory.extend(&entry.name);
        }
        let start = self.directory_offset.unwrap_or(out.len() as u32);
        let count = self.count.unwrap_or(self.entries.len() as u16);
        out.extend(&directory);
        out.extend(&self.between);
        out.extend(0x0605_4b50_u32.to_le_bytes());
        for half in [self.disk, 0, count, count] {
            out.extend(half.to_le_bytes());
        }
        out.extend((directory.len() as u32).to_le_bytes());
        out.extend(start.to_le_bytes());
        out.extend((self.comment.len() as u16).to_le_bytes());
        out.extend(&self.comment);
        out.extend(&self.after);
        out
    }
}

fn special(zip: &mut Zip, mode: u32) {
    let entry = zip.add("special", "/etc/passwd");
    entry.made_by = 3 << 8;
    entry.attributes = mode << 16;
}

type Trick = (&'static str, Kind, fn(&mut Zip));

const TRICKS: &[Trick] = &[
    ("two entries of one name", Kind::DuplicateEntry, |zip| _ = zip.add("a", "other")),
    ("a file and a folder", Kind::DuplicateEntry, |zip| _ = zip.add("a/", "")),
    ("a file as a folder", Kind::DuplicateEntry, |zip| _ = zip.add("a/b", "")),
    ("a file as a folder, further on", Kind::DuplicateEntry, |zip| {
        zip.add("a!", "");
        zip.add("a/b/c", "");
    }),
    ("two records for one local header", Kind::OverlappingEntries, |zip| {
        let entry = zip.add("c", "");
        entry.offset = Some(0);
        entry.without_local = true;
    }),
    ("a local header inside another entry", Kind::OverlappingEntries, |zip| {
        let entry = zip.add("c", "");
        entry.offset = Some(31);
        entry.without_local = true;
    }),
    ("content that reaches into the directory", Kind::OverlappingEntries, |zip| {
        let entry = zip.add("c", "");
        entry.central_size = Some(1);
        entry.local_size = Some(1);
    }),
    ("a local header behind the directory", Kind::OverlappingEntries, |zip| zip.add("c", "").offset = Some(10_000)),
    ("a parent folder", Kind::UnsafeName, |zip| _ = zip.add("x/../y", "")),
    ("a parent folder at the end", Kind::UnsafeName, |zip| _ = zip.add("x/..", "")),
    ("an absolute name", Kind::UnsafeName, |zip| _ = zip.add("/etc/passwd", "")),
    ("a backslash", Kind::UnsafeName, |zip| _ = zip.add("x\\y", "")),
    ("a NUL", Kind::UnsafeName, |zip| _ = zip.add("x\0y", "")),
    ("no name", Kind::UnsafeName, |zip| _ = zip.add("", "")),
    ("a slash as name", Kind::UnsafeName, |zip| _ = zip.add("/", "")),
    ("a double slash", Kind::UnsafeName, |zip| _ = zip.add("x//y", "")),
    ("a long name", Kind::UnsafeName, |zip| _ = zip.add(&"x".repeat(4096), "")),
    ("a name that is not UTF-8", Kind::UnsafeName, |zip| zip.add("x", "").name = vec![0xff]),
    ("a symbolic link", Kind::SpecialFile, |zip| special(zip, 0o120_777)),
    ("a device", Kind::SpecialFile, |zip| special(zip, 0o020_666)),
    ("an encrypted entry", Kind::UnsupportedEntry, |zip| zip.add("c", "").flags = 1),
    ("another method", Kind::UnsupportedEntry, |zip| zip.add("c", "").method = 12),
    ("another name in the local header", Kind::LocalHeader, |zip| zip.add("cc", "").local_name = Some("dd")),
    ("another method in the local header", Kind::LocalHeader, |zip| zip.add("c", "").local_method = Some(8)),
    ("another size in the local header", Kind::LocalHeader, |zip| zip.add("c", "content").local_size = Some(3)),
    ("another checksum in the local header", Kind::LocalHeader, |zip| zip.add("c", "content").local_crc = Some(3)),
    ("a wrong descriptor", Kind::LocalHeader, |zip| {
        let entry = zip.add("c", "content");
        entry.flags = 8;
        entry.descriptor = vec![0; 16];
    }),
    ("too few entries counted", Kind::CentralDirectory, |zip| zip.count = Some(1)),
    ("too many entries counted", Kind::CentralDirectory, |zip| zip.count = Some(3)),
    ("something behind the records", Kind::CentralDirectory, |zip| {
        let start: usize = zip.entries.iter().map(|entry| 30 + entry.name.len() + entry.content.len()).sum();
        zip.between = vec![0; 4];
        zip.directory_offset = Some(start as u32 + 4);
    }),
    ("something between directory and end", Kind::ZipLayout, |zip| zip.between = vec![0; 4]),
    ("another disk", Kind::ZipLayout, |zip| zip.disk = 1),
    ("a wrong directory offset", Kind::ZipLayout, |zip| zip.directory_offset = Some(3)),
    ("entries in ZIP64", Kind::Zip64, |zip| zip.count = Some(0xffff)),
    ("a second end record in the comment", Kind::AmbiguousEnd, |zip| {
        zip.comment = Zip::of(&[("evil", "content")]).bytes();
    }),
    ("the start of an end record in the comment", Kind::AmbiguousEnd, |zip| {
        zip.comment = b"PK\x05\x06".to_vec();
        zip.comment.resize(40, 0);
    }),
    ("data behind the end", Kind::NotAZip, |zip| zip.after = vec![0, 1]),
    ("a second zip behind the end", Kind::ZipLayout, |zip| zip.after = Zip::of(&[("evil", "content")]).bytes()),
];

#[test]
fn refuses_every_trick_by_its_name() {
    for (name, kind, change) in TRICKS {
        let mut zip = Zip::of(&[("a", "first"), ("b/c", "second")]);
        change(&mut zip);
        assert_eq!(refused(Archive::open(&zip.bytes())), *kind, "{name}");
    }
}

#[test]
fn takes_an_ordinary_zip_with_comment_zeros_and_descriptors() {
    let mut zip = Zip::of(&[("a", "first"), ("b/c", "second"), ("b/", "")]);
    zip.comment = b"PK, but not more".to_vec();
    zip.after = vec![0; 5000];
    for (name, signature) in [("d", &b"PK\x07\x08"[..]), ("e", b"")] {
        let entry = zip.add(name, "content");
        let (sum, size) = (crc(b"content").to_le_bytes(), 7_u32.to_le_bytes());
        entry.descriptor = [signature, &sum, &size, &size].concat();
        entry.flags = 8;
        entry.local_size = Some(0);
        entry.local_crc = Some(0);
    }
    let bytes = zip.bytes();
    let archive = Archive::open(&bytes).unwrap();
    let names: Vec<&str> = archive.entries().iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["a", "b/c", "b/", "d", "e"]);
    let entry = archive.find("a").unwrap();
    assert_eq!((entry.data_offset, entry.method), (31, Method::Stored));
    assert_eq!(archive.read(archive.find("d").unwrap(), 100).unwrap(), b"content");
    assert!(archive.find("b/").unwrap().is_folder());
    assert!(archive.find("b").is_none() && archive.find("z").is_none());
}

#[test]
fn reads_stored_and_deflated_entries() {
    let bytes = data("apk/rsa2048.apk");
    let archive = Archive::open(&bytes).unwrap();
    let long = archive.find("assets/long").unwrap();
    assert_eq!(long.method, Method::Deflated);
    assert_eq!(archive.read(long, 6000).unwrap(), b"avf4j ".repeat(1000));
    assert_eq!(refused(archive.read(long, 5999)), Kind::TooLarge);
    assert_eq!(archive.read(archive.find("assets/a").unwrap(), 7).unwrap(), b"content");
    assert_eq!(long.unix_mode, Some(0o644));
}

#[test]
fn refuses_content_that_the_directory_contradicts() {
    let mut zip = Zip::of(&[("a", "content")]);
    let entry = zip.add("b", "\u{1}\u{0}");
    entry.method = 8;
    let bytes = zip.bytes();
    let archive = Archive::open(&bytes).unwrap();
    assert_eq!(refused(archive.read(archive.find("b").unwrap(), 100)), Kind::EntryContent);
    let mut bytes = bytes.clone();
    bytes[31] ^= 1;
    let archive = Archive::open(&bytes).unwrap();
    assert_eq!(refused(archive.read(archive.find("a").unwrap(), 100)), Kind::EntryContent);

    let whole = data("apk/rsa2048.apk");
    let at = Archive::open(&whole).unwrap().find("assets/long").unwrap().data_offset as usize;
    for (from, byte) in (at..at + 20).flat_map(|at| [(at, 0x01), (at, 0x80)]) {
        let mut bytes = whole.clone();
        bytes[from] ^= byte;
        let archive = Archive::open(&bytes).unwrap();
        assert_eq!(refused(archive.read(archive.find("assets/long").unwrap(), 6000)), Kind::EntryContent);
    }
}

#[test]
fn takes_as_many_entries_as_a_zip_can_have() {
    let mut zip = Zip::default();
    for index in 0..65_534 {
        zip.add(&format!("assets/{index}"), "");
    }
    let bytes = zip.bytes();
    let archive = Archive::open(&bytes).unwrap();
    assert_eq!(archive.entries().len(), 65_534);
    assert!(archive.find("assets/65533").is_some());
    for index in 65_534..100_000 {
        zip.add(&format!("assets/{index}"), "");
    }
    assert_eq!(refused(Archive::open(&zip.bytes())), Kind::CentralDirectory);
}

/// Zeros and an end record that announces a central directory of 3 GiB.
struct Huge;

impl ReadAt for Huge {
    fn size(&self) -> u64 {
        3 << 30
    }

    fn read_exact_at(&self, position: u64, target: &mut [u8]) -> std::io::Result<()> {
        assert!(target.len() < 1 << 20);
        let mut end = Zip::default().bytes();
        end[8..12].copy_from_slice(&[1, 0, 1, 0]);
        end[12..16].copy_from_slice(&((3 << 30) - 22_u32).to_le_bytes());
        end[16..20].copy_from_slice(&[0; 4]);
        for (index, byte) in target.iter_mut().enumerate() {
            let at = (position + index as u64).checked_sub((3 << 30) - 22);
            *byte = at.map_or(0, |at| end[at as usize]);
        }
        Ok(())
    }
}

#[test]
fn refuses_a_directory_that_is_too_large_without_reading_it() {
    assert_eq!(refused(Archive::open(&Huge)), Kind::TooLarge);
}

#[test]
fn refuses_what_is_no_zip() {
    for bytes in [&b""[..], b"\x01", &[0; 100], b"PK\x05\x06"] {
        assert_eq!(refused(Archive::open(&bytes.to_vec())), Kind::NotAZip);
    }
}

#[test]
fn survives_damage_everywhere() {
    let mut zip = Zip::of(&[("a", "first"), ("b/c", "second"), ("b/", "")]);
    zip.comment = b"comment".to_vec();
    for bytes in [zip.bytes(), data("apk/p384.apk")] {
        survives_damage(&bytes, 3000, |bytes| {
            let bytes = bytes.to_vec();
            if let Ok(archive) = Archive::open(&bytes) {
                for entry in archive.entries() {
                    let _ = archive.read(entry, 1 << 16);
                }
            }
        });
    }
}
