//! A server: takes connections, lets them shake hands, and serves their sessions.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::binder::Binder;
use crate::connection::{Connection, HANDSHAKE_LIMIT};
use crate::session::Session;
use crate::wire::{Broken, CONNECTION_HEADER, ConnectionHeader, INIT, MAX_VERSION, SESSION_ID};

/// How long the server waits when the system has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(50);

/// How much a server takes on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Threads of one session, and so connections on which its client calls; at least 1.
    pub threads: usize,
    pub sessions: usize,
    /// Connections that have not said yet what they are for.
    pub handshakes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { threads: 1, sessions: 16, handshakes: 16 }
    }
}

/// Serves one root object to every client.
pub struct Server {
    root: Option<Binder>,
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sessions: HashMap<[u8; SESSION_ID], Arc<Session>>,
    handshakes: usize,
}

impl Server {
    pub fn new(root: Option<Binder>, limits: Limits) -> Arc<Self> {
        Arc::new(Self { root, limits, state: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes connections of a listening socket for which `admits` is true; returns when the socket fails.
    pub fn serve(self: &Arc<Self>, listener: BorrowedFd<'_>, admits: impl Fn(&OwnedFd) -> bool) -> io::Error {
        loop {
            match accept(listener) {
                Ok(socket) if admits(&socket) => self.accepted(socket),
                Ok(_) => {}
                Err(error) => match error.raw_os_error() {
                    Some(libc::EINTR | libc::ECONNABORTED | libc::EAGAIN) => {}
                    Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => thread::sleep(NO_ROOM),
                    _ => return error,
                },
            }
        }
    }

    /// Serves a connected socket on a thread of its own, or closes it if there are too many.
    pub fn accepted(self: &Arc<Self>, socket: OwnedFd) {
        let mut state = self.lock();
        if state.handshakes >= self.limits.handshakes {
            return;
        }
        state.handshakes += 1;
        drop(state);
        let server = self.clone();
        let connection = Arc::new(Connection::new(socket));
        let started = thread::Builder::new().name("rpc-binder".into()).spawn(move || {
            let joined = server.shake_hands(&connection);
            server.lock().handshakes -= 1;
            if let Ok(Some(session)) = joined {
                session.serve(&connection);
                server.lock().sessions.remove(session.id());
            }
        });
        if started.is_err() {
            self.lock().handshakes -= 1;
        }
    }

    /// The session that the connection is to be served for, if it is one on which the client calls.
    fn shake_hands(&self, connection: &Arc<Connection>) -> Result<Option<Arc<Session>>, Broken> {
        let deadline = Instant::now() + HANDSHAKE_LIMIT;
        let mut header = [0; CONNECTION_HEADER];
        connection.read_exact(&mut header, deadline)?;
        let header = ConnectionHeader::decode(&header);
        match usize::from(header.id_size) {
            0 => self.create(connection, header, deadline).map(Some),
            SESSION_ID => self.join(connection, header, deadline),
            _ => Err(Broken::Protocol("a session id has another size")),
        }
    }

    fn create(
        &self,
        connection: &Arc<Connection>,
        header: ConnectionHeader,
        deadline: Instant,
    ) -> Result<Arc<Session>, Broken> {
        let version = header.version.min(MAX_VERSION);
        let mut response = [0; 8];
        response[..4].copy_from_slice(&version.to_le_bytes());
        connection.write_all(&response)?;
        if header.incoming || header.descriptors != 0 {
            return Err(Broken::Protocol("a session begins with calls of the client, and without descriptors"));
        }
        expect_init(connection, deadline)?;
        let session = Session::new(random_id()?, version, self.limits.threads.max(1), self.root.clone());
        session.add_reader(connection)?;
        let mut state = self.lock();
        if state.sessions.len() >= self.limits.sessions {
            return Err(Broken::Protocol("there are too many sessions"));
        }
        state.sessions.insert(*session.id(), session.clone());
        Ok(session)
    }

    fn join(
        &self,
        connection: &Arc<Connection>,
        header: ConnectionHeader,
        deadline: Instant,
    ) -> Result<Option<Arc<Session>>, Broken> {
        let mut id = [0; SESSION_ID];
        connection.read_exact(&mut id, deadline)?;
        let session = self.find(&id).ok_or(Broken::Protocol("there is no session of this id"))?;
        if header.incoming {
            session.add_reverse(connection.clone())?;
            return Ok(None);
        }
        expect_init(connection, deadline)?;
        session.add_reader(connection)?;
        Ok(Some(session))
    }

    /// Looks at all ids and at all their bytes: whoever knows an id is let in.
    fn find(&self, id: &[u8; SESSION_ID]) -> Option<Arc<Session>> {
        let state = self.lock();
        let mut found = None;
        for session in state.sessions.values() {
            let difference = session.id().iter().zip(id).fold(0, |sum, (one, two)| sum | (one ^ two));
            if difference == 0 {
                found = Some(session.clone());
            }
        }
        found
    }
}

fn expect_init(connection: &Connection, deadline: Instant) -> Result<(), Broken> {
    let mut init = [0; INIT.len()];
    connection.read_exact(&mut init, deadline)?;
    if init[..4] == INIT[..4] { Ok(()) } else { Err(Broken::Protocol("a connection does not begin with cci")) }
}

fn random_id() -> io::Result<[u8; SESSION_ID]> {
    let mut id = [0; SESSION_ID];
    // SAFETY: pointer and length are those of an array; requests of up to 256 bytes are not cut short.
    let count = unsafe { libc::getrandom(id.as_mut_ptr().cast(), id.len(), 0) };
    if count == SESSION_ID as isize { Ok(id) } else { Err(io::Error::last_os_error()) }
}

fn accept(listener: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: nobody asks for the address.
    let socket =
        unsafe { libc::accept4(listener.as_raw_fd(), std::ptr::null_mut(), std::ptr::null_mut(), libc::SOCK_CLOEXEC) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}
