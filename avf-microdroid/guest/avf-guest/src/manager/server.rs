//! The payload's socket: connections that nobody waits for.
//!
//! Every stream is non-blocking, and each connection is at one of three points: reading a request, waiting for its
//! answer, writing it. So a client that sends half a request, or reads nothing, holds up itself and nobody else. There
//! are at most [`MAX_CONNECTIONS`]; more wait until one of them ends.

use std::fs::{self, Permissions};
use std::io::{self, Read};
use std::mem;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use avf_formats::wire::{MAX_REQUEST, MAX_RESPONSE, Response};
use libc::pollfd;
use zeroize::Zeroizing;

use super::errands::ClientId;
use crate::console::say;
use crate::sys::check;

/// Each may hold a request of 64 KiB and an answer of 1 MiB.
pub const MAX_CONNECTIONS: usize = 16;

const LENGTH_BYTES: usize = 4;

enum State {
    /// The length, then as many bytes as it says.
    Reading {
        bytes: Zeroizing<Vec<u8>>,
        filled: usize,
    },
    Waiting,
    Writing {
        bytes: Zeroizing<Vec<u8>>,
        sent: usize,
    },
}

impl State {
    fn fresh() -> Self {
        Self::Reading { bytes: Zeroizing::new(vec![0; LENGTH_BYTES]), filled: 0 }
    }
}

struct Connection {
    client: ClientId,
    stream: UnixStream,
    state: State,
}

/// Listens and keeps the connections.
pub struct Server {
    listener: UnixListener,
    connections: Vec<Connection>,
    next: ClientId,
    /// The user that may connect besides root.
    uid: u32,
}

impl Server {
    /// Makes the socket, for one user and its group besides root.
    pub fn bind(path: &Path, uid: u32, gid: u32) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        std::os::unix::fs::chown(path, None, Some(gid))?;
        fs::set_permissions(path, Permissions::from_mode(0o660))?;
        Ok(Self { listener, connections: Vec::new(), next: 0, uid })
    }

    /// What to wait for, in the order in which [`Self::serve`] takes the results.
    pub fn polled(&self) -> Vec<pollfd> {
        let listens = self.connections.len() < MAX_CONNECTIONS;
        let listener = entry(self.listener.as_raw_fd(), if listens { libc::POLLIN } else { 0 });
        let connections = self.connections.iter().map(|connection| {
            let events = match connection.state {
                State::Reading { .. } => libc::POLLIN,
                // A client that goes away is noticed all the same.
                State::Waiting => 0,
                State::Writing { .. } => libc::POLLOUT,
            };
            entry(connection.stream.as_raw_fd(), events)
        });
        std::iter::once(listener).chain(connections).collect()
    }

    /// Does what can be done now. Returns the requests that are whole, each of which gets an answer by
    /// [`Self::answer`], or [`Self::close`].
    pub fn serve(&mut self, polled: &[pollfd]) -> Vec<(ClientId, Zeroizing<Vec<u8>>)> {
        let mut requests = Vec::new();
        let ready = polled.iter().skip(1).map(|entry| entry.revents);
        let connections = mem::take(&mut self.connections);
        for (mut connection, ready) in connections.into_iter().zip(ready) {
            let goes_on = ready == 0
                || connection
                    .go_on()
                    .map(|request| requests.extend(request.map(|body| (connection.client, body))))
                    .is_ok();
            if goes_on {
                self.connections.push(connection);
            }
        }
        if polled.first().is_some_and(|entry| entry.revents != 0) {
            self.accept();
        }
        requests
    }

    fn accept(&mut self) {
        while self.connections.len() < MAX_CONNECTIONS {
            let Ok((stream, _)) = self.listener.accept() else { return };
            match peer(&stream) {
                Ok(uid) if uid == 0 || uid == self.uid => {}
                other => {
                    say(format_args!("the payload's socket is not for {other:?}"));
                    continue;
                }
            }
            if stream.set_nonblocking(true).is_ok() {
                self.connections.push(Connection { client: self.next, stream, state: State::fresh() });
                self.next += 1;
            }
        }
    }

    /// Answers a client, if it is still there.
    pub fn answer(&mut self, client: ClientId, response: &Response) {
        let body = response.encode();
        if body.len() > MAX_RESPONSE {
            return self.close(client);
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH_BYTES + body.len()));
        bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
        bytes.extend_from_slice(body.expose());
        if let Some(connection) = self.connections.iter_mut().find(|connection| connection.client == client) {
            connection.state = State::Writing { bytes, sent: 0 };
            // Mostly it fits into the socket's buffer.
            if connection.go_on().is_err() {
                self.close(client);
            }
        }
    }

    /// Ends a connection, if it is still there.
    pub fn close(&mut self, client: ClientId) {
        self.connections.retain(|connection| connection.client != client);
    }
}

impl Connection {
    /// Reads or writes what is possible; a whole request is returned. An error ends the connection.
    fn go_on(&mut self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        match &mut self.state {
            // Nothing is asked for: it has hung up.
            State::Waiting => Err(io::ErrorKind::ConnectionReset.into()),
            State::Reading { bytes, filled } => {
                while *filled < bytes.len() {
                    match again(self.stream.read(&mut bytes[*filled..]))? {
                        Some(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                        Some(count) => *filled += count,
                        None => return Ok(None),
                    }
                    if *filled == LENGTH_BYTES && bytes.len() == LENGTH_BYTES {
                        let length = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
                        if !(1..=MAX_REQUEST).contains(&length) {
                            return Err(io::ErrorKind::InvalidData.into());
                        }
                        // Of the right size at once: growing would leave copies behind.
                        let mut whole = Zeroizing::new(vec![0; LENGTH_BYTES + length]);
                        whole[..LENGTH_BYTES].copy_from_slice(bytes);
                        *bytes = whole;
                    }
                }
                let request = Zeroizing::new(bytes[LENGTH_BYTES..].to_vec());
                self.state = State::Waiting;
                Ok(Some(request))
            }
            State::Writing { bytes, sent } => {
                while *sent < bytes.len() {
                    match again(send(&self.stream, &bytes[*sent..]))? {
                        Some(count) => *sent += count,
                        None => return Ok(None),
                    }
                }
                self.state = State::fresh();
                Ok(None)
            }
        }
    }
}

fn entry(fd: RawFd, events: libc::c_short) -> pollfd {
    pollfd { fd, events, revents: 0 }
}

/// Nothing if it would block.
fn again(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes without SIGPIPE, which would be the end of PID 1's VM.
fn send(stream: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: pointer and length are those of a slice.
    let sent = unsafe { libc::send(stream.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// The user on the other side, as it was when it connected.
fn peer(stream: &UnixStream) -> Result<u32, crate::sys::CallError> {
    let mut credentials = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let mut size = mem::size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the kernel writes at most as many bytes as the struct has.
    let result = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &mut size,
        )
    };
    check("getsockopt(SO_PEERCRED)", result).map(|_| credentials.uid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use avf_formats::wire::{Request, read_frame, write_frame};
    use std::io::Write;
    use std::path::PathBuf;
    use std::time::Duration;

    struct Bench {
        server: Server,
        path: PathBuf,
    }

    impl Bench {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("avf-{name}-{}", std::process::id()));
            let _ = fs::remove_file(&path);
            // SAFETY: takes nothing and never fails.
            let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
            Self { server: Server::bind(&path, uid, gid).unwrap(), path }
        }

        fn connect(&self) -> UnixStream {
            let stream = UnixStream::connect(&self.path).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            stream
        }

        /// One round of a loop that has nothing else to wait for.
        fn round(&mut self) -> Vec<(ClientId, Zeroizing<Vec<u8>>)> {
            let mut polled = self.server.polled();
            // SAFETY: the entries are those of a vector.
            unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, 1000) };
            self.server.serve(&polled)
        }
    }

    impl Drop for Bench {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.path);
        }
    }

    fn ask(client: &mut UnixStream) {
        write_frame(client, &Request::IsNewInstance.encode(), MAX_REQUEST).unwrap();
    }

    #[test]
    fn answers_any_number_of_requests_on_one_connection() {
        let mut bench = Bench::new("answers");
        let mut client = bench.connect();
        assert!(bench.round().is_empty());
        for value in [true, false, true] {
            ask(&mut client);
            let requests = bench.round();
            let [(id, body)] = &requests[..] else { panic!("{}", requests.len()) };
            assert_eq!(***body, [8]);
            bench.server.answer(*id, &Response::Bool(value));
            let answer = read_frame(&mut client, MAX_RESPONSE).unwrap().unwrap();
            assert_eq!(answer.expose(), [0, u8::from(value)]);
        }
    }

    #[test]
    fn half_a_request_and_an_answer_that_is_not_read_hold_up_nobody_else() {
        let mut bench = Bench::new("slow");
        let (mut slow, mut deaf) = (bench.connect(), bench.connect());
        bench.round();
        slow.write_all(&[1, 0]).unwrap();
        ask(&mut deaf);
        let mut requests = bench.round();
        while requests.is_empty() {
            requests = bench.round();
        }
        let long = Response::Bytes(avf_formats::secret::SecretBytes::new(vec![7; 1 << 20]));
        bench.server.answer(requests[0].0, &long);
        let mut quick = bench.connect();
        bench.round();
        ask(&mut quick);
        let mut answered = false;
        for _ in 0..10 {
            for (id, _) in bench.round() {
                bench.server.answer(id, &Response::Bool(true));
                answered = true;
            }
            if answered {
                break;
            }
        }
        assert!(read_frame(&mut quick, MAX_RESPONSE).unwrap().is_some());
        slow.write_all(&[0, 0, 8]).unwrap();
        let whole = (0..10).flat_map(|_| bench.round()).next().unwrap();
        assert_eq!(**whole.1, [8]);
    }

    #[test]
    fn lengths_that_are_not_allowed_end_the_connection_at_once() {
        for length in [0, MAX_REQUEST as u32 + 1, u32::MAX] {
            let mut bench = Bench::new("length");
            let mut client = bench.connect();
            bench.round();
            client.write_all(&length.to_le_bytes()).unwrap();
            assert!(bench.round().is_empty());
            assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
        }
    }

    #[test]
    fn a_client_that_goes_away_while_it_waits_is_forgotten_and_its_answer_dropped() {
        let mut bench = Bench::new("gone");
        let mut client = bench.connect();
        bench.round();
        ask(&mut client);
        let id = bench.round()[0].0;
        drop(client);
        bench.round();
        assert!(bench.server.connections.is_empty());
        bench.server.answer(id, &Response::Bool(true));
    }

    #[test]
    fn more_connections_than_the_limit_wait_for_their_turn() {
        let mut bench = Bench::new("many");
        let mut clients: Vec<_> = (0..MAX_CONNECTIONS + 1).map(|_| bench.connect()).collect();
        bench.round();
        assert_eq!(bench.server.connections.len(), MAX_CONNECTIONS);
        assert_eq!(bench.server.polled()[0].events, 0);
        clients.remove(0);
        bench.round();
        bench.round();
        assert_eq!(bench.server.connections.len(), MAX_CONNECTIONS);
        let mut last = clients.pop().unwrap();
        ask(&mut last);
        assert_eq!(bench.round().len(), 1);
    }

    #[test]
    fn others_than_the_payload_are_turned_away() {
        let mut bench = Bench::new("others");
        // SAFETY: takes nothing and never fails.
        let own = unsafe { libc::getuid() };
        bench.server.uid = own + 1;
        let mut client = bench.connect();
        bench.round();
        assert_eq!(bench.server.connections.len(), usize::from(own == 0));
        if own != 0 {
            assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
        }
    }
}
