//! Runs the payload and answers what it asks, until it ends.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use avf_formats::wire::{Response, SOCKET_PATH};
use libc::{pid_t, pollfd};

use super::attestation::LayerAttestor;
use super::config::Command;
use super::desk::HostDesk;
use super::errands::{Desk, Errands};
use super::host::Inbox;
use super::secretkeeper::Session;
use super::server::Server;
use super::service::{Outcome, Service};
use crate::console::{PayloadConsole, say};
use crate::encryptedstore::Store;
use crate::failure::Failure;
use crate::keeper::end_all_others;
use crate::process::Program;
use crate::report::{self, Report};
use crate::sandbox::{PAYLOAD_ID, Sandbox};
use crate::sys::{self, Deadline, Ended, Reaped};

const SIGNAL_BYTES: usize = size_of::<libc::signalfd_siginfo>();

/// A payload that is ready to start.
pub struct Payload {
    pub command: Command,
    pub service: Service,
    pub store: Option<Store>,
    /// Where the payload's rollback-protected value is.
    pub secretkeeper: Option<Session>,
    /// Whether it has the machine's console; else it reads nothing and its words are dropped.
    pub console: bool,
}

/// Starts the payload, keeps it to its end, writes its store back, and reports how it ended.
pub fn run(payload: Payload) -> Result<(), Failure> {
    let failed = |what: &dyn std::fmt::Display| Failure::machine(format!("cannot prepare the payload: {what}"));
    share_vsock();
    let server = Server::bind(Path::new(SOCKET_PATH), PAYLOAD_ID, PAYLOAD_ID).map_err(|error| failed(&error))?;
    let children = sys::child_signals().map_err(|error| failed(&error))?;
    let console = if payload.console { Some(PayloadConsole::open().map_err(|error| failed(&error))?) } else { None };
    let null = OpenOptions::new().read(true).write(true).open("/dev/null").map_err(|error| failed(&error))?;
    let confined = Sandbox::payload().prepare();
    let program = Program {
        path: &payload.command.path,
        arguments: &payload.command.arguments,
        environment: &Command::environment(),
        input: console.as_ref().map_or(null.as_fd(), |console| console.input.as_fd()),
        output: console.as_ref().map_or(null.as_fd(), |console| console.output.as_fd()),
        inherited: None,
        confined: Some(&confined),
    };
    let pid = program.start()?;
    report::send(&Report::PayloadStarted { pid: pid.unsigned_abs(), boot_nanos: sys::boot_nanos() });

    let secrets = &payload.service.secrets;
    let attestor = LayerAttestor { chain: secrets.chain.clone(), cdi_attest: secrets.cdi_attest.duplicate() };
    let keeper = Keeper {
        pid,
        children: File::from(children),
        server,
        service: payload.service,
        host: report::stream(),
        inbox: Inbox::default(),
        errands: Errands::new(HostDesk { attestor, keeper: payload.secretkeeper }),
        is_ready: false,
    };
    let kept = keeper.keep();
    // What the payload left behind must not write while the store is written back.
    end_all_others();
    if let Some(Err(failure)) = payload.store.map(|store| store.sync()) {
        say(format_args!("{failure}"));
    }
    if let Some(console) = console {
        console.drain();
    }
    let ended = kept?;
    report::send(&Report::PayloadFinished { exit_code: ended.exit_code, signal: ended.signal });
    Ok(())
}

/// The one loop of a running VM; it has one thread, and never waits for a client or the host alone.
struct Keeper<D: Desk> {
    pid: pid_t,
    /// Can be read when a child ended.
    children: File,
    server: Server,
    service: Service,
    /// Where the host answers, until it closes.
    host: Option<BorrowedFd<'static>>,
    inbox: Inbox,
    errands: Errands<D>,
    is_ready: bool,
}

impl<D: Desk> Keeper<D> {
    fn keep(mut self) -> Result<Ended, Failure> {
        loop {
            let mut polled =
                vec![readable(Some(self.children.as_raw_fd())), readable(self.host.map(|fd| fd.as_raw_fd()))];
            polled.extend(self.server.polled());
            sys::poll(&mut polled, self.errands.deadline().map(Deadline::remaining))
                .map_err(|error| Failure::machine(format!("cannot wait for the payload: {error}")))?;
            // Before its end is looked at: what a payload asked just before counts.
            for (client, body) in self.server.serve(&polled[2..]) {
                self.handle(client, &body);
            }
            if polled[1].revents != 0 {
                self.hear_host();
            }
            while let Some((client, response)) = self.errands.go_on(&mut report::send) {
                self.server.answer(client, &response);
            }
            if polled[0].revents == 0 {
                continue;
            }
            if let Some(ended) = self.reap() {
                return Ok(ended);
            }
        }
    }

    fn handle(&mut self, client: u64, body: &[u8]) {
        match self.service.handle(body) {
            Ok(Outcome::Answer(response)) => self.server.answer(client, &response),
            Ok(Outcome::Ready) => {
                if !std::mem::replace(&mut self.is_ready, true) {
                    report::send(&Report::PayloadReady { boot_nanos: sys::boot_nanos() });
                }
                self.server.answer(client, &Response::Done);
            }
            Ok(Outcome::AskHost(errand)) => self.errands.request(client, errand),
            Err(reason) => {
                say(format_args!("{reason}"));
                self.server.close(client);
            }
        }
    }

    fn hear_host(&mut self) {
        let Some(host) = self.host else { return };
        let heard = match self.inbox.receive(host) {
            Ok(None) => return,
            Ok(Some(body)) => Ok(body),
            Err(reason) => {
                self.host = None;
                Err(reason)
            }
        };
        if let Some((client, response)) = self.errands.receive(heard) {
            self.server.answer(client, &response);
        }
    }

    /// Reaps all that have ended; returns the payload's end if it is among them.
    fn reap(&mut self) -> Option<Ended> {
        // Any count of ended children is one signal, so the signal's own content says nothing.
        let _ = self.children.read(&mut [0; SIGNAL_BYTES]);
        while let Reaped::Child(ended) = sys::reap() {
            if ended.pid == self.pid {
                return Some(ended);
            }
        }
        None
    }
}

/// An entry of poll; a negative descriptor is one that it skips.
fn readable(fd: Option<i32>) -> pollfd {
    pollfd { fd: fd.unwrap_or(-1), events: libc::POLLIN, revents: 0 }
}

/// Lets the payload ask for its own CID.
fn share_vsock() {
    // Without it the payload still connects and listens.
    let _ = fs::set_permissions("/dev/vsock", Permissions::from_mode(0o666));
}
