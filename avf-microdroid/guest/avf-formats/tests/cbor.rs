//! CBOR: the examples of RFC 8949, and what is refused.

mod vectors;

use avf_formats::cbor::{CborError, Limits, Value, Writer, decode, decode_within};
use vectors::{SplitMix, bytes, mutate};

fn unhex(digits: &str) -> Vec<u8> {
    vectors::hex(&serde_json::Value::from(digits))
}

fn refused(digits: &str) -> CborError {
    decode(&unhex(digits)).expect_err(digits)
}

#[test]
fn reads_the_integers_of_the_specification() {
    let examples = [
        ("00", 0),
        ("17", 23),
        ("1818", 24),
        ("190100", 256),
        ("1a000f4240", 1_000_000),
        ("1b000000e8d4a51000", 1_000_000_000_000),
        ("20", -1),
        ("3863", -100),
        ("3903e7", -1000),
        ("3b7fffffffffffffff", i64::MIN),
    ];
    for (digits, number) in examples {
        assert_eq!(decode(&unhex(digits)).unwrap().as_i64(), Ok(number));
        let mut out = Writer::new();
        out.integer(number);
        assert_eq!(out.finish(), unhex(digits));
    }
    assert_eq!(decode(&unhex("1bffffffffffffffff")).unwrap().as_u64(), Ok(u64::MAX));
    assert!(decode(&unhex("1bffffffffffffffff")).unwrap().as_i64().is_err());
    assert!(decode(&unhex("3bffffffffffffffff")).unwrap().as_i64().is_err());
}

#[test]
fn reads_the_floating_point_numbers_of_the_specification() {
    let examples = [
        ("f90000", 0.0),
        ("f93c00", 1.0),
        ("fb3ff199999999999a", 1.1),
        ("f97bff", 65504.0),
        ("fa47c35000", 100_000.0),
        ("fb7e37e43c8800759c", 1.0e300),
        ("f90001", 5.960_464_477_539_063e-8),
        ("f90400", 0.000_061_035_156_25),
        ("f9c400", -4.0),
        ("f97c00", f64::INFINITY),
    ];
    for (digits, number) in examples {
        assert_eq!(decode(&unhex(digits)).unwrap().value(), &Value::Float(number), "{digits}");
    }
    assert!(matches!(decode(&unhex("f97e00")).unwrap().value(), Value::Float(number) if number.is_nan()));
}

#[test]
fn refuses_floating_point_numbers_longer_than_needed() {
    for digits in
        ["fa3f800000", "fa33800000", "fb3ff0000000000000", "fa7f800000", "fa7fc00000", "f97e01", "fb7ff8000000000000"]
    {
        assert_eq!(refused(digits).position, 0, "{digits}");
    }
    // Below half precision's smallest, its last bit, and one bit more than it has.
    for (digits, fits_single) in [("fa33000000", true), ("fa3f802000", false), ("fa3f801000", true)] {
        assert_eq!(decode(&unhex(digits)).is_ok(), fits_single, "{digits}");
    }
}

#[test]
fn refuses_heads_longer_than_needed_and_indefinite_lengths() {
    for digits in ["1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "5800", "f800", "f81f", "1c", "fc"] {
        assert_eq!(refused(digits).position, 0, "{digits}");
    }
    for digits in ["5f4101ff", "7f6161ff", "9f01ff", "bf0102ff", "ff"] {
        assert_eq!(refused(digits).position, 0, "{digits}");
    }
}

#[test]
fn refuses_a_key_that_occurs_twice_and_takes_any_order() {
    let item = unhex("a3020001000300");
    let map = decode(&item).unwrap();
    let keys: Vec<_> = map.as_map().unwrap().iter().map(|(key, _)| key.as_i64().unwrap()).collect();
    assert_eq!(keys, [2, 1, 3]);
    assert_eq!(refused("a3020001000200"), CborError { position: 5, reason: "map key occurs twice".into() });
}

#[test]
fn refuses_text_that_is_not_utf8_and_bytes_after_the_item() {
    assert_eq!(refused("62c328").position, 1);
    assert_eq!(refused("0000").reason, "1 bytes follow the end of the item");
    assert_eq!(refused("").position, 0);
}

#[test]
fn refuses_lying_counts_before_it_allocates() {
    for digits in ["9bffffffffffffffff", "bb7fffffffffffffff", "9a00010000", "5b7fffffffffffffff", "83838301"] {
        refused(digits);
    }
}

#[test]
fn refuses_what_is_nested_deeper_than_allowed() {
    let mut deep = vec![0x81; 32];
    deep.push(0);
    assert!(decode(&deep).is_ok());
    deep.insert(0, 0x81);
    assert_eq!(decode(&deep).unwrap_err().reason, "nested deeper than 32");
    let endless = vec![0xc1; 1 << 16];
    assert_eq!(decode(&endless).unwrap_err().position, 32);
}

#[test]
fn refuses_what_is_beyond_the_limits() {
    let limits = Limits { bytes: 4, depth: 1, items: 2 };
    assert!(decode_within(&[0x82, 1, 2], 0, limits).is_err());
    assert!(decode_within(&[0x81, 1], 0, limits).is_ok());
    assert_eq!(decode_within(&[0x44, 1, 2, 3, 4], 10, limits).unwrap_err().position, 10);
}

#[test]
fn counts_positions_from_the_start_of_the_outermost_document() {
    let error = decode_within(&[0x82, 0, 0x18, 0], 100, Limits::DEFAULT).unwrap_err();
    assert_eq!(error.position, 102);
    let item = [0x42, 1, 2];
    assert_eq!(decode_within(&item, 7, Limits::DEFAULT).unwrap().content_position(), Ok(8));
}

#[test]
fn says_what_it_wanted_and_what_it_found() {
    let item = decode(&[0x61, b'a']).unwrap();
    assert_eq!(
        item.as_bytes().unwrap_err().to_string(),
        "CBOR: must be a byte string but is a text string (at byte 0)"
    );
    assert_eq!(decode(&[0xa0]).unwrap().require(-5).unwrap_err().reason, "map has no entry -5");
    assert_eq!(decode(&[0xa0]).unwrap().require_text("a").unwrap_err().reason, "map has no entry \"a\"");
}

#[test]
fn writes_what_it_reads() {
    let mut out = Writer::new();
    out.map(3).text("a").array(2).tag(24).bytes(&[1; 300]).bool(true);
    out.text("b").null().unsigned(u64::MAX).array(0);
    let written = out.finish();
    let map = decode(&written).unwrap();
    let list = map.require_text("a").unwrap().as_array().unwrap();
    assert!(matches!(list[0].value(), Value::Tag(24, content) if content.as_bytes() == Ok(&[1; 300][..])));
    assert_eq!(list[1].as_bool(), Ok(true));
    assert!(map.require_text("b").unwrap().is_null());
}

#[test]
#[should_panic(expected = "finish() needs complete items")]
fn an_incomplete_array_is_a_mistake_of_the_program() {
    let mut out = Writer::new();
    out.array(2).array(1).null();
    out.finish();
}

#[test]
fn no_change_of_a_document_makes_a_panic() {
    let original = bytes("avf/pvmfw_test_handover.cbor");
    let mut random = SplitMix(4);
    for _ in 0..5000 {
        let changed = mutate(&original, &mut random);
        if let Ok(item) = decode(&changed) {
            assert_eq!(item.encoded(), changed);
        }
    }
}
