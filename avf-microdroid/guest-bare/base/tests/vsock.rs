//! The driver against a device that does what it should, and against one that does not.

mod device;

use avf_bare::virtio::VirtioError;
use avf_bare::vsock::{Op, VsockError, WINDOW};
use device::{CID, Device, EVENT, HOST, HOST_PORT, PORT, listen, step};

#[test]
fn agrees_on_virtio_1_and_the_platforms_memory_alone() {
    let (device, pool) = Device::new();
    listen(&device, pool, vec![]).unwrap();
    assert_eq!(device.accepted.get(), 3 << 32);
    assert_eq!(device.status(), 15);
    for ring in *device.rings.borrow() {
        assert!(ring.ready && ring.size == 8);
    }
    let (plain, pool) = Device::new();
    plain.features.set(1 << 32);
    listen(&plain, pool, vec![]).unwrap();
    assert_eq!(plain.accepted.get(), 1 << 32);
}

#[test]
fn refuses_a_device_that_it_cannot_drive() {
    for (spoil, error) in [
        ((|device| device.features.set(1 << 29)) as fn(&Device), VirtioError::NotModern),
        (|device| device.refuses_features.set(true), VirtioError::FeaturesRefused),
        (|device| device.queue_max.set(4), VirtioError::QueueUnusable(0)),
        (|device| device.rings.borrow_mut()[1].ready = true, VirtioError::QueueUnusable(1)),
    ] {
        let (device, pool) = Device::new();
        spoil(&device);
        assert_eq!(listen(&device, pool, vec![]).err(), Some(VsockError::Device(error)));
        assert_eq!(device.status(), 0x80);
    }
}

#[test]
fn serves_one_connection_after_the_other() {
    let (device, pool) = Device::new();
    let steps = vec![
        step(&device, |device| device.packet(Op::Request, &[])),
        step(&device, |device| device.packet(Op::Data, b"ping")),
        step(&device, |device| device.packet(Op::Reset, &[])),
        step(&device, |device| device.packet_with(Op::Request, &[], |header| header.source_port = 9)),
    ];
    let mut vsock = listen(&device, pool, steps).unwrap();
    let connection = vsock.accept().unwrap();
    let (response, _) = device.next().unwrap();
    assert_eq!((response.op, response.source_cid, response.target_cid), (Op::Response, CID, HOST));
    assert_eq!((response.source_port, response.target_port, response.buffer), (PORT, HOST_PORT, WINDOW as u32));
    let mut ping = [0; 4];
    vsock.read_exact(connection, &mut ping).unwrap();
    assert_eq!(&ping, b"ping");
    vsock.write_all(connection, b"pong").unwrap();
    let (header, data) = device.next().unwrap();
    assert_eq!((header.op, &data[..], header.forwarded), (Op::Data, &b"pong"[..], 4));
    assert_eq!(vsock.read_exact(connection, &mut ping), Err(VsockError::Closed));
    let next = vsock.accept().unwrap();
    assert_ne!(next, connection);
    assert_eq!(vsock.write_all(connection, b"late"), Err(VsockError::Closed));
    vsock.close(connection).unwrap();
    assert_eq!(device.ops(), [Op::Response]);
    vsock.close(next).unwrap();
    assert_eq!(device.ops(), [Op::Reset]);
}

#[test]
fn refuses_what_belongs_to_no_connection() {
    let (device, pool) = Device::new();
    let steps = vec![
        step(&device, |device| device.packet(Op::Data, b"early")),
        step(&device, |device| device.packet_with(Op::Request, &[], |header| header.target_port = 1)),
        step(&device, |device| device.packet_with(Op::Request, &[], |header| header.is_stream = false)),
        step(&device, |device| device.packet_with(Op::Request, &[], |header| header.length = 1)),
        step(&device, |device| assert_eq!(device.ops(), [Op::Reset; 4])),
        step(&device, |device| device.packet(Op::Reset, &[])),
        step(&device, |device| device.packet_with(Op::Request, &[], |header| header.source_cid = 3)),
        step(&device, |device| device.packet_with(Op::Request, &[], |header| header.target_cid = 3)),
        step(&device, |device| device.deliver(&[1; 43])),
        step(&device, |device| assert_eq!(device.ops(), [])),
        step(&device, |device| device.packet(Op::Request, &[])),
    ];
    let mut vsock = listen(&device, pool, steps).unwrap();
    vsock.accept().unwrap();
}

#[test]
fn a_second_connection_is_refused_and_the_first_goes_on() {
    let (device, pool) = Device::new();
    let steps = vec![
        step(&device, |device| device.packet(Op::Request, &[])),
        step(&device, |device| device.packet_with(Op::Request, &[], |header| header.source_port = 9)),
        step(&device, |device| {
            assert_eq!(device.ops(), [Op::Response, Op::Reset]);
            device.packet(Op::Data, b"x");
        }),
    ];
    let mut vsock = listen(&device, pool, steps).unwrap();
    let connection = vsock.accept().unwrap();
    vsock.read_exact(connection, &mut [0]).unwrap();
}

#[test]
fn sends_no_more_than_the_peer_has_room_for() {
    let (device, pool) = Device::new();
    let steps = vec![
        step(&device, |device| device.packet_with(Op::Request, &[], |header| header.buffer = 10)),
        step(&device, |device| {
            assert_eq!(device.next().unwrap().0.op, Op::Response);
            assert_eq!(device.next().unwrap().1, [5; 10]);
            assert_eq!(device.ops(), [Op::CreditRequest]);
            // More than was ever sent: a lie that must not give credit.
            device.packet_with(Op::CreditUpdate, &[], |header| (header.buffer, header.forwarded) = (10, 11));
        }),
        step(&device, |device| {
            assert!(device.ops().iter().all(|op| *op == Op::CreditRequest));
            device.packet_with(Op::CreditUpdate, &[], |header| (header.buffer, header.forwarded) = (10, 4));
        }),
        step(&device, |device| {
            assert_eq!(device.next().unwrap().1, [5; 4]);
            device.ops();
            device.packet_with(Op::CreditUpdate, &[], |header| (header.buffer, header.forwarded) = (100_000, 14));
        }),
    ];
    let mut vsock = listen(&device, pool, steps).unwrap();
    let connection = vsock.accept().unwrap();
    vsock.write_all(connection, &[5; 20]).unwrap();
    assert_eq!(device.next().unwrap().1, [5; 6]);
    vsock.write_all(connection, &[6; 10_000]).unwrap();
    device.collect();
    let lengths: Vec<_> = device.sent.borrow().iter().map(|(_, data)| data.len()).collect();
    assert_eq!(lengths, [4052, 4052, 1896]);
}

#[test]
fn waits_until_a_device_that_is_slow_to_send_has_a_buffer_again() {
    let (device, pool) = Device::new();
    let steps = vec![
        step(&device, |device| device.packet(Op::Request, &[])),
        step(&device, |device| device.collect()),
        step(&device, |device| device.collect()),
    ];
    let mut vsock = listen(&device, pool, steps).unwrap();
    let connection = vsock.accept().unwrap();
    vsock.write_all(connection, &vec![1; 16 * 4052]).unwrap();
    device.collect();
    let sum: usize = device.sent.borrow().iter().map(|(_, data)| data.len()).sum();
    assert_eq!(sum, 16 * 4052);
}

#[test]
fn tells_the_peer_when_half_of_its_credit_is_free_again() {
    let (device, pool) = Device::new();
    let data = |device: &Device| {
        for _ in 0..8 {
            device.packet(Op::Data, &[3; 4052]);
        }
    };
    let steps = vec![
        step(&device, |device| device.packet(Op::Request, &[])),
        step(&device, data),
        step(&device, data),
        step(&device, |device| device.packet(Op::CreditRequest, &[])),
        step(&device, |device| device.packet(Op::Data, &[4])),
    ];
    let mut vsock = listen(&device, pool, steps).unwrap();
    let connection = vsock.accept().unwrap();
    assert_eq!(device.ops(), [Op::Response]);
    vsock.read_exact(connection, &mut vec![0; 8 * 4052]).unwrap();
    assert_eq!(device.ops(), []);
    vsock.read_exact(connection, &mut vec![0; 4052]).unwrap();
    let (update, _) = device.next().unwrap();
    assert_eq!((update.op, update.forwarded, update.buffer), (Op::CreditUpdate, 9 * 4052, WINDOW as u32));
    vsock.read_exact(connection, &mut vec![0; 7 * 4052 + 1]).unwrap();
    let (update, _) = device.next().unwrap();
    assert_eq!((update.op, update.forwarded), (Op::CreditUpdate, 16 * 4052));
}

#[test]
fn resets_a_peer_that_sends_without_credit_or_out_of_turn() {
    let too_much = |device: &Device| {
        for _ in 0..8 {
            device.packet_with(Op::Data, &[0; 4052], |header| header.buffer = 0);
        }
    };
    let cases: [fn(&Device); 4] = [
        |device| device.packet(Op::Request, &[]),
        |device| device.packet(Op::Response, &[]),
        |device| device.packet(Op::Unknown(9), &[]),
        |device| device.packet_with(Op::Shutdown, &[], |header| header.flags = 3),
    ];
    for case in cases {
        let (device, pool) = Device::new();
        let steps = vec![step(&device, |device| device.packet(Op::Request, &[])), step(&device, case)];
        let mut vsock = listen(&device, pool, steps).unwrap();
        let connection = vsock.accept().unwrap();
        assert_eq!(vsock.read_exact(connection, &mut [0]), Err(VsockError::Closed));
        assert_eq!(device.ops(), [Op::Response, Op::Reset]);
    }
    let (device, pool) = Device::new();
    let steps = vec![
        step(&device, |device| device.packet_with(Op::Request, &[], |header| header.buffer = 0)),
        step(&device, too_much),
        step(&device, too_much),
        step(&device, too_much),
    ];
    let mut vsock = listen(&device, pool, steps).unwrap();
    let connection = vsock.accept().unwrap();
    // It waits for room to write, and reads nothing meanwhile.
    assert_eq!(vsock.write_all(connection, b"x"), Err(VsockError::Closed));
    assert_eq!(*device.ops().last().unwrap(), Op::Reset);
}

#[test]
fn reads_to_the_end_after_the_peer_has_said_that_it_sends_no_more() {
    let (device, pool) = Device::new();
    let steps = vec![
        step(&device, |device| device.packet(Op::Request, &[])),
        step(&device, |device| {
            device.packet(Op::Data, b"last");
            device.packet_with(Op::Shutdown, &[], |header| header.flags = 2);
        }),
    ];
    let mut vsock = listen(&device, pool, steps).unwrap();
    let connection = vsock.accept().unwrap();
    let mut last = [0; 4];
    vsock.read_exact(connection, &mut last).unwrap();
    assert_eq!(&last, b"last");
    vsock.write_all(connection, b"thanks").unwrap();
    assert_eq!(vsock.read_exact(connection, &mut last), Err(VsockError::Closed));
}

#[test]
fn an_event_ends_all_connections() {
    let (device, pool) = Device::new();
    let steps = vec![
        step(&device, |device| device.packet(Op::Request, &[])),
        step(&device, |device| {
            let (id, _, length, _) = device.take(EVENT).unwrap();
            assert_eq!(length, 8);
            device.use_up(EVENT, id, 4);
        }),
    ];
    let mut vsock = listen(&device, pool, steps).unwrap();
    let connection = vsock.accept().unwrap();
    assert_eq!(vsock.read_exact(connection, &mut [0]), Err(VsockError::Closed));
}

#[test]
fn stops_when_the_device_breaks_its_rules() {
    type Lie = fn(&Device);
    let lies = [
        ((|device| device.used_lie.set([8, 0])) as Lie, VirtioError::UsedNotGiven(8)),
        (|device| device.used_lie.set([u32::MAX, 0]), VirtioError::UsedNotGiven(u32::MAX)),
        (|device| device.used_lie.set([0, 5000]), VirtioError::UsedTooLong(5044)),
        (|device| device.index_lie.set(8), VirtioError::UsedTooMany),
        (|device| device.index_lie.set(u16::MAX - 1), VirtioError::UsedTooMany),
    ];
    for (lie, error) in lies {
        let (device, pool) = Device::new();
        let act = move |device: &Device| {
            lie(device);
            device.packet(Op::Request, &[]);
        };
        let mut vsock = listen(&device, pool, vec![step(&device, act)]).unwrap();
        assert_eq!(vsock.accept(), Err(VsockError::Device(error)));
    }
    let (device, pool) = Device::new();
    let mut vsock = listen(&device, pool, vec![step(&device, Device::break_down)]).unwrap();
    assert_eq!(vsock.accept(), Err(VsockError::Device(VirtioError::NeedsReset)));
}

/// A buffer that is used twice is used once too often.
#[test]
fn a_buffer_is_taken_back_once() {
    let (device, pool) = Device::new();
    let act = |device: &Device| {
        device.packet(Op::Request, &[]);
        device.use_up(device::SEND, 0, 0);
    };
    let mut vsock = listen(&device, pool, vec![step(&device, act)]).unwrap();
    assert_eq!(vsock.accept(), Err(VsockError::Device(VirtioError::UsedTooMany)));
}
