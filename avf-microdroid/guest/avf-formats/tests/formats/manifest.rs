use avf_formats::Kind;
use avf_formats::manifest::{ManifestInfo, parse};

use crate::support::{refused, survives_damage};

const ANDROID: &str = "http://schemas.android.com/apk/res/android";
const NONE: u32 = u32::MAX;

/// Writes binary XML with one element.
#[derive(Clone)]
struct Xml {
    strings: Vec<String>,
    attributes: Vec<u32>,
    utf8: bool,
    element: &'static str,
    namespace: &'static str,
}

impl Xml {
    fn new() -> Self {
        Xml { strings: Vec::new(), attributes: Vec::new(), utf8: false, element: "manifest", namespace: "" }
    }

    fn package() -> Self {
        Xml::new().text("", "package", "com.example")
    }

    fn text(mut self, namespace: &str, name: &str, value: &str) -> Self {
        let id = self.id(value);
        self.attribute(namespace, name, id, 3, id)
    }

    fn number(self, name: &str, kind: u32, value: u32) -> Self {
        self.attribute(ANDROID, name, NONE, kind, value)
    }

    fn attribute(mut self, namespace: &str, name: &str, raw: u32, kind: u32, data: u32) -> Self {
        let row = [self.id(namespace), self.id(name), raw, 8 | kind << 24, data];
        self.attributes.extend(row);
        self
    }

    fn id(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return NONE;
        }
        let found = self.strings.iter().position(|other| other == text);
        found.unwrap_or_else(|| {
            self.strings.push(text.to_owned());
            self.strings.len() - 1
        }) as u32
    }

    fn bytes(mut self) -> Vec<u8> {
        let (namespace, element) = (self.id(self.namespace), self.id(self.element));
        let count = self.attributes.len() as u32 / 5;
        let mut start = words(&[1, NONE, namespace, element, 20 | 20 << 16, count, 0]);
        start.extend(words(&self.attributes));
        let chunks = [
            self.pool(),
            chunk(0x0180, 8, &[0; 8]),
            chunk(0x0100, 16, &[0; 16]),
            chunk(0x0102, 16, &start),
            b"rest".to_vec(),
        ];
        chunk(0x0003, 8, &chunks.concat())
    }

    fn pool(&self) -> Vec<u8> {
        let mut offsets = Vec::new();
        let mut data = Vec::new();
        for text in &self.strings {
            offsets.push(data.len() as u32);
            if self.utf8 {
                data.extend([text.len() as u8, text.len() as u8]);
                data.extend(text.as_bytes());
                data.push(0);
            } else {
                data.extend((text.len() as u16).to_le_bytes());
                data.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
                data.extend([0, 0]);
            }
        }
        data.resize(data.len().next_multiple_of(4), 0);
        let count = offsets.len() as u32;
        let head = words(&[count, 0, if self.utf8 { 1 << 8 } else { 0 }, 28 + 4 * count, 0]);
        chunk(0x0001, 28, &[head, words(&offsets), data].concat())
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn chunk(kind: u32, header: u32, body: &[u8]) -> Vec<u8> {
    [words(&[kind | header << 16, 8 + body.len() as u32]), body.to_vec()].concat()
}

fn info(package: &str, version_code: u64) -> ManifestInfo {
    ManifestInfo { package: package.to_owned(), version_code }
}

#[test]
fn reads_both_encodings() {
    for utf8 in [true, false] {
        let mut xml = Xml::package().number("versionCode", 0x10, 7).number("versionCodeMajor", 0x11, 1);
        xml.utf8 = utf8;
        assert_eq!(parse(&xml.bytes()).unwrap(), info("com.example", 1 << 32 | 7));
    }
}

#[test]
fn reads_numbers_as_c_writes_them() {
    let table = [("7", 7), ("0x10", 16), ("0XfF", 255), ("010", 8), ("0", 0), ("4294967295", 4_294_967_295)];
    for (text, value) in table {
        let xml = Xml::package().text(ANDROID, "versionCode", text);
        assert_eq!(parse(&xml.bytes()).unwrap().version_code, value, "{text}");
    }
    for text in ["4294967296", "-1", "+1", "09", "0x", "1.0", "one", "0x1 "] {
        let error = parse(&Xml::package().text(ANDROID, "versionCode", text).bytes()).unwrap_err();
        assert!(error.to_string().contains("versionCode"), "{text}: {error}");
    }
}

#[test]
fn takes_absent_attributes_as_nothing() {
    assert_eq!(parse(&Xml::new().bytes()).unwrap(), ManifestInfo::default());
}

#[test]
fn looks_only_at_the_right_namespaces() {
    let xml = Xml::new().text(ANDROID, "package", "wrong").text("", "versionCode", "1").text(
        "urn:other",
        "versionCodeMajor",
        "1",
    );
    assert_eq!(parse(&xml.bytes()).unwrap(), ManifestInfo::default());
}

#[test]
fn refuses_what_contradicts_itself() {
    let mut two = Xml::new();
    two.strings = vec!["one".to_owned(), "two".to_owned()];
    let mut element = Xml::package();
    element.element = "application";
    let mut namespace = Xml::package();
    namespace.namespace = ANDROID;
    let wrong = [
        two.attribute("", "package", 0, 3, 1),
        Xml::new().attribute("", "package", NONE, 0x10, 7),
        Xml::package().number("versionCode", 0x01, 7),
        element,
        namespace,
    ];
    for xml in wrong {
        assert_eq!(refused(parse(&xml.bytes())), Kind::Manifest);
    }
}

#[test]
fn never_fails_in_another_way() {
    let whole = Xml::package().number("versionCode", 0x10, 7).bytes();
    let judge = |bytes: &[u8]| {
        if let Err(error) = parse(bytes) {
            assert_eq!(error.kind(), Some(Kind::Manifest));
        }
    };
    for at in 0..whole.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[at] = value;
            judge(&changed);
        }
        judge(&whole[..at]);
    }
    survives_damage(&whole, 20_000, judge);
}
