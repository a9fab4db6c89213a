//! Which calls the current thread is in: a call of the client from within its own call goes where the client waits.

use std::cell::RefCell;
use std::sync::Arc;

use crate::connection::Connection;
use crate::session::Session;
use crate::wire::Broken;

/// The most calls within calls: each takes a piece of the stack, and the peer says how many there are.
const MAX_DEPTH: usize = 16;

struct Entry {
    session: *const Session,
    connection: Arc<Connection>,
    waits: bool,
}

thread_local! {
    static CALLS: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// The time during which the thread is in a call.
pub(crate) struct Entered(());

impl Drop for Entered {
    fn drop(&mut self) {
        CALLS.with_borrow_mut(Vec::pop);
    }
}

/// Enters a call; `waits` says whether the client waits for its end.
pub(crate) fn enter(session: &Arc<Session>, connection: &Arc<Connection>, waits: bool) -> Result<Entered, Broken> {
    CALLS.with_borrow_mut(|calls| {
        if calls.len() >= MAX_DEPTH {
            return Err(Broken::Protocol("calls are nested too deep"));
        }
        calls.push(Entry { session: Arc::as_ptr(session), connection: connection.clone(), waits });
        Ok(Entered(()))
    })
}

/// The connection of the innermost call with a session, if the peer waits there.
pub(crate) fn current(session: &Arc<Session>) -> Option<Arc<Connection>> {
    CALLS.with_borrow(|calls| {
        let innermost = calls.iter().rfind(|entry| std::ptr::eq(entry.session, Arc::as_ptr(session)))?;
        innermost.waits.then(|| innermost.connection.clone())
    })
}
