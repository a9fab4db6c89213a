//! `binder_ibinder.h`: classes and objects.

#![allow(non_snake_case, non_camel_case_types, reason = "the names are those of the NDK")]

use std::ffi::{CString, c_char, c_void};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use crate::binder::{Binder, FIRST_CALL, LAST_CALL, PING, Service};
use crate::ndk::{code, lent};
use crate::parcel::Parcel;
use crate::status::{self, Status};

type OnCreate = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
type OnDestroy = unsafe extern "C" fn(*mut c_void);
type OnTransact = unsafe extern "C" fn(*mut AIBinder, u32, *const Parcel, *mut Parcel) -> Status;
type OnDump = unsafe extern "C" fn(*mut AIBinder, i32, *const *const c_char, u32) -> Status;

/// A class of objects; lives for ever.
pub struct AIBinder_Class {
    descriptor: CString,
    name: String,
    on_create: OnCreate,
    on_destroy: OnDestroy,
    on_transact: OnTransact,
    has_token: AtomicBool,
}

/// A reference of C: an object of a class, or any object of Rust or of a client.
pub struct AIBinder {
    kind: Kind,
}

enum Kind {
    Local { class: &'static AIBinder_Class, user_data: *mut c_void },
    Other { binder: Binder, class: AtomicPtr<AIBinder_Class> },
}

// SAFETY: the user's data is touched by the functions of its class only, whose contract says that they are called on
// any thread.
unsafe impl Send for AIBinder {}
// SAFETY: as above.
unsafe impl Sync for AIBinder {}

impl Drop for AIBinder {
    fn drop(&mut self) {
        if let Kind::Local { class, user_data } = self.kind {
            // SAFETY: the class made the data, and nobody has the object any more.
            unsafe { (class.on_destroy)(user_data) };
        }
    }
}

impl Service for AIBinder {
    fn descriptor(&self) -> &str {
        self.class().map_or("", |class| &class.name)
    }

    fn has_token(&self) -> bool {
        self.class().is_none_or(|class| class.has_token.load(Ordering::Relaxed))
    }

    fn on_transact(self: Arc<Self>, code: u32, data: &Parcel, reply: &mut Parcel) -> Result<(), Status> {
        let Kind::Local { class, .. } = self.kind else { return Err(status::UNKNOWN_TRANSACTION) };
        // SAFETY: the object and the parcels live during the call.
        match unsafe { (class.on_transact)(Arc::as_ptr(&self).cast_mut(), code, data, reply) } {
            status::OK => Ok(()),
            other => Err(status::known(other)),
        }
    }

    fn as_ndk(self: Arc<Self>) -> Option<Arc<Self>> {
        Some(self)
    }
}

impl AIBinder {
    fn class(&self) -> Option<&'static AIBinder_Class> {
        match &self.kind {
            Kind::Local { class, .. } => Some(class),
            // SAFETY: null or a class, which lives for ever.
            Kind::Other { class, .. } => unsafe { class.load(Ordering::Acquire).as_ref() },
        }
    }

    /// The object as Rust knows it.
    pub(crate) fn binder(self: &Arc<Self>) -> Binder {
        match &self.kind {
            Kind::Local { .. } => Binder::Local(self.clone()),
            Kind::Other { binder, .. } => binder.clone(),
        }
    }

    /// A new reference for C.
    pub(crate) fn export(binder: Binder) -> *mut AIBinder {
        let own = match &binder {
            Binder::Local(service) => service.clone().as_ndk(),
            Binder::Proxy(_) => None,
        };
        let object = own
            .unwrap_or_else(|| Arc::new(Self { kind: Kind::Other { binder, class: AtomicPtr::new(ptr::null_mut()) } }));
        Arc::into_raw(object).cast_mut()
    }

    /// Another reference to an object of C.
    ///
    /// # Safety
    ///
    /// The pointer is null or an object to which there is a reference.
    pub(crate) unsafe fn import(binder: *const AIBinder) -> Option<Arc<Self>> {
        if binder.is_null() {
            return None;
        }
        // SAFETY: the caller's promise: the pointer came from Arc::into_raw, and somebody holds a count.
        unsafe {
            Arc::increment_strong_count(binder);
            Some(Arc::from_raw(binder))
        }
    }
}

/// # Safety
///
/// The descriptor is null or NUL-terminated, and the functions are what the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_Class_define(
    descriptor: *const c_char,
    on_create: Option<OnCreate>,
    on_destroy: Option<OnDestroy>,
    on_transact: Option<OnTransact>,
) -> *mut AIBinder_Class {
    // SAFETY: the caller's promise.
    let name = unsafe { lent(descriptor) };
    let (Some(name), Some(on_create), Some(on_destroy), Some(on_transact)) = (name, on_create, on_destroy, on_transact)
    else {
        return ptr::null_mut();
    };
    let Ok(descriptor) = CString::new(name) else { return ptr::null_mut() };
    let name = name.to_owned();
    let has_token = AtomicBool::new(true);
    Box::into_raw(Box::new(AIBinder_Class { descriptor, name, on_create, on_destroy, on_transact, has_token }))
}

/// Dumps are not served over sockets; the function is there for code that sets one.
#[unsafe(no_mangle)]
pub extern "C" fn AIBinder_Class_setOnDump(_class: *mut AIBinder_Class, _on_dump: Option<OnDump>) {}

/// # Safety
///
/// The class is null or one that was defined.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_Class_disableInterfaceTokenHeader(class: *mut AIBinder_Class) {
    // SAFETY: the caller's promise.
    if let Some(class) = unsafe { class.as_ref() } {
        class.has_token.store(false, Ordering::Relaxed);
    }
}

/// # Safety
///
/// The class is null or one that was defined.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_Class_getDescriptor(class: *const AIBinder_Class) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { class.as_ref() }.map_or(ptr::null(), |class| class.descriptor.as_ptr())
}

/// # Safety
///
/// The class is null or one that was defined.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_new(class: *const AIBinder_Class, args: *mut c_void) -> *mut AIBinder {
    // SAFETY: the caller's promise; classes live for ever.
    let Some(class) = (unsafe { class.as_ref() }) else { return ptr::null_mut() };
    // SAFETY: the class's function takes what the caller gives for it.
    let user_data = unsafe { (class.on_create)(args) };
    Arc::into_raw(Arc::new(AIBinder { kind: Kind::Local { class, user_data } })).cast_mut()
}

/// # Safety
///
/// The object is null or one to which the caller has a reference; so it is for all functions below.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_incStrong(binder: *mut AIBinder) {
    if !binder.is_null() {
        // SAFETY: the caller's promise.
        unsafe { Arc::increment_strong_count(binder.cast_const()) };
    }
}

/// # Safety
///
/// See [`AIBinder_incStrong`]; the reference is gone afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_decStrong(binder: *mut AIBinder) {
    if !binder.is_null() {
        // SAFETY: the caller's promise.
        unsafe { Arc::decrement_strong_count(binder.cast_const()) };
    }
}

/// # Safety
///
/// See [`AIBinder_incStrong`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_debugGetRefCount(binder: *mut AIBinder) -> i32 {
    // SAFETY: the caller's promise; one count is that of this call.
    unsafe { AIBinder::import(binder) }.map_or(-1, |binder| Arc::strong_count(&binder) as i32 - 1)
}

/// # Safety
///
/// See [`AIBinder_incStrong`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_getUserData(binder: *mut AIBinder) -> *mut c_void {
    // SAFETY: the caller's promise.
    match unsafe { binder.as_ref() }.map(|binder| &binder.kind) {
        Some(Kind::Local { user_data, .. }) => *user_data,
        _ => ptr::null_mut(),
    }
}

/// # Safety
///
/// See [`AIBinder_incStrong`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_getClass(binder: *mut AIBinder) -> *const AIBinder_Class {
    // SAFETY: the caller's promise.
    unsafe { binder.as_ref() }.and_then(AIBinder::class).map_or(ptr::null(), ptr::from_ref)
}

/// # Safety
///
/// See [`AIBinder_incStrong`]; the class is null or one that was defined.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_associateClass(binder: *mut AIBinder, class: *const AIBinder_Class) -> bool {
    // SAFETY: the caller's promise.
    let (Some(binder), Some(wanted)) = (unsafe { AIBinder::import(binder) }, unsafe { class.as_ref() }) else {
        return false;
    };
    if let Some(known) = binder.class() {
        return ptr::eq(known, wanted);
    }
    let Kind::Other { binder: object, class: own } = &binder.kind else { return false };
    if object.interface().as_deref() != Ok(wanted.name.as_str()) {
        return false;
    }
    let none = ptr::null_mut();
    match own.compare_exchange(none, class.cast_mut(), Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => true,
        Err(known) => ptr::eq(known, class),
    }
}

/// # Safety
///
/// See [`AIBinder_incStrong`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_isRemote(binder: *const AIBinder) -> bool {
    // SAFETY: the caller's promise.
    let kind = unsafe { binder.as_ref() }.map(|binder| &binder.kind);
    matches!(kind, Some(Kind::Other { binder: Binder::Proxy(_), .. }))
}

/// # Safety
///
/// See [`AIBinder_incStrong`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_isAlive(binder: *const AIBinder) -> bool {
    // SAFETY: the caller's promise.
    match unsafe { binder.as_ref() }.map(|binder| &binder.kind) {
        Some(Kind::Other { binder: Binder::Proxy(proxy), .. }) => proxy.is_alive(),
        other => other.is_some(),
    }
}

/// # Safety
///
/// See [`AIBinder_incStrong`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_ping(binder: *mut AIBinder) -> Status {
    // SAFETY: the caller's promise.
    let Some(binder) = (unsafe { AIBinder::import(binder) }) else { return status::UNEXPECTED_NULL };
    code(binder.binder().transact(PING, Parcel::new(), 0).map(drop))
}

/// # Safety
///
/// See [`AIBinder_incStrong`]; `data` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_prepareTransaction(binder: *mut AIBinder, data: *mut *mut Parcel) -> Status {
    // SAFETY: the caller's promise.
    let Some(binder) = (unsafe { binder.as_ref() }) else { return status::UNEXPECTED_NULL };
    if data.is_null() {
        return status::UNEXPECTED_NULL;
    }
    let Some(class) = binder.class() else { return status::INVALID_OPERATION };
    let mut parcel = Parcel::new();
    if class.has_token.load(Ordering::Relaxed) {
        parcel.write_string(Some(&class.name));
    }
    // SAFETY: the caller's promise; what was there is not ours.
    unsafe { data.write(Box::into_raw(Box::new(parcel))) };
    status::OK
}

/// # Safety
///
/// See [`AIBinder_incStrong`]; `data` is a parcel of [`AIBinder_prepareTransaction`] and is taken, whatever comes of
/// the call; `reply` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AIBinder_transact(
    binder: *mut AIBinder,
    code: u32,
    data: *mut *mut Parcel,
    reply: *mut *mut Parcel,
    flags: u32,
) -> Status {
    if data.is_null() {
        return status::UNEXPECTED_NULL;
    }
    // SAFETY: the caller's promise: null, or a box that is taken once, as null is left behind.
    let parcel = unsafe {
        let taken = data.replace(ptr::null_mut());
        if taken.is_null() { None } else { Some(*Box::from_raw(taken)) }
    };
    // SAFETY: the caller's promise.
    let (Some(parcel), Some(binder)) = (parcel, unsafe { AIBinder::import(binder) }) else {
        return status::UNEXPECTED_NULL;
    };
    if !(FIRST_CALL..=LAST_CALL).contains(&code) {
        return status::UNKNOWN_TRANSACTION;
    }
    if flags & !crate::wire::FLAG_ONEWAY != 0 || reply.is_null() {
        return status::BAD_VALUE;
    }
    match binder.binder().transact(code, parcel, flags) {
        Ok(result) => {
            // SAFETY: the caller's promise; what was there is not ours.
            unsafe { reply.write(Box::into_raw(Box::new(result))) };
            status::OK
        }
        Err(status) => {
            // SAFETY: as above.
            unsafe { reply.write(ptr::null_mut()) };
            status
        }
    }
}
