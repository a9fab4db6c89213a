//! The server against bytes: those of the specification's walk-through and vectors, and those of hostile clients.

mod client;

use std::sync::mpsc;

use adder::adder;
use client::{Client, hex, transact, unhex};

mod adder {
    use std::sync::Arc;
    use std::sync::Mutex;

    use binder_ndk::exception::Exception;
    use binder_ndk::status::{self, Status};
    use binder_ndk::{Binder, Parcel, Service};

    /// `demo.IAdd`: 1 adds; 2 remembers, oneway; 3 calls a callback; 4 gives its argument back; 5 sums up what was
    /// remembered; 6 throws; 7 gives as many bytes as asked for; 8 keeps a callback and calls it oneway.
    pub struct Adder {
        remembered: Mutex<Vec<i32>>,
    }

    pub fn adder() -> Binder {
        Binder::new(Adder { remembered: Mutex::default() })
    }

    impl Service for Adder {
        fn descriptor(&self) -> &str {
            "demo.IAdd"
        }

        fn on_transact(self: Arc<Self>, code: u32, data: &Parcel, reply: &mut Parcel) -> Result<(), Status> {
            let ok = Exception::default();
            match code {
                1 => {
                    let sum = data.read_i32()?.wrapping_add(data.read_i32()?);
                    ok.write(reply)?;
                    reply.write_i32(sum);
                }
                2 => self.remembered.lock().unwrap().push(data.read_i32()?),
                3 => {
                    let callback = data.read_binder()?.ok_or(status::UNEXPECTED_NULL)?;
                    let mut call = Parcel::new();
                    call.write_string(Some("demo.ICb"));
                    call.write_i32(5);
                    let answer = callback.transact(1, call, 0)?;
                    Exception::read(&answer)?;
                    ok.write(reply)?;
                }
                4 => {
                    let binder = data.read_binder()?;
                    ok.write(reply)?;
                    reply.write_binder(binder.as_ref());
                }
                5 => {
                    ok.write(reply)?;
                    let remembered = self.remembered.lock().unwrap();
                    reply.write_string(Some(&format!("{remembered:?}")));
                }
                6 => Exception::service_specific(7, Some("bad")).write(reply)?,
                7 => {
                    let bytes = vec![0; data.read_i32()? as usize];
                    ok.write(reply)?;
                    reply.write_bytes(Some(&bytes));
                }
                8 => {
                    let callback = data.read_binder()?.ok_or(status::UNEXPECTED_NULL)?;
                    let mut call = Parcel::new();
                    call.write_string(Some("demo.ICb"));
                    callback.transact(2, call, 1)?;
                    ok.write(reply)?;
                }
                _ => return Err(status::UNKNOWN_TRANSACTION),
            }
            Ok(())
        }
    }
}

const ROOT: u64 = 3;
const CALLBACK: u64 = 1;
const TOKEN: &str = "09000000640065006d006f002e0049004100640064000000";
const DEC_ROOT: &str = "02000000100000000000000000000000 0300000000000000 0100000000000000";

/// A reply of version 1 or 2 without objects.
fn reply(status: u32, parcel: &str) -> String {
    let parcel = unhex(parcel);
    let head = format!("01000000{}0000000000000000", le(20 + parcel.len() as u32));
    format!("{head}{}{}000000000000000000000000{}", le(status), le(parcel.len() as u32), hex(&parcel))
}

fn le(value: u32) -> String {
    hex(&value.to_le_bytes())
}

fn dec_root(amount: u32) -> String {
    format!("02000000100000000000000000000000 0300000000000000 {} 00000000", le(amount))
}

fn call(code: u32, arguments: &str) -> Vec<u8> {
    transact(ROOT, code, 0, 0, &[unhex(TOKEN), unhex(arguments)].concat(), &[])
}

#[test]
fn shakes_hands_by_the_vector() {
    let text = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/rpc-binder-handshake.json")).unwrap();
    let steps: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let steps: Vec<(bool, Vec<u8>)> = steps
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["direction"] == "C>S", unhex(step["hex"].as_str().unwrap())))
        .collect();
    let mut client = Client::connect(&client::server(adder()));
    // Up to the root object, but for the id, which is random.
    let mut id = Vec::new();
    for (sent, bytes) in &steps[..9] {
        if *sent {
            client.send(bytes);
        } else if bytes.len() == 72 {
            let answer = client.receive(72);
            assert_eq!(answer[..40], bytes[..40]);
            id = answer[40..].to_vec();
        } else {
            assert_eq!(hex(&client.receive(bytes.len())), hex(bytes));
        }
    }
    assert_eq!(id.len(), 32);
    let mut second = client.another();
    let (_, header) = &steps[9];
    second.send(&[&header[..16], &id].concat());
    assert_eq!(second.receive(8), b"cci\0\0\0\0\0");
    // A call that is not of the interface.
    let (_, foreign) = &steps[10];
    client.exchange(&hex(foreign), &format!("{DEC_ROOT}{}", reply(0x8000_0001, "")));
}

#[test]
fn serves_the_walk_through_of_version_2() {
    let mut client = Client::connect(&client::server(adder()));
    client.exchange("02000000 00000000 00000000 00000000 6363690000000000", "0200000000000000");
    client.exchange(&hex(&transact(0, 1, 0, 0, &[], &[])), &reply(0, "01000000"));
    let root = "01000000280000000000000000000000 0000000010000000000000000000000000000000 01000000 0300000000000000
        0c000000 00000000";
    client.exchange(&hex(&transact(0, 0, 0, 0, &[], &[])), root);
    let interface = transact(ROOT, 0x5f4e_5446, 0, 0, &[], &[]);
    client.exchange(&hex(&interface), &format!("{DEC_ROOT}{}", reply(0, TOKEN)));
    client.exchange(&hex(&call(1, "0300000004000000")), &format!("{DEC_ROOT}{}", reply(0, "0000000007000000")));
    let ping = transact(ROOT, 0x5f50_4e47, 0, 0, &[], &[]);
    client.exchange(&hex(&ping), &format!("{DEC_ROOT}{}", reply(0, "")));
}

#[test]
fn serves_versions_0_and_1() {
    for version in [0u32, 1] {
        let mut client = Client::connect(&client::server(adder()));
        client.send(&unhex(&format!("{}0000000000000000000000006363690000000000", le(version))));
        assert_eq!(client.receive(8), unhex(&format!("{}00000000", le(version))));
        let object = "01000000 0300000000000000 0c000000";
        let (root, sum) = if version == 0 {
            (
                format!("01000000 14000000 0000000000000000 00000000 {object}"),
                "01000000 0c000000 0000000000000000 00000000 00000000 07000000".into(),
            )
        } else {
            (reply(0, object), reply(0, "0000000007000000"))
        };
        client.exchange(&hex(&transact(0, 0, 0, 0, &[], &[])), &root);
        client.exchange(&hex(&call(1, "0300000004000000")), &format!("{DEC_ROOT}{sum}"));
    }
}

#[test]
fn answers_with_the_lesser_version() {
    for (offered, agreed) in [(3u32, 2u32), (0xf000_0000, 2), (1, 1)] {
        let mut client = Client::connect(&client::server(adder()));
        client.exchange(
            &format!("{}0000000000000000000000006363690000000000", le(offered)),
            &format!("{}00000000", le(agreed)),
        );
    }
}

#[test]
fn reports_failures_by_status_and_by_exception() {
    let mut client = Client::open(2, &client::server(adder()));
    client.exchange(&hex(&call(99, "")), &format!("{DEC_ROOT}{}", reply(0xffff_ffb6, "")));
    client.exchange(&hex(&call(1, "03000000")), &format!("{DEC_ROOT}{}", reply(0xffff_ffc3, "")));
    client.exchange(&hex(&transact(ROOT, 1, 0, 0, &[0; 8], &[])), &format!("{DEC_ROOT}{}", reply(0x8000_0001, "")));
    let exception = "f8ffffff03000000620061006400 0000 00000000 07000000";
    client.exchange(&hex(&call(6, "")), &format!("{DEC_ROOT}{}", reply(0, exception)));
    client.exchange(&hex(&transact(0, 9, 0, 0, &[], &[])), &reply(0xffff_ffb6, ""));
    // A reply that is too long for a message.
    client.exchange(&hex(&call(7, &le(614_400))), &format!("{DEC_ROOT}{}", reply(0x8000_0002, "")));
    // An address with unknown options.
    client.exchange(&hex(&transact(7, 1, 0, 0, &[], &[])), &reply(0xffff_ffea, ""));
    client.exchange(&hex(&call(1, "0300000004000000")), &format!("{DEC_ROOT}{}", reply(0, "0000000007000000")));
}

#[test]
fn runs_oneway_calls_in_the_order_of_their_numbers() {
    let mut client = Client::open(2, &client::server(adder()));
    let remember = |number: u64| {
        let arguments = [unhex(TOKEN), (number as u32).to_le_bytes().to_vec()].concat();
        transact(ROOT, 2, 1, number, &arguments, &[])
    };
    client.send(&[remember(1), remember(0), remember(2)].concat());
    client.exchange(
        &hex(&call(5, "")),
        &format!(
            "{}{DEC_ROOT}{DEC_ROOT}{}",
            dec_root(2),
            reply(0, "00000000 09000000 5b0030002c00200031002c00200032005d000000")
        ),
    );
}

#[test]
fn calls_the_client_where_it_waits() {
    let mut client = Client::open(2, &client::server(adder()));
    let callback = [unhex(TOKEN), unhex("01000000 0100000000000000 0c000000")].concat();
    client.exchange(
        &hex(&transact(ROOT, 3, 0, 0, &callback, &[24])),
        &hex(&transact(CALLBACK, 1, 0, 0, &unhex("08000000640065006d006f002e00490043006200 00000000 05000000"), &[])),
    );
    client.exchange(
        &format!("0200000010000000 0000000000000000 0100000000000000 0100000000000000 {}", reply(0, "00000000")),
        &format!(
            "02000000100000000000000000000000 0100000000000000 0100000000000000 {DEC_ROOT}{}",
            reply(0, "00000000")
        ),
    );
}

#[test]
fn serves_a_call_within_its_call_of_the_client() {
    let mut client = Client::open(2, &client::server(adder()));
    let callback = [unhex(TOKEN), unhex("01000000 0100000000000000 0c000000")].concat();
    client.send(&transact(ROOT, 3, 0, 0, &callback, &[24]));
    client.receive(16 + 40 + 28);
    // The call of the object gives back both of the references that calls have made.
    client.exchange(&hex(&call(1, "0300000004000000")), &format!("{}{}", dec_root(2), reply(0, "0000000007000000")));
    client.send(&unhex(&reply(0, "00000000")));
    client.receive(32);
    assert_eq!(hex(&client.receive(40)), reply(0, "00000000"));
}

#[test]
fn gives_an_object_of_the_client_back_to_it() {
    let mut client = Client::open(2, &client::server(adder()));
    let arguments = [unhex(TOKEN), unhex("01000000 0100000000000000 0c000000")].concat();
    let answer = "01000000 2c000000 0000000000000000 00000000 14000000 000000000000000000000000
        00000000 01000000 0100000000000000 0c000000 04000000";
    let dec_callback = "02000000100000000000000000000000 0100000000000000 0100000000000000";
    client.exchange(&hex(&transact(ROOT, 4, 0, 0, &arguments, &[24])), &format!("{DEC_ROOT}{answer}{dec_callback}"));
    // Null is given back, too.
    let null = [unhex(TOKEN), unhex("0000000000000000")].concat();
    client.exchange(
        &hex(&transact(ROOT, 4, 0, 0, &null, &[])),
        &format!("{DEC_ROOT}{}", reply(0, "000000000000000000000000")),
    );
}

#[test]
fn calls_without_a_waiting_client_need_a_connection_for_them() {
    let server = client::server(adder());
    let mut client = Client::open(2, &server);
    let callback = [unhex(TOKEN), unhex("01000000 0100000000000000 0c000000")].concat();
    let keep = transact(ROOT, 8, 0, 0, &callback, &[24]);
    client.send(&keep);
    client.receive(64);
    assert_eq!(hex(&client.receive(36)), hex(&unhex(&reply(0xffff_fff5, ""))));
    let mut reverse = client.join(true);
    assert_eq!(reverse.receive(8), b"cci\0\0\0\0\0");
    client.send(&keep);
    let oneway = transact(CALLBACK, 2, 1, 0, &unhex("08000000640065006d006f002e00490043006200 00000000"), &[]);
    assert_eq!(hex(&reverse.receive(oneway.len())), hex(&oneway));
    // The object is not given back before the client has served the call, which may take another way than the reply.
    assert_eq!(hex(&client.receive(32 + 40)), hex(&unhex(&format!("{DEC_ROOT}{}", reply(0, "00000000")))));
    let dec_callback = "02000000100000000000000000000000 0100000000000000 0100000000000000";
    client.exchange(dec_callback, dec_callback);
}

#[test]
fn further_connections_are_as_many_as_threads() {
    let server = client::server_with(adder(), 2);
    let mut client = Client::open(2, &server);
    let mut second = client.join(false);
    second.exchange(&hex(&call(1, "0300000004000000")), &format!("{DEC_ROOT}{}", reply(0, "0000000007000000")));
    let mut third = client.join(false);
    third.expect_end();
    client.expect_end();
    second.expect_end();
}

#[test]
fn a_session_ends_with_its_last_reference() {
    let mut client = Client::open(2, &client::server(adder()));
    client.send(&unhex(DEC_ROOT));
    client.expect_end();
}

#[test]
fn broken_handshakes_are_closed() {
    let handshakes = [
        // An id of another size, an unknown one, no cci.
        "02000000000000000000000000001f00".to_owned(),
        format!("02000000000000000000000000002000{}6363690000000000", "00".repeat(32)),
        "02000000000000000000000000000000 6363780000000000".to_owned(),
    ];
    for handshake in handshakes {
        let mut client = Client::connect(&client::server(adder()));
        client.send(&unhex(&handshake));
        client.expect_end();
    }
    // Begun with calls of the server, or with descriptors: closed after the answer.
    for header in ["02000000010000000000000000000000", "02000000000100000000000000000000"] {
        let mut client = Client::connect(&client::server(adder()));
        client.exchange(header, "0200000000000000");
        client.expect_end();
    }
}

#[test]
fn hostile_messages_end_their_session_only() {
    let server = client::server(adder());
    let mut bystander = Client::open(2, &server);
    let object = |bytes: &str| [unhex(TOKEN), unhex(bytes)].concat();
    let messages: Vec<(&str, Vec<u8>)> = vec![
        ("unknown command", unhex("03000000000000000000000000000000")),
        ("long body", unhex("00000000010096000000000000000000")),
        ("all the memory", unhex("00000000ffffffff0000000000000000")),
        ("short transaction", [unhex("00000000270000000000000000000000"), vec![0; 39]].concat()),
        ("unasked reply", unhex(&reply(0, ""))),
        ("long DEC_STRONG", [unhex("02000000140000000000000000000000"), vec![0; 20]].concat()),
        ("DEC_STRONG of nothing", unhex("02000000100000000000000000000000 0300000000000000 0000000000000000")),
        ("DEC_STRONG of too much", unhex("02000000100000000000000000000000 0300000000000000 0200000000000000")),
        ("DEC_STRONG of nobody", unhex("02000000100000000000000000000000 0300000001000000 0100000000000000")),
        ("call of nobody", transact(3 | 9 << 32, 1, 0, 0, &[], &[])),
        ("call of its own object", transact(CALLBACK, 1, 0, 0, &[], &[])),
        ("special and oneway", transact(0, 1, 1, 0, &[], &[])),
        ("parcel beyond message", {
            let mut message = transact(ROOT, 1, 0, 0, &[0; 8], &[]);
            message[40] = 9;
            message
        }),
        ("odd table", {
            let mut message = transact(ROOT, 1, 0, 0, &[0; 8], &[]);
            message[40] = 6;
            message
        }),
        ("object beyond parcel", transact(ROOT, 1, 0, 0, &[1, 0, 0, 0], &[0])),
        ("position far away", transact(ROOT, 1, 0, 0, &[0; 16], &[u32::MAX - 3])),
        ("null in the table", transact(ROOT, 4, 0, 0, &object("0000000000000000 0000000000000000"), &[24])),
        ("descriptor", transact(ROOT, 4, 0, 0, &object("02000000 0000000000000000 0c000000"), &[24])),
        ("no stability", transact(ROOT, 4, 0, 0, &object("01000000 0100000000000000 00000000"), &[24])),
        (
            "object of the server that is not there",
            transact(ROOT, 4, 0, 0, &object("01000000 0300000005000000 0c000000"), &[24]),
        ),
        ("unknown options", transact(ROOT, 4, 0, 0, &object("01000000 0500000005000000 0c000000"), &[24])),
        (
            "overlapping objects",
            transact(ROOT, 4, 0, 0, &object(&"01000000 0100000001000000 0c000000".repeat(2)), &[24, 28]),
        ),
        (
            "unsorted objects",
            transact(ROOT, 4, 0, 0, &object(&"01000000 0100000000000000 0c000000".repeat(2)), &[40, 24]),
        ),
        ("used number", [transact(ROOT, 2, 1, 0, &[], &[]), transact(ROOT, 2, 1, 0, &[], &[])].concat()),
        ("number far ahead", transact(ROOT, 2, 1, 2000, &[], &[])),
    ];
    for (what, message) in messages {
        let mut client = Client::open(2, &server);
        client.send(&message);
        client.expect_end_after(what);
    }
    bystander.exchange(&hex(&call(1, "0300000004000000")), &format!("{DEC_ROOT}{}", reply(0, "0000000007000000")));
}

#[test]
fn objects_and_nested_calls_are_bounded() {
    let server = client::server(adder());
    let mut client = Client::open(2, &server);
    let mut parcel = unhex(TOKEN);
    let mut positions = Vec::new();
    for number in 0..4096u64 {
        positions.push(parcel.len() as u32);
        parcel.extend([1, 0, 0, 0]);
        parcel.extend((number << 32 | 1).to_le_bytes());
        parcel.extend([12, 0, 0, 0]);
    }
    client.send(&transact(ROOT, 1, 0, 0, &parcel, &positions));
    client.expect_end_after("too many objects");
    let mut client = Client::open(2, &server);
    let callback = [unhex(TOKEN), unhex("01000000 0100000000000000 0c000000")].concat();
    for _ in 0..64 {
        client.send(&transact(ROOT, 3, 0, 0, &callback, &[24]));
    }
    client.expect_end_after("too many nested calls");
}

#[test]
fn a_binder_that_is_not_listed_is_refused_to_the_service() {
    let mut client = Client::open(2, &client::server(adder()));
    let arguments = [unhex(TOKEN), unhex("01000000 0100000000000000 0c000000")].concat();
    client.exchange(&hex(&transact(ROOT, 4, 0, 0, &arguments, &[])), &format!("{DEC_ROOT}{}", reply(0xffff_ffea, "")));
    // And a listed one is no number.
    let listed = [unhex(TOKEN), unhex("01000000 0100000000000000 0c000000")].concat();
    client.send(&transact(ROOT, 1, 0, 0, &listed, &[24]));
    let answer = hex(&client.receive(64 + 36));
    assert!(answer.ends_with(&reply(0xffff_ffff, "")), "{answer}");
}

#[test]
fn sessions_are_as_many_as_allowed() {
    let server = client::server(adder());
    let mut clients: Vec<Client> = (0..16).map(|_| Client::open(2, &server)).collect();
    let mut late = Client::connect(&server);
    late.send(&unhex("0200000000000000000000000000000063636900 00000000"));
    late.receive(8);
    late.expect_end();
    // Room again after one has gone.
    let (sender, receiver) = mpsc::channel();
    drop(clients.pop());
    let again = server.clone();
    std::thread::spawn(move || {
        for _ in 0..200 {
            let mut client = Client::connect(&again);
            client.send(&unhex("0200000000000000000000000000000063636900 00000000"));
            client.receive(8);
            client.send(&transact(0, 1, 0, 0, &[], &[]));
            if client.try_receive(40).is_some() {
                sender.send(()).unwrap();
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    receiver.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
}
