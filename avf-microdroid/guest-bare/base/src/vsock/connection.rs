//! One connection: what was received and not yet read, and the credit of both sides.

use alloc::collections::VecDeque;

/// The bytes that a connection buffers, which is the credit of its peer.
pub const WINDOW: usize = 64 * 1024;

/// A stream between a port of the host and ours. All counts are modulo 2^32, as in packets.
#[derive(Debug)]
pub(super) struct Connection {
    pub port: u32,
    received: VecDeque<u8>,
    forwarded: u32,
    /// What the peer was last told of `forwarded`.
    told: u32,
    sent: u32,
    peer_buffer: u32,
    peer_forwarded: u32,
    pub peer_sends: bool,
    pub peer_receives: bool,
}

impl Connection {
    pub fn new(port: u32) -> Self {
        Self {
            port,
            received: VecDeque::with_capacity(WINDOW),
            forwarded: 0,
            told: 0,
            sent: 0,
            peer_buffer: 0,
            peer_forwarded: 0,
            peer_sends: true,
            peer_receives: true,
        }
    }

    /// What every packet of the peer says of its buffer.
    pub fn refresh(&mut self, buffer: u32, forwarded: u32) {
        self.peer_buffer = buffer;
        self.peer_forwarded = forwarded;
    }

    /// Keeps what was received; returns whether the peer had credit for it.
    pub fn receive(&mut self, data: &[u8]) -> bool {
        let fits = self.peer_sends && self.received.len() + data.len() <= WINDOW;
        if fits {
            self.received.extend(data);
        }
        fits
    }

    /// Moves what was received into the target, as far as there is something; returns the number of bytes.
    pub fn read(&mut self, target: &mut [u8]) -> usize {
        let count = target.len().min(self.received.len());
        for (byte, received) in target.iter_mut().zip(self.received.drain(..count)) {
            *byte = received;
        }
        self.forwarded = self.forwarded.wrapping_add(count as u32);
        count
    }

    /// Whether the peer thinks that less than half of the window is free though more is.
    pub fn owes_update(&self) -> bool {
        self.forwarded.wrapping_sub(self.told) as usize >= WINDOW / 2
    }

    /// What a packet to the peer says of our buffer; the peer knows it from now on.
    pub fn tell(&mut self) -> (u32, u32) {
        self.told = self.forwarded;
        (WINDOW as u32, self.forwarded)
    }

    /// The bytes that the peer has room for. A peer that has forwarded more than was sent has none.
    pub fn credit(&self) -> usize {
        let on_the_way = self.sent.wrapping_sub(self.peer_forwarded);
        self.peer_buffer.saturating_sub(on_the_way) as usize
    }

    /// Counts what is sent; the caller has looked at the credit.
    pub fn count_sent(&mut self, bytes: usize) {
        self.sent = self.sent.wrapping_add(bytes as u32);
    }
}
