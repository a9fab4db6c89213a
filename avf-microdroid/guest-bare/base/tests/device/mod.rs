//! A vsock device behind registers, as a test has it do. It reads and writes memory by the addresses that the driver
//! gave it, and nothing else.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ptr::NonNull;
use std::rc::Rc;

use avf_bare::shared::SharedMemory;
use avf_bare::virtio::Registers;
use avf_bare::vsock::{HEADER, Header, Op, POOL, Vsock, VsockError, Wait};

pub const CID: u64 = 7;
pub const HOST: u64 = 2;
pub const PORT: u32 = 5000;
pub const HOST_PORT: u32 = 1234;
pub const RECEIVE: usize = 0;
pub const SEND: usize = 1;
pub const EVENT: usize = 2;

#[derive(Default, Clone, Copy)]
pub struct Ring {
    pub size: u32,
    pub ready: bool,
    pub addresses: [u64; 3],
    taken: u16,
    used: u16,
}

/// What the device is like; what it is not told, it does right.
pub struct Device {
    memory: SharedMemory,
    start: u64,
    registers: RefCell<Vec<(u32, u32)>>,
    selected: Cell<[u32; 3]>,
    status: Cell<u32>,
    pub features: Cell<u64>,
    pub accepted: Cell<u64>,
    pub refuses_features: Cell<bool>,
    pub queue_max: Cell<u32>,
    pub rings: RefCell<[Ring; 3]>,
    pub sent: RefCell<VecDeque<(Header, Vec<u8>)>>,
    /// Added to what is written to used rings.
    pub used_lie: Cell<[u32; 2]>,
    pub index_lie: Cell<u16>,
}

impl Device {
    pub fn new() -> (Rc<Self>, &'static SharedMemory) {
        let words: &'static mut [u64] = vec![0; POOL / 8].leak();
        let start = NonNull::from(&mut words[0]).cast::<u8>();
        // SAFETY: the words are never freed, and nobody else has them.
        let memory = unsafe { SharedMemory::new(start, POOL) };
        let pool = Box::leak(Box::new(memory.part(0, POOL)));
        let device = Self {
            start: memory.address(0),
            memory,
            registers: RefCell::default(),
            selected: Cell::default(),
            status: Cell::default(),
            features: Cell::new(3 << 32 | 1 << 29),
            accepted: Cell::default(),
            refuses_features: Cell::default(),
            queue_max: Cell::new(256),
            rings: RefCell::default(),
            sent: RefCell::default(),
            used_lie: Cell::default(),
            index_lie: Cell::default(),
        };
        (Rc::new(device), pool)
    }

    pub fn status(&self) -> u32 {
        self.status.get()
    }

    /// Says that it cannot go on.
    pub fn break_down(&self) {
        self.status.set(self.status.get() | 0x40);
    }

    fn at(&self, address: u64) -> usize {
        usize::try_from(address.checked_sub(self.start).expect("an address inside of the pool")).unwrap()
    }

    /// The next chain that the driver gave: its descriptor, address, length and flags.
    pub fn take(&self, queue: usize) -> Option<(u16, usize, usize, u16)> {
        let mut rings = self.rings.borrow_mut();
        let ring = &mut rings[queue];
        let [descriptors, available, _] = ring.addresses.map(|address| self.at(address));
        if self.memory.read_u16(available + 2) == ring.taken {
            return None;
        }
        let id = self.memory.read_u16(available + 4 + usize::from(ring.taken) % ring.size as usize * 2);
        ring.taken = ring.taken.wrapping_add(1);
        let descriptor = descriptors + usize::from(id) * 16;
        let address =
            u64::from(self.memory.read_u32(descriptor)) | u64::from(self.memory.read_u32(descriptor + 4)) << 32;
        let length = self.memory.read_u32(descriptor + 8) as usize;
        Some((id, self.at(address), length, self.memory.read_u16(descriptor + 12)))
    }

    /// Gives a chain back.
    pub fn use_up(&self, queue: usize, id: u16, length: usize) {
        let mut rings = self.rings.borrow_mut();
        let ring = &mut rings[queue];
        let used = self.at(ring.addresses[2]);
        let entry = used + 4 + usize::from(ring.used) % ring.size as usize * 8;
        let [id_lie, length_lie] = self.used_lie.get();
        self.memory.write_u32(entry, u32::from(id).wrapping_add(id_lie));
        self.memory.write_u32(entry + 4, (length as u32).wrapping_add(length_lie));
        ring.used = ring.used.wrapping_add(1);
        self.memory.write_u16(used + 2, ring.used.wrapping_add(self.index_lie.get()));
    }

    /// Takes all that the driver has sent.
    pub fn collect(&self) {
        while let Some((id, address, length, flags)) = self.take(SEND) {
            assert_eq!(flags, 0);
            let mut packet = vec![0; length];
            self.memory.read(address, &mut packet);
            let (header, data) = packet.split_first_chunk::<HEADER>().expect("a header");
            let header = Header::read(header);
            assert_eq!(header.length as usize, data.len());
            self.sent.borrow_mut().push_back((header, data.to_vec()));
            self.use_up(SEND, id, 0);
        }
    }

    /// Puts bytes into the next buffer of the driver.
    pub fn deliver(&self, packet: &[u8]) {
        let (id, address, length, flags) = self.take(RECEIVE).expect("a buffer to write to");
        assert_eq!(flags, 2);
        assert!(packet.len() <= length);
        self.memory.write(address, packet);
        self.use_up(RECEIVE, id, packet.len());
    }

    /// Delivers a packet of the host.
    pub fn packet(&self, op: Op, data: &[u8]) {
        self.packet_with(op, data, |_| {});
    }

    /// The same, changed by the function.
    pub fn packet_with(&self, op: Op, data: &[u8], change: impl FnOnce(&mut Header)) {
        let mut header = Header {
            source_cid: HOST,
            target_cid: CID,
            source_port: HOST_PORT,
            target_port: PORT,
            length: data.len() as u32,
            is_stream: true,
            op,
            flags: 0,
            buffer: 1 << 20,
            forwarded: 0,
        };
        change(&mut header);
        self.deliver(&[&header.bytes(), data].concat());
    }

    /// The next packet that the driver has sent.
    pub fn next(&self) -> Option<(Header, Vec<u8>)> {
        self.collect();
        self.sent.borrow_mut().pop_front()
    }

    /// The operations of all packets that the driver has sent.
    pub fn ops(&self) -> Vec<Op> {
        self.collect();
        self.sent.borrow_mut().drain(..).map(|(header, _)| header.op).collect()
    }
}

/// The registers of a device.
pub struct Bus(pub Rc<Device>);

impl Registers for Bus {
    fn read(&self, offset: u32) -> u32 {
        let device = &self.0;
        let [feature_word, _, queue] = device.selected.get();
        match offset {
            0x00 => 0x7472_6976,
            0x04 => 2,
            0x08 => 19,
            0x10 => (device.features.get() >> (32 * feature_word)) as u32,
            0x34 => device.queue_max.get(),
            0x44 => device.rings.borrow()[queue as usize].ready.into(),
            0x60 | 0xfc => 0,
            0x70 => device.status.get(),
            0x100 => CID as u32,
            0x104 => 0,
            other => panic!("no register to read at {other:#x}"),
        }
    }

    fn write(&self, offset: u32, value: u32) {
        let device = &self.0;
        device.registers.borrow_mut().push((offset, value));
        let mut selected = device.selected.get();
        let mut rings = device.rings.borrow_mut();
        let ring = &mut rings[selected[2] as usize];
        match offset {
            0x14 => selected[0] = value,
            0x24 => selected[1] = value,
            0x30 => selected[2] = value,
            0x20 => device.accepted.set(device.accepted.get() | u64::from(value) << (32 * selected[1])),
            0x38 => ring.size = value,
            0x44 => ring.ready = value == 1,
            0x50 => assert!(value < 3 && device.status.get() & 4 != 0),
            0x70 if device.refuses_features.get() => device.status.set(value & !8),
            0x70 => device.status.set(value),
            0x80 | 0x90 | 0xa0 => ring.addresses[(offset as usize - 0x80) / 16] |= u64::from(value),
            0x84 | 0x94 | 0xa4 => ring.addresses[(offset as usize - 0x84) / 16] |= u64::from(value) << 32,
            other => panic!("no register to write at {other:#x}"),
        }
        device.selected.set(selected);
    }
}

/// Lets the test act whenever the driver waits.
pub struct Script {
    steps: RefCell<VecDeque<Box<dyn FnOnce()>>>,
}

impl Script {
    pub fn new(steps: Vec<Box<dyn FnOnce()>>) -> Self {
        Self { steps: RefCell::new(steps.into()) }
    }
}

impl Wait for Script {
    fn prepare(&self) {}

    fn wait(&self) {
        let step = self.steps.borrow_mut().pop_front();
        step.expect("the driver waits, but nothing more will happen")();
    }
}

pub type Driver = Vsock<Bus, Script>;

/// A driver that listens, and what happens while it waits.
pub fn listen(device: &Rc<Device>, pool: &SharedMemory, steps: Vec<Box<dyn FnOnce()>>) -> Result<Driver, VsockError> {
    let found = Driver::find(Bus(device.clone())).expect("a vsock device");
    Driver::listen(found, pool, Script::new(steps), PORT)
}

/// A step with the device.
pub fn step(device: &Rc<Device>, action: impl FnOnce(&Device) + 'static) -> Box<dyn FnOnce()> {
    let device = device.clone();
    Box::new(move || action(&device))
}
