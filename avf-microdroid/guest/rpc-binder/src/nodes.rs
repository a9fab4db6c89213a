//! The objects that a session knows, and how often each was sent and received.
//!
//! References count messages: an address that was sent twice is given back twice, or once with the amount of two.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};

use crate::binder::{Binder, Proxy, Service};
use crate::parcel::Parcel;
use crate::status::{self, Status};
use crate::wire::{Address, Broken};

/// The most nodes of one session: a client can make one with 16 bytes.
pub const MAX_NODES: usize = 4096;

/// The most calls of one object that wait for an earlier one.
const MAX_QUEUE: u64 = 1024;

/// The most bytes of such calls in one session.
const MAX_QUEUED_BYTES: usize = 8 << 20;

pub(crate) struct Node {
    pub object: Object,
    times_sent: u32,
    times_received: u32,
    /// For a proxy, the number of the next oneway call; for a local object, the next that runs.
    next_number: u64,
    /// Of a proxy: whether oneway calls were sent that the client has not been seen to serve.
    oneway_sent: bool,
    running: bool,
    queue: BTreeMap<u64, Queued>,
}

pub(crate) enum Object {
    Local(Arc<dyn Service>),
    Proxy { weak: Weak<Proxy>, stability: i32 },
}

/// A oneway call that waits for an earlier one.
pub(crate) struct Queued {
    pub code: u32,
    pub data: Parcel,
}

/// What is to be done with a oneway call.
pub(crate) enum Turn {
    Run(Queued),
    Later,
}

#[derive(Default)]
pub(crate) struct Nodes {
    nodes: HashMap<Address, Node>,
    /// Addresses of local objects, by where they are in memory.
    local: HashMap<usize, Address>,
    next_id: u32,
    queued_bytes: usize,
}

fn key(service: &Arc<dyn Service>) -> usize {
    Arc::as_ptr(service).cast::<()>() as usize
}

impl Nodes {
    fn insert(&mut self, address: Address, object: Object) -> &mut Node {
        let node = Node {
            object,
            times_sent: 0,
            times_received: 0,
            next_number: 0,
            oneway_sent: false,
            running: false,
            queue: BTreeMap::new(),
        };
        self.nodes.entry(address).or_insert(node)
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Counts that an object is sent, and gives its address; a local one gets one if it has none.
    pub fn send(&mut self, binder: &Binder) -> Result<Address, Status> {
        let address = match binder {
            Binder::Proxy(proxy) => proxy.address,
            Binder::Local(service) => match self.local.get(&key(service)) {
                Some(&address) => address,
                None => self.export(service.clone())?,
            },
        };
        self.send_address(address).map(|_| address)
    }

    fn export(&mut self, service: Arc<dyn Service>) -> Result<Address, Status> {
        if self.nodes.len() >= MAX_NODES {
            return Err(status::NO_MEMORY);
        }
        let address = loop {
            let address = Address::of_server(self.next_id);
            self.next_id = self.next_id.wrapping_add(1);
            if !self.nodes.contains_key(&address) {
                break address;
            }
        };
        self.local.insert(key(&service), address);
        self.insert(address, Object::Local(service));
        Ok(address)
    }

    /// Counts that an address is sent, also as the target of a call.
    pub fn send_address(&mut self, address: Address) -> Result<&mut Node, Status> {
        let node = self.nodes.get_mut(&address).ok_or(status::DEAD_OBJECT)?;
        node.times_sent = node.times_sent.checked_add(1).ok_or(status::NO_MEMORY)?;
        Ok(node)
    }

    /// Takes back what [`Nodes::send_address`] counted, as nothing was sent.
    pub fn unsend(&mut self, address: Address) -> Option<Node> {
        let node = self.nodes.get_mut(&address)?;
        node.times_sent = node.times_sent.saturating_sub(1);
        self.erase_if_unused(address)
    }

    /// Counts that an address was received; a proxy gets a node if it has none.
    pub fn receive(&mut self, address: Address, stability: i32) -> Result<&mut Node, Status> {
        if address.has_unknown_options() {
            return Err(status::BAD_VALUE);
        }
        if !self.nodes.contains_key(&address) {
            if !address.is_of_client() {
                return Err(status::BAD_VALUE);
            }
            if self.nodes.len() >= MAX_NODES {
                return Err(status::NO_MEMORY);
            }
            self.insert(address, Object::Proxy { weak: Weak::new(), stability });
        }
        let node = self.nodes.get_mut(&address).ok_or(status::BAD_VALUE)?;
        node.times_received = node.times_received.checked_add(1).ok_or(status::NO_MEMORY)?;
        Ok(node)
    }

    /// Counts that a local object is called.
    pub fn call(&mut self, address: Address) -> Result<Arc<dyn Service>, Broken> {
        let node = self.nodes.get_mut(&address).ok_or(Broken::Protocol("there is no object of this address"))?;
        let Object::Local(service) = &node.object else {
            return Err(Broken::Protocol("an object of the client is called here"));
        };
        node.times_received =
            node.times_received.checked_add(1).ok_or(Broken::Protocol("an object is called too often"))?;
        Ok(service.clone())
    }

    /// Queues a oneway call, or gives it back if it is its turn.
    pub fn enqueue(&mut self, address: Address, number: u64, call: Queued) -> Result<Turn, Broken> {
        let node = self.nodes.get_mut(&address).ok_or(Broken::Protocol("there is no object of this address"))?;
        if number == node.next_number && !node.running {
            node.running = true;
            return Ok(Turn::Run(call));
        }
        let ahead = number.checked_sub(node.next_number).filter(|&ahead| ahead > 0 && ahead <= MAX_QUEUE);
        if ahead.is_none() || node.queue.contains_key(&number) {
            return Err(Broken::Protocol("a oneway call has a number that is used or too far ahead"));
        }
        self.queued_bytes += call.data.data().len();
        if self.queued_bytes > MAX_QUEUED_BYTES {
            return Err(Broken::Protocol("too many oneway calls wait for earlier ones"));
        }
        node.queue.insert(number, call);
        Ok(Turn::Later)
    }

    /// After a oneway call: the next one, if it is there.
    pub fn next_oneway(&mut self, address: Address) -> Option<Queued> {
        let node = self.nodes.get_mut(&address)?;
        node.next_number = node.next_number.checked_add(1)?;
        let next = node.queue.remove(&node.next_number);
        node.running = next.is_some();
        if let Some(call) = &next {
            self.queued_bytes -= call.data.data().len();
        }
        next
    }

    /// How many references of an object are to be given back now, and the node if that was all.
    ///
    /// A oneway call may be on its way on another connection than this message: as long as it is, nothing is given back,
    /// so that the client does not forget the object before.
    pub fn give_back(&mut self, address: Address) -> (u32, Option<Node>) {
        let Some(node) = self.nodes.get_mut(&address) else { return (0, None) };
        let in_use = matches!(&node.object, Object::Proxy { weak, .. } if weak.strong_count() > 0);
        if in_use || node.oneway_sent {
            return (0, None);
        }
        let amount = std::mem::take(&mut node.times_received);
        (amount, self.erase_if_unused(address))
    }

    /// The peer gives back references. Says whether there are some to give back here, too, which had to wait.
    pub fn dec_strong(&mut self, address: Address, amount: u32) -> Result<(Option<Node>, bool), Broken> {
        let node = self.nodes.get_mut(&address).ok_or(Broken::Protocol("there is no object of this address"))?;
        if amount == 0 || amount > node.times_sent {
            return Err(Broken::Protocol("more references are given back than were sent"));
        }
        node.times_sent -= amount;
        let served = node.times_sent == 0 && std::mem::take(&mut node.oneway_sent);
        Ok((self.erase_if_unused(address), served))
    }

    fn erase_if_unused(&mut self, address: Address) -> Option<Node> {
        let node = self.nodes.get(&address)?;
        if node.times_sent > 0 || node.times_received > 0 {
            return None;
        }
        if let Object::Local(service) = &node.object {
            self.local.remove(&key(service));
        }
        let queued: usize = node.queue.values().map(|call| call.data.data().len()).sum();
        self.queued_bytes -= queued;
        self.nodes.remove(&address)
    }
}

impl Node {
    /// The number of a oneway call that is sent.
    pub fn number(&mut self) -> Result<u64, Status> {
        let number = self.next_number;
        self.next_number = number.checked_add(1).ok_or(status::INVALID_OPERATION)?;
        self.oneway_sent = true;
        Ok(number)
    }
}
