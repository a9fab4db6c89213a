//! A client that sends and expects bytes.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use binder_ndk::Binder;
use binder_ndk::server::{Limits, Server};

const LIMIT: Duration = Duration::from_secs(20);

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(digits: &str) -> Vec<u8> {
    let digits: String = digits.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

pub fn server(root: Binder) -> Arc<Server> {
    server_with(root, 1)
}

pub fn server_with(root: Binder, threads: usize) -> Arc<Server> {
    Server::new(Some(root), Limits { threads, ..Limits::default() })
}

/// A TRANSACT of version 1 or 2.
pub fn transact(target: u64, code: u32, flags: u32, number: u64, parcel: &[u8], table: &[u32]) -> Vec<u8> {
    let mut message = Vec::new();
    for word in [0, (40 + parcel.len() + 4 * table.len()) as u32, 0, 0] {
        message.extend(word.to_le_bytes());
    }
    message.extend(target.to_le_bytes());
    message.extend(code.to_le_bytes());
    message.extend(flags.to_le_bytes());
    message.extend(number.to_le_bytes());
    message.extend((parcel.len() as u32).to_le_bytes());
    message.extend([0; 12]);
    message.extend(parcel);
    message.extend(table.iter().flat_map(|position| position.to_le_bytes()));
    message
}

pub struct Client {
    server: Arc<Server>,
    stream: UnixStream,
}

impl Client {
    pub fn connect(server: &Arc<Server>) -> Self {
        let (own, other) = UnixStream::pair().unwrap();
        own.set_read_timeout(Some(LIMIT)).unwrap();
        own.set_write_timeout(Some(LIMIT)).unwrap();
        server.accepted(other.into());
        Self { server: server.clone(), stream: own }
    }

    pub fn another(&self) -> Self {
        Self::connect(&self.server)
    }

    /// A session that has the root.
    pub fn open(version: u32, server: &Arc<Server>) -> Self {
        let mut client = Self::connect(server);
        client.send(&[&version.to_le_bytes()[..], &[0; 12], b"cci\0\0\0\0\0"].concat());
        client.receive(8);
        client.send(&transact(0, 0, 0, 0, &[], &[]));
        client.receive(if version == 2 { 56 } else { 52 });
        client
    }

    /// Another connection of the session; the server has taken it when this returns.
    pub fn join(&mut self, incoming: bool) -> Self {
        self.send(&transact(0, 2, 0, 0, &[], &[]));
        let id = self.receive(72)[40..].to_vec();
        let mut other = self.another();
        let header = [2, 0, 0, 0, incoming.into(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0];
        let init: &[u8] = if incoming { &[] } else { b"cci\0\0\0\0\0" };
        other.send(&[&header[..], &id, init].concat());
        other
    }

    pub fn send(&mut self, bytes: &[u8]) {
        // A server that has ended the session already is what some tests are about.
        let _ = self.stream.write_all(bytes);
    }

    pub fn receive(&mut self, size: usize) -> Vec<u8> {
        self.try_receive(size).expect("the server has closed the connection")
    }

    pub fn try_receive(&mut self, size: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; size];
        self.stream.read_exact(&mut bytes).ok().map(|()| bytes)
    }

    /// Sends one thing and expects another, in hexadecimal digits.
    pub fn exchange(&mut self, sent: &str, expected: &str) {
        self.send(&unhex(sent));
        let expected = unhex(expected);
        assert_eq!(hex(&self.receive(expected.len())), hex(&expected));
    }

    pub fn expect_end(&mut self) {
        self.expect_end_after("a broken handshake");
    }

    pub fn expect_end_after(&mut self, what: &str) {
        let mut rest = Vec::new();
        // A reset is an end, too; no end within the limit is none.
        if let Err(error) = self.stream.read_to_end(&mut rest) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{what}");
        }
    }
}
