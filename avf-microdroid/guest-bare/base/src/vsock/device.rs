//! The driver: an endpoint on the three queues of a device.

use core::fmt;

use super::endpoint::Endpoint;
use super::packet::{HEADER, Header};
use crate::shared::SharedMemory;
use crate::virtio::{BUFFERS, Device, Direction, Queue, Registers, VirtioError};

/// The kind of the device.
const VSOCK: u32 = 19;
const RECEIVE: u32 = 0;
const SEND: u32 = 1;
const EVENT: u32 = 2;
/// A buffer holds a packet; the host divides what is longer.
const BUFFER: usize = 4096;
const EVENT_BUFFER: usize = 8;

const RINGS: usize = Queue::RINGS.next_multiple_of(256);
const BUFFERS_AT: usize = 4096;
const _: () = assert!(3 * RINGS + BUFFERS * EVENT_BUFFER <= BUFFERS_AT);

/// The memory that the driver shares with the host, in bytes; a multiple of the largest page there is, 64 KiB.
pub const POOL: usize = (BUFFERS_AT + 2 * BUFFERS * BUFFER).next_multiple_of(0x1_0000);

/// Waits until a device may have something to say.
pub trait Wait {
    /// Forgets the interrupts so far.
    fn prepare(&self);

    /// Waits for one since, for a bounded time.
    fn wait(&self);
}

/// Why there is no more to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VsockError {
    /// The device breaks its rules.
    Device(VirtioError),
    /// The peer has ended the connection.
    Closed,
}

impl From<VirtioError> for VsockError {
    fn from(error: VirtioError) -> Self {
        Self::Device(error)
    }
}

impl fmt::Display for VsockError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(error) => write!(out, "vsock: {error}"),
            Self::Closed => out.write_str("vsock: the connection has ended"),
        }
    }
}

impl core::error::Error for VsockError {}

/// A listener on a device.
pub struct Vsock<R, W> {
    device: Device<R>,
    idle: W,
    receive: Queue,
    send: Queue,
    event: Queue,
    endpoint: Endpoint,
}

impl<R: Registers, W: Wait> Vsock<R, W> {
    /// Looks for the device behind registers.
    pub fn find(registers: R) -> Option<Device<R>> {
        Device::find(registers, VSOCK)
    }

    /// Starts a device and listens on a port.
    ///
    /// The pool has [`POOL`] bytes of zeros that the host sees.
    pub fn listen(device: Device<R>, pool: &SharedMemory, idle: W, port: u32) -> Result<Self, VsockError> {
        device.begin()?;
        let queue = |index: usize, at: usize, size: usize, direction| {
            Queue::new(pool.part(index * RINGS, RINGS), pool.part(at, size), direction)
        };
        let bytes = BUFFERS * BUFFER;
        let mut receive = queue(0, BUFFERS_AT, bytes, Direction::FromDevice);
        let send = queue(1, BUFFERS_AT + bytes, bytes, Direction::ToDevice);
        let mut event = queue(2, 3 * RINGS, BUFFERS * EVENT_BUFFER, Direction::FromDevice);
        for (index, queue) in [(RECEIVE, &receive), (SEND, &send), (EVENT, &event)] {
            device.add_queue(index, queue)?;
        }
        let endpoint = Endpoint::new(device.config_u64(0), port);
        receive.give_all();
        event.give_all();
        device.finish();
        device.notify(RECEIVE);
        device.notify(EVENT);
        Ok(Self { device, idle, receive, send, event, endpoint })
    }

    /// Waits for a connection and returns its number.
    pub fn accept(&mut self) -> Result<u64, VsockError> {
        self.wait_until(|vsock| Ok(vsock.endpoint.connected()))
    }

    /// Fills the target.
    pub fn read_exact(&mut self, connection: u64, target: &mut [u8]) -> Result<(), VsockError> {
        let mut done = 0;
        while done < target.len() {
            done += self.wait_until(|vsock| {
                let count = vsock.endpoint.read(connection, &mut target[done..]).ok_or(VsockError::Closed)?;
                Ok((count > 0).then_some(count))
            })?;
        }
        self.flush()
    }

    /// Sends all bytes, as the peer has room for them.
    pub fn write_all(&mut self, connection: u64, mut bytes: &[u8]) -> Result<(), VsockError> {
        while !bytes.is_empty() {
            let sent = self.wait_until(|vsock| {
                if vsock.endpoint.connected() != Some(connection) {
                    return Err(VsockError::Closed);
                }
                if !vsock.send.has_free() {
                    return Ok(None);
                }
                let most = bytes.len().min(vsock.send.buffer_size() - HEADER);
                let (length, header) = vsock.endpoint.next_data(connection, most).ok_or(VsockError::Closed)?;
                if length == 0 {
                    vsock.endpoint.ask_for_credit();
                    vsock.flush()?;
                    return Ok(None);
                }
                vsock.send.send(&[&header.bytes(), &bytes[..length]]);
                vsock.device.notify(SEND);
                Ok(Some(length))
            })?;
            bytes = &bytes[sent..];
        }
        Ok(())
    }

    /// Ends the connection, if it is still there.
    pub fn close(&mut self, connection: u64) -> Result<(), VsockError> {
        if self.endpoint.connected() == Some(connection) {
            self.endpoint.close();
        }
        self.flush()
    }

    /// Moves packets until there is an answer.
    fn wait_until<T>(
        &mut self,
        mut look: impl FnMut(&mut Self) -> Result<Option<T>, VsockError>,
    ) -> Result<T, VsockError> {
        loop {
            self.idle.prepare();
            let moved = self.pump()?;
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            if !moved {
                self.idle.wait();
                self.device.acknowledge()?;
            }
        }
    }

    /// Takes what the device has done so far; returns whether it had done anything.
    fn pump(&mut self) -> Result<bool, VsockError> {
        let mut moved = false;
        while self.send.take_used()?.is_some() {
            moved = true;
        }
        while let Some((id, _)) = self.event.take_used()? {
            // There is one event: all connections are lost.
            self.event.read_and_give(id, &mut []);
            self.endpoint.lose();
            moved = true;
        }
        let mut received = false;
        // The host may fill buffers as fast as they are emptied: others have their turn, too.
        for _ in 0..BUFFERS {
            let Some((id, length)) = self.receive.take_used()? else { break };
            let mut packet = [0; BUFFER];
            let packet = &mut packet[..length];
            self.receive.read_and_give(id, packet);
            if let Some((header, data)) = packet.split_first_chunk::<HEADER>() {
                self.endpoint.on_packet(&Header::read(header), data);
            }
            received = true;
        }
        if received {
            self.device.notify(RECEIVE);
        }
        self.flush()?;
        Ok(moved | received)
    }

    fn flush(&mut self) -> Result<(), VsockError> {
        let mut sent = false;
        while let Some(header) = self.endpoint.next_answer() {
            if !self.send.send(&[&header.bytes()]) {
                break;
            }
            self.endpoint.answered();
            sent = true;
        }
        if sent {
            self.device.notify(SEND);
        }
        Ok(())
    }
}
