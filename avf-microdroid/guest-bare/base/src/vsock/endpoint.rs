//! The protocol of a listener, without any device: packets in, packets out.

use alloc::collections::VecDeque;

use super::connection::{Connection, WINDOW};
use super::packet::{Header, NO_MORE_RECEIVE, NO_MORE_SEND, Op};

const HOST: u64 = 2;
/// Answers that wait for a free buffer; a host that takes none has no right to more.
const MAX_ANSWERS: usize = 32;

/// A listener on a port, with at most one connection.
#[derive(Debug)]
pub struct Endpoint {
    cid: u64,
    port: u32,
    connection: Option<Connection>,
    /// Counts connections, so that nobody goes on with the one before.
    generation: u64,
    answers: VecDeque<Header>,
}

impl Endpoint {
    /// Listens.
    pub fn new(cid: u64, port: u32) -> Self {
        Self { cid, port, connection: None, generation: 0, answers: VecDeque::with_capacity(MAX_ANSWERS) }
    }

    /// The connection that there is, by its number.
    pub fn connected(&self) -> Option<u64> {
        self.connection.as_ref().map(|_| self.generation)
    }

    /// Takes a packet; `data` are the bytes that came after the header.
    pub fn on_packet(&mut self, header: &Header, data: &[u8]) {
        if header.target_cid != self.cid || header.source_cid != HOST {
            return;
        }
        let length = header.length as usize;
        let (Some(data), true) = (data.get(..length), header.is_stream) else { return self.refuse(header) };
        let ours = header.target_port == self.port;
        match &mut self.connection {
            Some(connection) if ours && connection.port == header.source_port => {
                connection.refresh(header.buffer, header.forwarded);
                self.on_packet_of_connection(header, data);
            }
            None if ours && header.op == Op::Request => {
                let mut connection = Connection::new(header.source_port);
                connection.refresh(header.buffer, header.forwarded);
                self.connection = Some(connection);
                self.generation += 1;
                self.answer(Op::Response);
            }
            _ => self.refuse(header),
        }
    }

    fn on_packet_of_connection(&mut self, header: &Header, data: &[u8]) {
        let Some(connection) = &mut self.connection else { return };
        match header.op {
            Op::Data if connection.receive(data) => {}
            Op::CreditUpdate => {}
            Op::CreditRequest => self.answer(Op::CreditUpdate),
            Op::Shutdown => {
                connection.peer_receives &= header.flags & NO_MORE_RECEIVE == 0;
                connection.peer_sends &= header.flags & NO_MORE_SEND == 0;
                if !connection.peer_receives && !connection.peer_sends {
                    self.close();
                }
            }
            Op::Reset => self.connection = None,
            // Data without credit, or what makes no sense here.
            Op::Data | Op::Request | Op::Response | Op::Unknown(_) => self.close(),
        }
    }

    /// Reads what was received of a connection; nothing if it has ended and all was read, 0 if more may come.
    pub fn read(&mut self, generation: u64, target: &mut [u8]) -> Option<usize> {
        let connection = self.current(generation)?;
        let count = connection.read(target);
        let (owes, ended) = (connection.owes_update(), !connection.peer_sends);
        if owes {
            self.answer(Op::CreditUpdate);
        }
        if count == 0 && ended { None } else { Some(count) }
    }

    /// The header of the next packet with at most this many bytes, as far as the peer's credit goes; nothing if the
    /// connection has ended.
    pub fn next_data(&mut self, generation: u64, most: usize) -> Option<(usize, Header)> {
        let connection = self.current(generation).filter(|connection| connection.peer_receives)?;
        let length = connection.credit().min(most);
        connection.count_sent(length);
        let mut header = self.header(Op::Data)?;
        header.length = length as u32;
        Some((length, header))
    }

    /// Asks the peer for its credit.
    pub fn ask_for_credit(&mut self) {
        if !self.answers.iter().any(|answer| answer.op == Op::CreditRequest) {
            self.answer(Op::CreditRequest);
        }
    }

    /// Ends the connection at once.
    pub fn close(&mut self) {
        self.answer(Op::Reset);
        self.connection = None;
    }

    /// Forgets the connection, because the device has lost it.
    pub fn lose(&mut self) {
        self.connection = None;
        self.answers.clear();
    }

    /// The next packet without data that is to be sent.
    pub fn next_answer(&self) -> Option<Header> {
        self.answers.front().copied()
    }

    /// That packet was sent.
    pub fn answered(&mut self) {
        self.answers.pop_front();
    }

    fn current(&mut self, generation: u64) -> Option<&mut Connection> {
        if generation == self.generation { self.connection.as_mut() } else { None }
    }

    fn answer(&mut self, op: Op) {
        if let Some(header) = self.header(op) {
            self.push(header);
        }
    }

    fn header(&mut self, op: Op) -> Option<Header> {
        let connection = self.connection.as_mut()?;
        let (buffer, forwarded) = connection.tell();
        Some(Header {
            source_cid: self.cid,
            target_cid: HOST,
            source_port: self.port,
            target_port: connection.port,
            length: 0,
            is_stream: true,
            op,
            flags: 0,
            buffer,
            forwarded,
        })
    }

    /// Says that there is no such connection; a reset is never answered by another.
    fn refuse(&mut self, header: &Header) {
        if header.op == Op::Reset {
            return;
        }
        self.push(Header {
            source_cid: self.cid,
            target_cid: HOST,
            source_port: header.target_port,
            target_port: header.source_port,
            length: 0,
            is_stream: true,
            op: Op::Reset,
            flags: 0,
            buffer: WINDOW as u32,
            forwarded: 0,
        });
    }

    fn push(&mut self, header: Header) {
        if self.answers.len() < MAX_ANSWERS {
            self.answers.push_back(header);
        }
    }
}
