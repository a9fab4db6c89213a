use miniz_oxide::deflate::compress_to_vec;

use super::abi::{ANSWER_HEADER_BYTES, REQUEST_HEADER_BYTES, op};
use super::filesystem::{FileSystem, Limits};
use super::tree::{Kind, ROOT, Tree};
use super::zip::{Error, Zip};
use crate::failure::Failure;

/// One file of a zip to be made: name, content, whether deflated, Unix mode or 0.
type Source<'a> = (&'a str, &'a [u8], bool, u32);

/// A zip as the format's description has it.
fn zip(files: &[Source<'_>]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for &(name, content, deflated, mode) in files {
        let packed = if deflated { compress_to_vec(content, 6) } else { content.to_vec() };
        let offset = bytes.len() as u32;
        let mut common = Vec::new();
        common.extend([20, 0, 0, 0, if deflated { 8 } else { 0 }, 0, 0, 0, 0, 0]);
        common.extend(crc32fast::hash(content).to_le_bytes());
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(name.as_bytes());
        bytes.extend(packed);
        directory.extend(b"PK\x01\x02");
        directory.extend([20, if mode == 0 { 0 } else { 3 }]);
        directory.extend(common);
        directory.extend([0; 6]);
        directory.extend((mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, count) = (bytes.len() as u32, files.len() as u16);
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

fn opened(bytes: Vec<u8>) -> Result<Zip<Vec<u8>>, String> {
    let size = bytes.len() as u64;
    Zip::open(bytes, size).map_err(|error| error.to_string())
}

fn sample() -> Vec<u8> {
    zip(&[
        ("AndroidManifest.xml", b"manifest", false, 0),
        ("lib/x86_64/libpayload.so", &[7; 1000], false, 0o100_755),
        ("assets/text", "deflated ".repeat(1000).as_bytes(), true, 0),
        ("bin/tool", b"#!", false, 0),
    ])
}

fn tree(names: &[&str]) -> Result<Tree, String> {
    let files: Vec<Source<'_>> = names.iter().map(|&name| (name, &b"x"[..], false, 0)).collect();
    Tree::build(&opened(zip(&files))?.entries, false)
}

#[test]
fn reads_stored_and_deflated_contents() {
    let zip = opened(sample()).unwrap();
    let mut content = [0; 8];
    let start = zip.locate(&zip.entries[0]).unwrap();
    zip.read_stored(start, 0..8, &mut content).unwrap();
    assert_eq!(&content, b"manifest");
    assert_eq!(zip.inflate(&zip.entries[2]).unwrap(), "deflated ".repeat(1000).into_bytes());
}

#[test]
fn inflates_what_is_larger_than_one_piece() {
    let noise: Vec<u8> = (0..300_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let zip = opened(zip(&[("noise", &noise, true, 0), ("empty", b"", true, 0)])).unwrap();
    assert!(zip.inflate(&zip.entries[0]).unwrap() == noise);
    assert!(zip.inflate(&zip.entries[1]).unwrap().is_empty());
}

#[test]
fn accepts_the_zeros_that_pad_a_block_device() {
    let mut bytes = sample();
    bytes.resize(bytes.len().next_multiple_of(4096), 0);
    assert_eq!(opened(bytes).unwrap().entries.len(), 4);
}

#[test]
fn rejects_what_is_behind_the_end_but_zeros_and_a_second_end() {
    let mut tail = sample();
    tail.extend([0, 0, 1]);
    assert!(opened(tail).is_err());
    let mut twice = sample();
    let end = twice[twice.len() - 22..].to_vec();
    let at = twice.len();
    twice[at - 2] = 22;
    twice.extend(end);
    assert_eq!(opened(twice).err().unwrap(), "there are two end records");
}

#[test]
fn no_changed_byte_makes_it_panic() {
    let good = sample();
    for at in 0..good.len() {
        // The long content in the middle has nothing to parse.
        if (200..900).contains(&at) {
            continue;
        }
        for change in [0xff, 0x01, 0x80] {
            let mut bytes = good.clone();
            bytes[at] ^= change;
            let Ok(zip) = opened(bytes) else { continue };
            let _ = Tree::build(&zip.entries, true);
            for entry in &zip.entries {
                let _ = zip.locate(entry);
                let _: Result<Vec<u8>, Error> = zip.inflate(entry);
            }
        }
    }
}

#[test]
fn no_cut_makes_it_panic() {
    let good = sample();
    for length in 0..good.len() {
        assert!(opened(good[..length].to_vec()).is_err(), "{length}");
    }
}

#[test]
fn content_that_is_not_what_the_directory_says_is_an_error() {
    let good = zip(&[("a", &[5; 2000], true, 0)]);
    let directory = good.len() - 22 - 47;
    for (field, value) in [(16, 1u32), (20, 1), (20, 30), (24, 1999), (24, 2001), (24, u32::MAX)] {
        let mut bytes = good.clone();
        bytes[directory + field..directory + field + 4].copy_from_slice(&value.to_le_bytes());
        let result = opened(bytes).and_then(|zip| zip.inflate(&zip.entries[0]).map_err(|error| error.to_string()));
        assert!(result.is_err(), "field {field} = {value}");
    }
}

#[test]
fn missing_folders_are_made_up_and_the_first_of_two_counts() {
    let tree = tree(&["a/b/c", "a/d", "a/d"]).unwrap();
    let a = tree.child(ROOT, b"a").unwrap();
    let b = tree.child(a, b"b").unwrap();
    assert!(tree.child(b, b"c").is_some());
    assert_eq!(tree.get(b).unwrap().mode, 0o500);
    let d = tree.child(a, b"d").unwrap();
    assert!(matches!(tree.get(d).unwrap().kind, Kind::File(1)));
    assert!(tree.child(d, b"x").is_none());
}

#[test]
fn modes_are_the_zips_or_by_folder_and_never_writable() {
    let entries =
        opened(zip(&[("bin/tool", b"", false, 0), ("text", b"", false, 0), ("lib/so", b"", false, 0o100_777)]))
            .unwrap()
            .entries;
    let mode = |tree: &Tree, folder: &[u8], name: &[u8]| {
        let parent = if folder.is_empty() { ROOT } else { tree.child(ROOT, folder).unwrap() };
        tree.get(tree.child(parent, name).unwrap()).unwrap().mode
    };
    let own = Tree::build(&entries, false).unwrap();
    assert_eq!(mode(&own, b"bin", b"tool"), 0o500);
    assert_eq!(mode(&own, b"", b"text"), 0o400);
    assert_eq!(mode(&own, b"lib", b"so"), 0o555);
    let shared = Tree::build(&entries, true).unwrap();
    assert_eq!(mode(&shared, b"bin", b"tool"), 0o550);
    assert_eq!(mode(&shared, b"", b"bin"), 0o550);
}

#[test]
fn hostile_names_make_the_zip_unusable() {
    for name in ["/etc/passwd", "../up", "a/../b", "a//b", "./a", "a/.", "", "/", "a\0b"] {
        assert!(tree(&[name]).is_err(), "{name:?}");
    }
    assert!(tree(&["a", "a/b"]).is_err());
    assert!(tree(&["a/b", "a"]).is_err());
    assert!(tree(&[&"a/".repeat(65)]).is_err());
    assert!(tree(&[&"x".repeat(256)]).is_err());
}

fn request(operation: u32, node: u64, body: &[u8]) -> Vec<u8> {
    let mut message = ((REQUEST_HEADER_BYTES + body.len()) as u32).to_ne_bytes().to_vec();
    message.extend(operation.to_ne_bytes());
    message.extend(99u64.to_ne_bytes());
    message.extend(node.to_ne_bytes());
    message.resize(REQUEST_HEADER_BYTES, 0);
    message.extend(body);
    message
}

fn served(zip: Vec<u8>, inflated: u64) -> FileSystem<Vec<u8>> {
    let zip = opened(zip).unwrap();
    let tree = Tree::build(&zip.entries, true).unwrap();
    FileSystem::new(zip, tree, Limits { gid: 6000, inflated })
}

/// The fields of the answer, or its errno.
fn ask(files: &FileSystem<Vec<u8>>, operation: u32, node: u64, body: &[u8]) -> Result<Vec<u8>, i32> {
    let mut out = Vec::new();
    files.answer(&request(operation, node, body), &mut out);
    assert_eq!(out[..4], (out.len() as u32).to_ne_bytes());
    assert_eq!(out[8..16], 99u64.to_ne_bytes());
    match i32::from_ne_bytes(out[4..8].try_into().unwrap()) {
        0 => Ok(out[ANSWER_HEADER_BYTES..].to_vec()),
        errno => Err(-errno),
    }
}

fn look_up(files: &FileSystem<Vec<u8>>, path: &str) -> u64 {
    path.split('/').fold(1, |node, name| {
        let answer = ask(files, op::LOOKUP, node, &[name.as_bytes(), b"\0"].concat()).unwrap();
        assert_eq!(answer.len(), 128);
        u64::from_ne_bytes(answer[..8].try_into().unwrap())
    })
}

fn read(files: &FileSystem<Vec<u8>>, node: u64, offset: u64, count: u32) -> Result<Vec<u8>, i32> {
    let mut body = vec![0; 40];
    body[8..16].copy_from_slice(&offset.to_ne_bytes());
    body[16..20].copy_from_slice(&count.to_ne_bytes());
    ask(files, op::READ, node, &body)
}

#[test]
fn agrees_on_the_protocol() {
    let files = served(sample(), 1 << 20);
    let body: Vec<u8> = [7u32, 36, 131_072, u32::MAX].iter().flat_map(|field| field.to_ne_bytes()).collect();
    let answer = ask(&files, op::INIT, 0, &body).unwrap();
    assert_eq!(answer.len(), 64);
    assert_eq!(answer[..8], [7u32.to_ne_bytes(), 31u32.to_ne_bytes()].concat());
    assert_eq!(ask(&files, op::INIT, 0, &[0; 16]).unwrap_err(), libc::EPROTO);
}

#[test]
fn serves_stored_and_inflated_files_while_they_are_open() {
    let files = served(sample(), 1 << 20);
    let stored = look_up(&files, "lib/x86_64/libpayload.so");
    let inflated = look_up(&files, "assets/text");
    assert_eq!(read(&files, stored, 0, 10).unwrap_err(), libc::EBADF);
    for node in [stored, inflated] {
        assert_eq!(ask(&files, op::OPEN, node, &[0; 8]).unwrap().len(), 16);
    }
    assert_eq!(read(&files, stored, 990, 100).unwrap(), [7; 10]);
    assert_eq!(read(&files, inflated, 9, 8).unwrap(), b"deflated");
    assert!(read(&files, inflated, u64::MAX, u32::MAX).unwrap().is_empty());
    ask(&files, op::OPEN, inflated, &[0; 8]).unwrap();
    ask(&files, op::RELEASE, inflated, &[0; 24]).unwrap();
    assert!(read(&files, inflated, 0, 1).is_ok());
    ask(&files, op::RELEASE, inflated, &[0; 24]).unwrap();
    assert_eq!(read(&files, inflated, 0, 1).unwrap_err(), libc::EBADF);
}

#[test]
fn open_compressed_files_are_bounded() {
    let files = served(sample(), 8_999);
    let inflated = look_up(&files, "assets/text");
    assert_eq!(ask(&files, op::OPEN, inflated, &[0; 8]).unwrap_err(), libc::ENOMEM);
}

#[test]
fn nothing_is_opened_for_writing_and_nothing_else_is_there() {
    let files = served(sample(), 1 << 20);
    let text = look_up(&files, "assets/text");
    assert_eq!(ask(&files, op::OPEN, text, &2u32.to_ne_bytes().repeat(2)).unwrap_err(), libc::EROFS);
    assert_eq!(ask(&files, 16, text, &[0; 40]).unwrap_err(), libc::ENOSYS);
    assert_eq!(look_up(&files, "absent"), 0);
    assert_eq!(ask(&files, op::GETATTR, 0, &[0; 16]).unwrap_err(), libc::ENOENT);
    assert_eq!(ask(&files, op::GETATTR, u64::MAX, &[0; 16]).unwrap_err(), libc::ENOENT);
    assert_eq!(ask(&files, op::READDIR, text, &[0; 40]).unwrap_err(), libc::ENOTDIR);
}

#[test]
fn lists_a_folder_in_as_many_answers_as_it_takes() {
    let files = served(sample(), 1 << 20);
    for plus in [false, true] {
        let (mut offset, mut names) = (0u64, Vec::new());
        loop {
            let mut body = vec![0; 40];
            body[8..16].copy_from_slice(&offset.to_ne_bytes());
            body[16..20].copy_from_slice(&200u32.to_ne_bytes());
            let operation = if plus { op::READDIRPLUS } else { op::READDIR };
            let mut answer = &ask(&files, operation, 1, &body).unwrap()[..];
            if answer.is_empty() {
                break;
            }
            while !answer.is_empty() {
                let entry = if plus { &answer[128..] } else { answer };
                offset = u64::from_ne_bytes(entry[8..16].try_into().unwrap());
                let length = u32::from_ne_bytes(entry[16..20].try_into().unwrap()) as usize;
                names.push(String::from_utf8(entry[24..24 + length].to_vec()).unwrap());
                answer = &entry[(24 + length).next_multiple_of(8)..];
            }
        }
        assert_eq!(names, [".", "..", "AndroidManifest.xml", "assets", "bin", "lib"]);
    }
}

#[test]
fn messages_that_are_none_are_not_answered() {
    let files = served(sample(), 1 << 20);
    let mut out = vec![1];
    for message in [&[][..], &[0; 39], &[0; 40], &[0xff; 80]] {
        files.answer(message, &mut out);
        assert!(out.is_empty());
    }
    files.answer(&request(op::FORGET, 1, &[0; 8]), &mut out);
    assert!(out.is_empty());
    for operation in 0..64 {
        for length in 0..48 {
            files.answer(&request(operation, 1, &vec![0xff; length]), &mut out);
            files.answer(&request(operation, 3, &vec![0; length]), &mut out);
        }
    }
}

#[test]
fn a_server_that_dies_is_told_from_one_that_refuses() {
    let said = |words: &[u8]| {
        let (read, write) = crate::sys::pipe().unwrap();
        std::io::Write::write_all(&mut std::fs::File::from(write), words).unwrap();
        super::mounted(read.into()).map_err(|failure: Failure| failure.message)
    };
    assert_eq!(said(b"+"), Ok(()));
    assert!(said(b"").unwrap_err().contains("died"));
    assert_eq!(said(b"no end").unwrap_err(), "cannot mount the package: no end");
}
