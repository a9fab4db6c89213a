//! Objects: those that live here, and those of a client.

use std::fmt;
use std::sync::Arc;

use crate::ndk::ibinder::AIBinder;
use crate::parcel::Parcel;
use crate::session::Session;
use crate::status::{self, Status};
use crate::wire::Address;

pub const FIRST_CALL: u32 = 1;
pub const LAST_CALL: u32 = 0x00ff_ffff;
pub const PING: u32 = 0x5f50_4e47;
pub const INTERFACE: u32 = 0x5f4e_5446;
pub const EXTENSION: u32 = 0x5f45_5854;

/// The stability level SYSTEM, which is that of all ordinary objects.
pub const SYSTEM_STABILITY: i32 = 12;
const VENDOR_STABILITY: i32 = 3;
const VINTF_STABILITY: i32 = 63;

/// An object that lives here. Calls may come on several threads at once.
pub trait Service: Send + Sync + 'static {
    /// The name of the interface, as AIDL has it.
    fn descriptor(&self) -> &str;

    /// Whether calls begin with the descriptor, which is then taken off before [`Service::on_transact`] sees them.
    fn has_token(&self) -> bool {
        true
    }

    /// Serves a call of the interface, `FIRST_CALL..=LAST_CALL`. An error is the status of the reply, which then has
    /// no parcel. What is written to the reply of a oneway call is dropped.
    fn on_transact(self: Arc<Self>, code: u32, data: &Parcel, reply: &mut Parcel) -> Result<(), Status>;

    /// The object as C knows it, if it does.
    #[doc(hidden)]
    fn as_ndk(self: Arc<Self>) -> Option<Arc<AIBinder>> {
        None
    }
}

/// A reference to an object.
#[derive(Clone)]
pub enum Binder {
    Local(Arc<dyn Service>),
    Proxy(Arc<Proxy>),
}

impl Binder {
    pub fn new(service: impl Service) -> Self {
        Self::Local(Arc::new(service))
    }

    /// Whether both are the same object.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Local(one), Self::Local(two)) => std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(two)),
            (Self::Proxy(one), Self::Proxy(two)) => Arc::ptr_eq(one, two),
            _ => false,
        }
    }

    /// Calls the object; a oneway call gives an empty parcel.
    pub fn transact(&self, code: u32, data: Parcel, flags: u32) -> Result<Parcel, Status> {
        match self {
            Self::Proxy(proxy) => proxy.session.transact(proxy, code, data, flags),
            Self::Local(service) => {
                let mut reply = Parcel::new();
                data.set_position(0)?;
                dispatch(service, code, &data, &mut reply)?;
                reply.set_position(0)?;
                Ok(reply)
            }
        }
    }

    /// The name of its interface, which a client is asked for.
    pub fn interface(&self) -> Result<String, Status> {
        match self {
            Self::Local(service) => Ok(service.descriptor().into()),
            Self::Proxy(_) => self.transact(INTERFACE, Parcel::new(), 0)?.read_string()?.ok_or(status::UNEXPECTED_NULL),
        }
    }
}

impl fmt::Debug for Binder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(service) => write!(f, "Local[{}]", service.descriptor()),
            Self::Proxy(proxy) => write!(f, "Proxy[{:?}]", proxy.address),
        }
    }
}

/// An object of a client. Its references are given back with the next message after this was dropped.
pub struct Proxy {
    pub(crate) session: Arc<Session>,
    pub(crate) address: Address,
    pub(crate) stability: i32,
}

impl Proxy {
    /// Whether the session goes on, as far as is known.
    pub fn is_alive(&self) -> bool {
        !self.session.has_ended()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.session.proxy_dropped(self.address);
    }
}

pub(crate) fn is_stability(value: i32) -> bool {
    [SYSTEM_STABILITY, VENDOR_STABILITY, VINTF_STABILITY].contains(&value)
}

/// Serves one call of an object: what every object answers, or the object itself.
pub(crate) fn dispatch(service: &Arc<dyn Service>, code: u32, data: &Parcel, reply: &mut Parcel) -> Result<(), Status> {
    match code {
        PING => Ok(()),
        INTERFACE => {
            reply.write_string(Some(service.descriptor()));
            Ok(())
        }
        EXTENSION => {
            reply.write_binder(None);
            Ok(())
        }
        FIRST_CALL..=LAST_CALL => {
            if service.has_token() && data.read_string().ok().flatten().as_deref() != Some(service.descriptor()) {
                return Err(status::BAD_TYPE);
            }
            service.clone().on_transact(code, data, reply)
        }
        _ => Err(status::UNKNOWN_TRANSACTION),
    }
}
