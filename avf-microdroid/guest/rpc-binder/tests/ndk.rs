//! The NDK's functions, within one process.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use binder_ndk::ndk::ibinder::*;
use binder_ndk::ndk::parcel::*;
use binder_ndk::ndk::status::*;
use binder_ndk::{Parcel, status};

static DESTROYED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn on_create(args: *mut c_void) -> *mut c_void {
    args
}

/// Counts those objects that were made with something.
unsafe extern "C" fn on_destroy(data: *mut c_void) {
    if !data.is_null() {
        DESTROYED.fetch_add(1, Ordering::SeqCst);
    }
}

/// Gives strings back, the longer ones as service-specific errors.
unsafe extern "C" fn on_transact(_: *mut AIBinder, code: u32, data: *const Parcel, reply: *mut Parcel) -> i32 {
    if code != 1 {
        return status::UNKNOWN_TRANSACTION;
    }
    let mut text: Option<Vec<c_char>> = None;
    // SAFETY: the parcels are those of the call, and the allocator gets what it expects.
    unsafe {
        let read = AParcel_readString(data, (&raw mut text).cast(), Some(allocate));
        if read != status::OK {
            return read;
        }
        let outcome = match &text {
            Some(text) if text.len() > 4 => AStatus_fromServiceSpecificErrorWithMessage(3, text.as_ptr()),
            _ => AStatus_newOk(),
        };
        AParcel_writeStatusHeader(reply, outcome);
        AStatus_delete(outcome);
        match &text {
            Some(text) => AParcel_writeString(reply, text.as_ptr(), text.len() as i32 - 1),
            None => AParcel_writeString(reply, ptr::null(), -1),
        }
    }
}

unsafe extern "C" fn allocate(target: *mut c_void, length: i32, buffer: *mut *mut c_char) -> bool {
    // SAFETY: the target is what the caller of the read function gave.
    let target = unsafe { &mut *target.cast::<Option<Vec<c_char>>>() };
    *target = usize::try_from(length).ok().map(|length| vec![0; length]);
    if let Some(room) = target {
        // SAFETY: the pointer can be written.
        unsafe { buffer.write(room.as_mut_ptr()) };
    }
    true
}

unsafe extern "C" fn refuse(_: *mut c_void, _: i32, _: *mut *mut c_char) -> bool {
    false
}

fn class(descriptor: &CStr) -> *mut AIBinder_Class {
    // SAFETY: a NUL-terminated string, and functions of these types.
    unsafe { AIBinder_Class_define(descriptor.as_ptr(), Some(on_create), Some(on_destroy), Some(on_transact)) }
}

fn echo(binder: *mut AIBinder, text: Option<&CStr>) -> (i32, *mut Parcel) {
    let (mut data, mut reply) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the object lives, and the parcels go the way of the header.
    unsafe {
        assert_eq!(AIBinder_prepareTransaction(binder, &raw mut data), status::OK);
        let (pointer, length) = text.map_or((ptr::null(), -1), |text| (text.as_ptr(), text.count_bytes() as i32));
        assert_eq!(AParcel_writeString(data, pointer, length), status::OK);
        let result = AIBinder_transact(binder, 1, &raw mut data, &raw mut reply, 0);
        assert!(data.is_null());
        (result, reply)
    }
}

#[test]
fn objects_live_as_long_as_their_references() {
    let adder = class(c"demo.IEcho");
    let mut mark = 7;
    // SAFETY: the objects live until their last reference is given back.
    unsafe {
        let binder = AIBinder_new(adder, (&raw mut mark).cast());
        assert_eq!(AIBinder_getUserData(binder), (&raw mut mark).cast());
        assert_eq!(AIBinder_getClass(binder), adder.cast_const());
        assert_eq!(CStr::from_ptr(AIBinder_Class_getDescriptor(adder)), c"demo.IEcho");
        assert!(AIBinder_associateClass(binder, adder));
        assert!(!AIBinder_associateClass(binder, class(c"demo.IEcho")));
        assert!(!AIBinder_isRemote(binder));
        assert!(AIBinder_isAlive(binder));
        assert_eq!(AIBinder_ping(binder), status::OK);
        AIBinder_incStrong(binder);
        assert_eq!(AIBinder_debugGetRefCount(binder), 2);
        let parcel = AParcel_create();
        AParcel_writeStrongBinder(parcel, binder);
        AParcel_setDataPosition(parcel, 0);
        let mut other = ptr::null_mut();
        assert_eq!(AParcel_readStrongBinder(parcel, &raw mut other), status::OK);
        assert_eq!(other, binder);
        AParcel_delete(parcel);
        for reference in [other, binder] {
            AIBinder_decStrong(reference);
            assert_eq!(DESTROYED.load(Ordering::SeqCst), 0);
        }
        AIBinder_decStrong(binder);
        assert_eq!(DESTROYED.load(Ordering::SeqCst), 1);
        AIBinder_decStrong(ptr::null_mut());
    }
}

#[test]
fn calls_bring_results_and_exceptions() {
    // SAFETY: objects, parcels and statuses live while they are used.
    unsafe {
        let binder = AIBinder_new(class(c"demo.IEcho2"), ptr::null_mut());
        for text in [Some(c"a\xc3\xa4"), None] {
            let (result, reply) = echo(binder, text);
            assert_eq!(result, status::OK);
            let mut thrown = ptr::null_mut();
            assert_eq!(AParcel_readStatusHeader(reply, &raw mut thrown), status::OK);
            assert!(AStatus_isOk(thrown));
            let mut got: Option<Vec<c_char>> = None;
            assert_eq!(AParcel_readString(reply, (&raw mut got).cast(), Some(allocate)), status::OK);
            assert_eq!(got.map(|got| CStr::from_ptr(got.as_ptr()).to_owned()).as_deref(), text);
            AStatus_delete(thrown);
            AParcel_delete(reply);
        }
        let (result, reply) = echo(binder, Some(c"too long"));
        assert_eq!(result, status::OK);
        let mut thrown = ptr::null_mut();
        assert_eq!(AParcel_readStatusHeader(reply, &raw mut thrown), status::OK);
        assert_eq!((AStatus_getExceptionCode(thrown), AStatus_getServiceSpecificError(thrown)), (-8, 3));
        let description = AStatus_getDescription(thrown);
        assert_eq!(CStr::from_ptr(description), c"service-specific error 3: too long");
        AStatus_deleteDescription(description);
        AStatus_delete(thrown);
        AParcel_delete(reply);
        let mut nothing = ptr::null_mut();
        assert_eq!(AIBinder_transact(binder, 1, &raw mut nothing, &raw mut nothing, 0), status::UNEXPECTED_NULL);
        for (code, flags, expected) in
            [(2, 0, status::UNKNOWN_TRANSACTION), (0, 0, status::UNKNOWN_TRANSACTION), (1, 8, status::BAD_VALUE)]
        {
            let (mut data, mut reply) = (ptr::null_mut(), ptr::null_mut());
            AIBinder_prepareTransaction(binder, &raw mut data);
            assert_eq!(AIBinder_transact(binder, code, &raw mut data, &raw mut reply, flags), expected);
            assert!(data.is_null() && reply.is_null());
        }
        AIBinder_decStrong(binder);
    }
}

#[test]
fn nulls_and_refusals_are_statuses() {
    // SAFETY: null is what the functions are asked about; the parcel lives until it is deleted.
    unsafe {
        assert!(AIBinder_new(ptr::null(), ptr::null_mut()).is_null());
        assert!(AIBinder_Class_define(c"demo".as_ptr(), None, Some(on_destroy), Some(on_transact)).is_null());
        assert_eq!(AIBinder_ping(ptr::null_mut()), status::UNEXPECTED_NULL);
        assert_eq!(AParcel_writeInt32(ptr::null_mut(), 1), status::UNEXPECTED_NULL);
        let parcel = AParcel_create();
        assert_eq!(AParcel_writeString(parcel, ptr::null(), 1), status::BAD_VALUE);
        assert_eq!(AParcel_writeString(parcel, c"\xff".as_ptr(), 1), status::BAD_VALUE);
        assert_eq!(AParcel_writeByteArray(parcel, ptr::null(), -2), status::BAD_VALUE);
        assert_eq!(AParcel_getDataSize(parcel), 0);
        AParcel_writeString(parcel, ptr::null(), -1);
        AParcel_writeString(parcel, c"a".as_ptr(), 1);
        AParcel_writeStrongBinder(parcel, ptr::null_mut());
        AParcel_setDataPosition(parcel, 0);
        let none = ptr::null_mut();
        assert_eq!(AParcel_readString(parcel, none, Some(refuse)), status::UNEXPECTED_NULL);
        assert_eq!(AParcel_readString(parcel, none, Some(refuse)), status::NO_MEMORY);
        let at = AParcel_getDataPosition(parcel);
        let mut binder = ptr::dangling_mut();
        assert_eq!(AParcel_readStrongBinder(parcel, &raw mut binder), status::UNEXPECTED_NULL);
        AParcel_setDataPosition(parcel, at);
        assert_eq!(AParcel_readNullableStrongBinder(parcel, &raw mut binder), status::OK);
        assert!(binder.is_null());
        assert_eq!(AParcel_setDataPosition(parcel, -1), status::BAD_VALUE);
        AParcel_delete(parcel);
        let failed = AStatus_fromStatus(-1);
        assert_eq!((AStatus_getExceptionCode(failed), AStatus_getStatus(failed)), (-129, -1));
        AStatus_delete(failed);
        let unknown = AStatus_fromExceptionCode(-77);
        assert_eq!(AStatus_getExceptionCode(unknown), -129);
        AStatus_delete(unknown);
    }
}

#[test]
fn arrays_come_back() {
    unsafe extern "C" fn allocate_longs(target: *mut c_void, length: i32, buffer: *mut *mut i64) -> bool {
        // SAFETY: the target is what the caller of the read function gave, and the pointer can be written.
        unsafe {
            let target = &mut *target.cast::<Vec<i64>>();
            target.resize(length.max(0) as usize, 0);
            buffer.write(target.as_mut_ptr());
        }
        true
    }
    // SAFETY: the parcel lives until it is deleted, and arrays have their lengths.
    unsafe {
        let parcel = AParcel_create();
        let sent = [i64::MIN, -1, 5];
        AParcel_writeInt64Array(parcel, sent.as_ptr(), 3);
        AParcel_writeInt64Array(parcel, ptr::null(), -1);
        AParcel_setDataPosition(parcel, 0);
        for expected in [&sent[..], &[]] {
            let mut got: Vec<i64> = Vec::new();
            assert_eq!(AParcel_readInt64Array(parcel, (&raw mut got).cast(), Some(allocate_longs)), status::OK);
            assert_eq!(got, expected);
        }
        AParcel_delete(parcel);
    }
}
