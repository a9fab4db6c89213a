//! Parcels against the strings of libbinder's own wire protocol test, and malformed ones.

use binder_ndk::Parcel;
use binder_ndk::exception::Exception;
use binder_ndk::status::{self, Status};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn written(write: impl FnOnce(&mut Parcel)) -> String {
    let mut parcel = Parcel::new();
    write(&mut parcel);
    hex(parcel.data())
}

/// A parcel whose words are those of the digits.
fn parcel(digits: &str) -> Parcel {
    let mut parcel = Parcel::new();
    let digits: String = digits.split_whitespace().collect();
    for at in (0..digits.len()).step_by(8) {
        let word = u32::from_str_radix(&digits[at..at + 8], 16).unwrap().swap_bytes();
        parcel.write_i32(word as i32);
    }
    parcel.set_position(0).unwrap();
    parcel
}

#[test]
fn writes_and_reads_libbinders_vectors() {
    let strings = [
        ("0300000074006f006b000000", Some("tok")),
        ("0000000000000000", Some("")),
        ("0100000061000000", Some("a")),
        ("04000000620061006200610000000000", Some("baba")),
        ("03000000e4003dd800de0000", Some("\u{e4}\u{1f600}")),
        ("ffffffff", None),
    ];
    for (digits, string) in strings {
        assert_eq!(written(|to| to.write_string(string)), digits);
        assert_eq!(parcel(digits).read_string().unwrap().as_deref(), string);
    }
    let arrays: [(&str, Option<&[u8]>); 4] = [
        ("030000000011ff00", Some(&[0, 17, 255])),
        ("05000000deadbeef01000000", Some(&[0xde, 0xad, 0xbe, 0xef, 1])),
        ("00000000", Some(&[])),
        ("ffffffff", None),
    ];
    for (digits, bytes) in arrays {
        assert_eq!(written(|to| to.write_bytes(bytes)), digits);
        assert_eq!(parcel(digits).read_bytes().unwrap(), bytes);
    }
    assert_eq!(written(|to| to.write_i32(-1)), "ffffffff");
    assert_eq!(written(|to| to.write_i64(17)), "1100000000000000");
    assert_eq!(written(|to| to.write_f32(9.1)), "9a991141");
    assert_eq!(written(|to| to.write_f64(0.1)), "9a9999999999b93f");
    assert_eq!(written(|to| to.write_bool(true)), "01000000");
    assert_eq!(written(|to| to.write_char(b'a'.into())), "61000000");
    assert_eq!(written(|to| to.write_byte(-128)), "80ffffff");
    assert_eq!(written(|to| to.write_binder(None)), "0000000000000000");
    let ints = [-1, 0, 17].map(i32::to_le_bytes);
    assert_eq!(written(|to| to.write_packed(Some(&ints))), "03000000ffffffff0000000011000000");
    assert_eq!(parcel("03000000ffffffff0000000011000000").read_packed::<4>().unwrap().unwrap(), ints);
    let longs = [-1, 0, 17].map(i64::to_le_bytes);
    let digits = "03000000ffffffffffffffff00000000000000001100000000000000";
    assert_eq!(written(|to| to.write_packed(Some(&longs))), digits);
    assert_eq!(parcel(digits).read_packed::<8>().unwrap().unwrap(), longs);
    assert_eq!(parcel("9a9999999999b93f").read_f64(), Ok(0.1));
    assert_eq!(parcel("80ffffff").read_byte(), Ok(-128));
    assert_eq!(parcel("07000000").read_bool(), Ok(true));
    assert!(parcel("0000000000000000").read_binder().unwrap().is_none());
}

#[test]
fn writes_and_reads_exceptions() {
    let exceptions = [
        ("00000000", Exception::default()),
        ("f8ffffff020000003a002f00000000000000000008000000", Exception::service_specific(8, Some(":/"))),
        ("f8ffffff0300000062006100640000000000000007000000", Exception::service_specific(7, Some("bad"))),
        ("fdffffff0300000061007200670000000000000000000000", Exception::new(-3, Some("arg"))),
        ("ffffffffffffffff00000000", Exception::new(-1, None)),
    ];
    for (digits, exception) in exceptions {
        let written = written(|to| exception.write(to).unwrap());
        assert_eq!(written, digits[..written.len()]);
        assert_eq!(Exception::read(&parcel(digits)).unwrap(), exception);
    }
    // Only Java writes these headers.
    assert!(Exception::read(&parcel("80ffffff 08000000 11111111")).unwrap().is_ok());
    assert_eq!(Exception::read(&parcel("81ffffff 08000000 11111111 fbffffff ffffffff 00000000")).unwrap().code, -5);
    // A failed transaction is no exception.
    assert_eq!(Exception::of_status(status::NO_MEMORY).write(&mut Parcel::new()), Err(status::NO_MEMORY));
    assert_eq!(Exception::of_status(-99).error, status::UNKNOWN_ERROR);
}

#[test]
fn malformed_parcels_have_no_values() {
    let string = |parcel: &Parcel| parcel.read_string().map(drop);
    let bytes = |parcel: &Parcel| parcel.read_bytes().map(drop);
    let longs = |parcel: &Parcel| parcel.read_packed::<8>().map(drop);
    let exception = |parcel: &Parcel| Exception::read(parcel).map(drop);
    let object = |parcel: &Parcel| parcel.read_binder().map(drop);
    let number = |parcel: &Parcel| parcel.read_i64().map(drop);
    type Read<'a> = &'a dyn Fn(&Parcel) -> Result<(), Status>;
    let cases: [(&str, Read<'_>, Status); 15] = [
        ("", &string, status::NOT_ENOUGH_DATA),
        ("01000000", &number, status::NOT_ENOUGH_DATA),
        ("01000000 61006100", &string, status::BAD_VALUE),
        ("ffffff7f 00000000", &string, status::BAD_VALUE),
        ("feffff7f 00000000", &string, status::NOT_ENOUGH_DATA),
        ("feffffff 00000000", &string, status::BAD_VALUE),
        ("02000000 61006200", &string, status::NOT_ENOUGH_DATA),
        ("05000000 00000000", &bytes, status::NOT_ENOUGH_DATA),
        ("feffffff 00000000", &bytes, status::BAD_VALUE),
        ("ffffff7f 00000000", &longs, status::NOT_ENOUGH_DATA),
        ("f8ffffff ffffffff 03000000 00000000", &exception, status::UNKNOWN_ERROR),
        ("f8ffffff ffffffff 10000000 00000000", &exception, status::UNKNOWN_ERROR),
        ("f8ffffff ffffffff fcffffff 00000000", &exception, status::UNKNOWN_ERROR),
        ("00000000 0c000000", &object, status::BAD_TYPE),
        ("01000000 03000000 00000000 0c000000", &object, status::BAD_VALUE),
    ];
    for (digits, read, expected) in cases {
        assert_eq!(read(&parcel(digits)), Err(expected), "{digits}");
    }
}

#[test]
fn a_size_is_written_after_what_it_counts() {
    let mut parcel = Parcel::new();
    parcel.write_i32(0);
    parcel.write_string(Some("abc"));
    let end = parcel.position();
    parcel.set_position(0).unwrap();
    parcel.write_i32(end as i32);
    parcel.set_position(end).unwrap();
    parcel.write_i32(9);
    assert_eq!(hex(parcel.data()), "100000000300000061006200630000 0009000000".replace(' ', ""));
    assert_eq!(parcel.set_position(21), Err(status::BAD_VALUE));
}
