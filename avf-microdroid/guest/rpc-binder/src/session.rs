//! A session: the connections of one client, and the objects that both sides know.
//!
//! Each connection on which the client calls has a thread of its own. A handler that calls the client does so on the
//! connection whose call it serves, where the client waits and serves calls meanwhile; all other calls take one of the
//! connections that the client opened for them. Any failure of a connection ends the session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::binder::{Binder, Proxy, dispatch};
use crate::calls;
use crate::connection::Connection;
use crate::nodes::{Node, Nodes, Object, Queued, Turn};
use crate::parcel::Parcel;
use crate::status::{self, Status};
use crate::wire::{
    Address, Broken, COMMAND_DEC_STRONG, COMMAND_REPLY, COMMAND_TRANSACT, FLAG_ONEWAY, INIT, MAX_SENT_BODY, SESSION_ID,
    TRANSACT, Transaction, decode_dec_strong, decode_reply, encode_dec_strong, encode_reply, reply_size,
};

/// The most connections of one session on which the client is called.
const MAX_REVERSE: usize = 8;

const GET_ROOT: u32 = 0;
const GET_MAX_THREADS: u32 = 1;
const GET_SESSION_ID: u32 = 2;

pub struct Session {
    id: [u8; SESSION_ID],
    version: u32,
    max_threads: usize,
    root: Option<Binder>,
    ended: AtomicBool,
    state: Mutex<State>,
    idle: Condvar,
    /// Objects with references to give back. Not part of the state, as proxies end anywhere.
    released: Mutex<Vec<Address>>,
}

#[derive(Default)]
struct State {
    nodes: Nodes,
    had_nodes: bool,
    readers: Vec<Arc<Connection>>,
    reverse: Vec<Arc<Connection>>,
    idle: Vec<Arc<Connection>>,
}

/// A connection to call the client on; given back when this is dropped.
struct Lease<'a> {
    session: &'a Session,
    connection: Arc<Connection>,
    pooled: bool,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.pooled && !self.session.has_ended() {
            self.session.lock().idle.push(self.connection.clone());
            self.session.idle.notify_one();
        }
    }
}

impl Session {
    pub(crate) fn new(id: [u8; SESSION_ID], version: u32, max_threads: usize, root: Option<Binder>) -> Arc<Self> {
        Arc::new(Self {
            id,
            version,
            max_threads,
            root,
            ended: AtomicBool::new(false),
            state: Mutex::default(),
            idle: Condvar::new(),
            released: Mutex::default(),
        })
    }

    pub(crate) fn id(&self) -> &[u8; SESSION_ID] {
        &self.id
    }

    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection on which the client calls. One too many ends the session, as it does in libbinder.
    pub(crate) fn add_reader(&self, connection: &Arc<Connection>) -> Result<(), Broken> {
        let mut state = self.lock();
        if self.has_ended() || state.readers.len() >= self.max_threads {
            drop(state);
            self.end();
            return Err(Broken::Protocol("a session has more connections than threads"));
        }
        state.readers.push(connection.clone());
        Ok(())
    }

    /// Adds a connection on which the client is called.
    pub(crate) fn add_reverse(&self, connection: Arc<Connection>) -> Result<(), Broken> {
        let mut state = self.lock();
        if self.has_ended() || state.reverse.len() >= MAX_REVERSE {
            return Err(Broken::Protocol("a session has ended or has too many connections for calls of the client"));
        }
        // With the lock: once the client has read this it counts on the connection.
        connection.write_all(&INIT)?;
        state.reverse.push(connection.clone());
        state.idle.push(connection);
        drop(state);
        self.idle.notify_one();
        Ok(())
    }

    /// Serves a connection until the session ends.
    pub(crate) fn serve(self: &Arc<Self>, connection: &Arc<Connection>) -> Broken {
        let reason = loop {
            let served = connection
                .read_command(self.version)
                .and_then(|(header, body)| self.handle(connection, header.command, &body));
            if let Err(reason) = served {
                break reason;
            }
        };
        self.end();
        reason
    }

    /// Closes all connections and forgets all objects. Idempotent.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        self.ended.store(true, Ordering::Release);
        let ended = std::mem::take(&mut *state);
        drop(state);
        self.idle.notify_all();
        for connection in ended.readers.iter().chain(&ended.reverse) {
            connection.shut_down();
        }
        // The services are dropped here, without the lock: what they do then is theirs.
    }

    fn handle(self: &Arc<Self>, connection: &Arc<Connection>, command: u32, body: &[u8]) -> Result<(), Broken> {
        match command {
            COMMAND_TRANSACT => self.serve_transaction(connection, body),
            COMMAND_DEC_STRONG => {
                let (address, amount) = decode_dec_strong(body)?;
                let (erased, served) = self.lock().nodes.dec_strong(address, amount)?;
                self.forget(erased.into_iter().collect())?;
                if !served {
                    return Ok(());
                }
                self.release(address);
                self.give_back(connection, Vec::new(), ())
            }
            _ => Err(Broken::Protocol("a reply to no call")),
        }
    }

    /// Drops erased nodes; the session ends with the last one.
    fn forget(&self, erased: Vec<Node>) -> Result<(), Broken> {
        drop(erased);
        let state = self.lock();
        if state.had_nodes && state.nodes.len() == 0 {
            return Err(Broken::Protocol("no object is left"));
        }
        Ok(())
    }

    fn serve_transaction(self: &Arc<Self>, connection: &Arc<Connection>, body: &[u8]) -> Result<(), Broken> {
        let (transaction, data, table) = Transaction::decode(body, self.version)?;
        let target = transaction.target;
        if target == Address::SPECIAL {
            return self.serve_special(connection, &transaction);
        }
        if target.has_unknown_options() {
            return if transaction.is_oneway() {
                Ok(())
            } else {
                self.reply(connection, Err(status::BAD_VALUE), Parcel::new())
            };
        }
        let service = self.lock().nodes.call(target)?;
        let data = Parcel::received(data, table, self)
            .map_err(|_| Broken::Protocol("an object in a parcel cannot be received"))?;
        if transaction.is_oneway() {
            let turn =
                self.lock().nodes.enqueue(target, transaction.number, Queued { code: transaction.code, data })?;
            if let Turn::Run(call) = turn {
                let _nested = calls::enter(self, connection, false)?;
                let mut next = Some(call);
                while let Some(call) = next {
                    let _ = dispatch(&service, call.code, &call.data, &mut Parcel::new());
                    next = self.lock().nodes.next_oneway(target);
                }
                self.release(target);
            }
            drop(service);
            return self.give_back(connection, Vec::new(), ());
        }
        let mut reply = Parcel::new();
        let result = {
            let _nested = calls::enter(self, connection, true)?;
            dispatch(&service, transaction.code, &data, &mut reply)
        };
        drop(data);
        self.release(target);
        self.reply(connection, result, reply)
    }

    fn serve_special(self: &Arc<Self>, connection: &Arc<Connection>, call: &Transaction) -> Result<(), Broken> {
        if call.is_oneway() {
            return Err(Broken::Protocol("a special transaction has a reply"));
        }
        let mut reply = Parcel::new();
        let result = match call.code {
            GET_ROOT => {
                reply.write_binder(self.root.as_ref());
                Ok(())
            }
            GET_MAX_THREADS => {
                reply.write_i32(self.max_threads as i32);
                Ok(())
            }
            GET_SESSION_ID => {
                reply.write_bytes(Some(&self.id));
                Ok(())
            }
            _ => Err(status::UNKNOWN_TRANSACTION),
        };
        self.reply(connection, result, reply)
    }

    /// Gives back what was released, then replies.
    fn reply(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        result: Result<(), Status>,
        parcel: Parcel,
    ) -> Result<(), Broken> {
        let mut message = Vec::new();
        // Packed first: what is sent once more stays a node of its own.
        match result.and_then(|()| self.pack(&parcel, reply_size(self.version))) {
            Ok((data, table)) => encode_reply(self.version, status::OK, &data, &table, &mut message),
            Err(status) => encode_reply(self.version, status, &[], &[], &mut message),
        }
        self.give_back(connection, message, parcel)
    }

    /// Writes what is to be given back, then a message, then what dropping the content of the message has released.
    fn give_back<T>(&self, connection: &Arc<Connection>, message: Vec<u8>, content: T) -> Result<(), Broken> {
        let mut bytes = Vec::new();
        let mut erased = self.take_released(&mut bytes);
        bytes.extend(message);
        drop(content);
        erased.extend(self.take_released(&mut bytes));
        connection.write_all(&bytes)?;
        self.forget(erased)
    }

    fn take_released(&self, message: &mut Vec<u8>) -> Vec<Node> {
        let released = std::mem::take(&mut *self.released.lock().unwrap_or_else(PoisonError::into_inner));
        let mut erased = Vec::new();
        let mut state = self.lock();
        for address in released {
            let (amount, node) = state.nodes.give_back(address);
            if amount > 0 {
                encode_dec_strong(address, amount, message);
            }
            erased.extend(node);
        }
        erased
    }

    fn release(&self, address: Address) {
        self.released.lock().unwrap_or_else(PoisonError::into_inner).push(address);
    }

    pub(crate) fn proxy_dropped(&self, address: Address) {
        if !self.has_ended() {
            self.release(address);
        }
    }

    /// Receives an object in a parcel.
    pub(crate) fn receive(self: &Arc<Self>, address: Address, stability: i32) -> Result<Binder, Status> {
        let mut state = self.lock();
        if self.has_ended() {
            return Err(status::DEAD_OBJECT);
        }
        state.had_nodes = true;
        let node = state.nodes.receive(address, stability)?;
        match &mut node.object {
            Object::Local(service) => {
                let service = service.clone();
                drop(state);
                // It is here anyway.
                self.release(address);
                Ok(Binder::Local(service))
            }
            Object::Proxy { weak, stability: known } => {
                let proxy = weak.upgrade().unwrap_or_else(|| {
                    let proxy = Arc::new(Proxy { session: self.clone(), address, stability: *known });
                    *weak = Arc::downgrade(&proxy);
                    proxy
                });
                let same = *known == stability;
                drop(state);
                if same { Ok(Binder::Proxy(proxy)) } else { Err(status::BAD_TYPE) }
            }
        }
    }

    /// The data of a parcel with the addresses of its objects, and their table; each is counted as sent.
    fn pack(self: &Arc<Self>, parcel: &Parcel, fixed: usize) -> Result<(Vec<u8>, Vec<u8>), Status> {
        let listed = self.version >= 2;
        let table_size = if listed { parcel.objects().len() * 4 } else { 0 };
        if fixed + parcel.data().len() + table_size >= MAX_SENT_BODY {
            return Err(status::FAILED_TRANSACTION);
        }
        let foreign = parcel
            .objects()
            .values()
            .any(|binder| matches!(binder, Binder::Proxy(proxy) if !Arc::ptr_eq(&proxy.session, self)));
        if foreign {
            return Err(status::INVALID_OPERATION);
        }
        let mut data = parcel.data().to_vec();
        let mut table = Vec::new();
        let mut state = self.lock();
        if self.has_ended() {
            return Err(status::DEAD_OBJECT);
        }
        let mut sent = Vec::new();
        for (&at, binder) in parcel.objects() {
            match state.nodes.send(binder) {
                Ok(address) => {
                    sent.push(address);
                    data[at + 4..at + 12].copy_from_slice(&address.0.to_le_bytes());
                }
                Err(status) => {
                    let erased: Vec<_> = sent.into_iter().filter_map(|address| state.nodes.unsend(address)).collect();
                    drop(state);
                    drop(erased);
                    return Err(status);
                }
            }
            if listed {
                table.extend((at as u32).to_le_bytes());
            }
        }
        state.had_nodes |= !sent.is_empty();
        Ok((data, table))
    }

    /// Calls an object of the client.
    pub(crate) fn transact(
        self: &Arc<Self>,
        proxy: &Arc<Proxy>,
        code: u32,
        data: Parcel,
        flags: u32,
    ) -> Result<Parcel, Status> {
        let oneway = flags & FLAG_ONEWAY != 0;
        let lease = self.lease(oneway)?;
        let (parcel, table) = self.pack(&data, TRANSACT)?;
        let number = {
            let mut state = self.lock();
            let node = state.nodes.send_address(proxy.address)?;
            if oneway { node.number()? } else { 0 }
        };
        let mut message = Vec::new();
        Transaction { target: proxy.address, code, flags: flags & FLAG_ONEWAY, number }.encode(
            &parcel,
            &table,
            &mut message,
        );
        let connection = &lease.connection;
        let called = connection.write_all(&message).and_then(|()| {
            drop(data);
            if oneway { Ok(Ok(Parcel::new())) } else { self.await_reply(connection) }
        });
        called.unwrap_or_else(|_| {
            self.end();
            Err(status::DEAD_OBJECT)
        })
    }

    /// Serves what comes on a connection until the reply does.
    fn await_reply(self: &Arc<Self>, connection: &Arc<Connection>) -> Result<Result<Parcel, Status>, Broken> {
        let _waiting = calls::enter(self, connection, true)?;
        loop {
            let (header, body) = connection.read_command(self.version)?;
            if header.command != COMMAND_REPLY {
                self.handle(connection, header.command, &body)?;
                continue;
            }
            let (status, data, table) = decode_reply(&body, self.version)?;
            if status != status::OK {
                return Ok(Err(status::known(status)));
            }
            return match Parcel::received(data, table, self) {
                Ok(parcel) => Ok(Ok(parcel)),
                Err(_) => Err(Broken::Protocol("an object in a reply cannot be received")),
            };
        }
    }

    fn lease(self: &Arc<Self>, oneway: bool) -> Result<Lease<'_>, Status> {
        if !oneway {
            if let Some(connection) = calls::current(self) {
                return Ok(Lease { session: self, connection, pooled: false });
            }
        }
        let mut state = self.lock();
        loop {
            if self.has_ended() {
                return Err(status::DEAD_OBJECT);
            }
            if let Some(connection) = state.idle.pop() {
                return Ok(Lease { session: self, connection, pooled: true });
            }
            if state.reverse.is_empty() {
                return Err(status::WOULD_BLOCK);
            }
            state = self.idle.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
