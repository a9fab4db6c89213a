//! `binder_parcel.h`: writing and reading.
//!
//! All functions have one contract: a parcel is one that this library gave and nobody deleted, out parameters can be
//! written, and arrays have the length that is given with them.

#![allow(non_snake_case, reason = "the names are those of the NDK")]
#![allow(clippy::missing_safety_doc, reason = "the contract is that of the module")]

use std::ffi::{c_char, c_void};
use std::ptr;

use crate::exception::Exception;
use crate::ndk::code;
use crate::ndk::ibinder::AIBinder;
use crate::parcel::Parcel;
use crate::status::{self, Status};

type StringAllocator = unsafe extern "C" fn(*mut c_void, i32, *mut *mut c_char) -> bool;
type ArrayAllocator<T> = unsafe extern "C" fn(*mut c_void, i32, *mut *mut T) -> bool;

/// Delivers what was read, or says why there is nothing.
///
/// # Safety
///
/// See the module.
unsafe fn deliver<T>(parcel: *const Parcel, value: *mut T, read: impl FnOnce(&Parcel) -> Result<T, Status>) -> Status {
    // SAFETY: the contract of the module.
    let Some(parcel) = (unsafe { parcel.as_ref() }) else { return status::UNEXPECTED_NULL };
    if value.is_null() {
        return status::UNEXPECTED_NULL;
    }
    code(read(parcel).map(|read| {
        // SAFETY: the contract of the module; what was there is not ours.
        unsafe { value.write(read) }
    }))
}

/// # Safety
///
/// See the module.
unsafe fn write(parcel: *mut Parcel, write: impl FnOnce(&mut Parcel) -> Result<(), Status>) -> Status {
    // SAFETY: the contract of the module.
    unsafe { parcel.as_mut() }.map_or(status::UNEXPECTED_NULL, |parcel| code(write(parcel)))
}

macro_rules! scalars {
    ($($type:ty: $write:ident $put:expr, $read:ident $take:expr;)*) => {$(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $write(parcel: *mut Parcel, value: $type) -> Status {
            // SAFETY: the contract of the module.
            unsafe { write(parcel, |parcel| { ($put)(parcel, value); Ok(()) }) }
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $read(parcel: *const Parcel, value: *mut $type) -> Status {
            // SAFETY: the contract of the module.
            unsafe { deliver(parcel, value, $take) }
        }
    )*};
}

scalars! {
    i32: AParcel_writeInt32 Parcel::write_i32, AParcel_readInt32 Parcel::read_i32;
    u32: AParcel_writeUint32 |to: &mut Parcel, value| to.write_i32(value as i32),
         AParcel_readUint32 |from| from.read_i32().map(|value| value as u32);
    i64: AParcel_writeInt64 Parcel::write_i64, AParcel_readInt64 Parcel::read_i64;
    u64: AParcel_writeUint64 |to: &mut Parcel, value| to.write_i64(value as i64),
         AParcel_readUint64 |from| from.read_i64().map(|value| value as u64);
    f32: AParcel_writeFloat Parcel::write_f32, AParcel_readFloat Parcel::read_f32;
    f64: AParcel_writeDouble Parcel::write_f64, AParcel_readDouble Parcel::read_f64;
    bool: AParcel_writeBool Parcel::write_bool, AParcel_readBool Parcel::read_bool;
    i8: AParcel_writeByte Parcel::write_byte, AParcel_readByte Parcel::read_byte;
    u16: AParcel_writeChar Parcel::write_char, AParcel_readChar Parcel::read_char;
}

macro_rules! arrays {
    ($($type:ty: $write:ident, $read:ident;)*) => {$(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $write(parcel: *mut Parcel, array: *const $type, length: i32) -> Status {
            // SAFETY: the contract of the module.
            match unsafe { lent_array(array, length) } {
                Err(status) => status,
                Ok(values) => {
                    let bytes: Option<Vec<_>> = values.map(|it| it.iter().map(|value| value.to_le_bytes()).collect());
                    // SAFETY: the contract of the module.
                    unsafe { write(parcel, |parcel| { parcel.write_packed(bytes.as_deref()); Ok(()) }) }
                }
            }
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $read(
            parcel: *const Parcel,
            data: *mut c_void,
            allocator: Option<ArrayAllocator<$type>>,
        ) -> Status {
            // SAFETY: the contract of the module.
            let Some(parcel) = (unsafe { parcel.as_ref() }) else { return status::UNEXPECTED_NULL };
            code(parcel.read_packed().and_then(|bytes| {
                let values: Option<Vec<_>> = bytes.map(|it| it.iter().map(|&it| <$type>::from_le_bytes(it)).collect());
                // SAFETY: the contract of the module.
                unsafe { deliver_array(values.as_deref(), data, allocator) }
            }))
        }
    )*};
}

arrays! {
    i32: AParcel_writeInt32Array, AParcel_readInt32Array;
    u32: AParcel_writeUint32Array, AParcel_readUint32Array;
    i64: AParcel_writeInt64Array, AParcel_readInt64Array;
    u64: AParcel_writeUint64Array, AParcel_readUint64Array;
    f32: AParcel_writeFloatArray, AParcel_readFloatArray;
    f64: AParcel_writeDoubleArray, AParcel_readDoubleArray;
}

/// An array of C; none for null with the length -1.
///
/// # Safety
///
/// See the module.
unsafe fn lent_array<'a, T>(array: *const T, length: i32) -> Result<Option<&'a [T]>, Status> {
    match usize::try_from(length) {
        Ok(0) => Ok(Some(&[])),
        // SAFETY: the contract of the module.
        Ok(length) if !array.is_null() => Ok(Some(unsafe { std::slice::from_raw_parts(array, length) })),
        Err(_) if length == -1 && array.is_null() => Ok(None),
        _ => Err(status::BAD_VALUE),
    }
}

/// Copies an array to where the allocator wants it.
///
/// # Safety
///
/// See the module; an allocator that says yes gives room for what it was asked for.
unsafe fn deliver_array<T: Copy>(
    values: Option<&[T]>,
    data: *mut c_void,
    allocator: Option<ArrayAllocator<T>>,
) -> Result<(), Status> {
    let allocator = allocator.ok_or(status::UNEXPECTED_NULL)?;
    let length = values.map_or(-1, |values| values.len() as i32);
    let mut target = ptr::null_mut();
    // SAFETY: the pointer lives during the call.
    if !unsafe { allocator(data, length, &raw mut target) } {
        return Err(if values.is_none() { status::UNEXPECTED_NULL } else { status::NO_MEMORY });
    }
    match values {
        Some(values) if !values.is_empty() => {
            if target.is_null() {
                return Err(status::NO_MEMORY);
            }
            // SAFETY: the contract of the module; what C has does not overlap what Rust owns.
            unsafe { ptr::copy_nonoverlapping(values.as_ptr(), target, values.len()) };
            Ok(())
        }
        _ => Ok(()),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn AParcel_create() -> *mut Parcel {
    Box::into_raw(Box::default())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_delete(parcel: *mut Parcel) {
    if !parcel.is_null() {
        // SAFETY: the contract of the module: a box that is taken once.
        drop(unsafe { Box::from_raw(parcel) });
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_reset(parcel: *mut Parcel) -> Status {
    // SAFETY: the contract of the module.
    unsafe {
        write(parcel, |parcel| {
            parcel.reset();
            Ok(())
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_getDataPosition(parcel: *const Parcel) -> i32 {
    // SAFETY: the contract of the module.
    unsafe { parcel.as_ref() }.map_or(0, |parcel| parcel.position() as i32)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_setDataPosition(parcel: *const Parcel, position: i32) -> Status {
    // SAFETY: the contract of the module.
    let Some(parcel) = (unsafe { parcel.as_ref() }) else { return status::UNEXPECTED_NULL };
    code(usize::try_from(position).map_err(|_| status::BAD_VALUE).and_then(|position| parcel.set_position(position)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_getDataSize(parcel: *const Parcel) -> i32 {
    // SAFETY: the contract of the module.
    unsafe { parcel.as_ref() }.map_or(0, |parcel| parcel.data().len() as i32)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_writeString(parcel: *mut Parcel, string: *const c_char, length: i32) -> Status {
    // SAFETY: the contract of the module.
    let bytes = match unsafe { lent_array(string.cast::<u8>(), length) } {
        Ok(bytes) => bytes,
        Err(status) => return status,
    };
    let Ok(string) = bytes.map(std::str::from_utf8).transpose() else { return status::BAD_VALUE };
    // SAFETY: the contract of the module.
    unsafe {
        write(parcel, |parcel| {
            parcel.write_string(string);
            Ok(())
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_readString(
    parcel: *const Parcel,
    data: *mut c_void,
    allocator: Option<StringAllocator>,
) -> Status {
    // SAFETY: the contract of the module.
    let Some(parcel) = (unsafe { parcel.as_ref() }) else { return status::UNEXPECTED_NULL };
    code(parcel.read_string().and_then(|string| {
        // The length that C is told counts the NUL.
        let bytes: Option<Vec<c_char>> =
            string.map(|string| string.bytes().chain([0]).map(|byte| byte as c_char).collect());
        // SAFETY: the contract of the module.
        unsafe { deliver_array(bytes.as_deref(), data, allocator) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_writeByteArray(parcel: *mut Parcel, array: *const i8, length: i32) -> Status {
    // SAFETY: the contract of the module.
    match unsafe { lent_array(array.cast::<u8>(), length) } {
        Err(status) => status,
        // SAFETY: the contract of the module.
        Ok(bytes) => unsafe {
            write(parcel, |parcel| {
                parcel.write_bytes(bytes);
                Ok(())
            })
        },
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_readByteArray(
    parcel: *const Parcel,
    data: *mut c_void,
    allocator: Option<ArrayAllocator<i8>>,
) -> Status {
    // SAFETY: the contract of the module.
    let Some(parcel) = (unsafe { parcel.as_ref() }) else { return status::UNEXPECTED_NULL };
    code(parcel.read_bytes().and_then(|bytes| {
        let bytes: Option<Vec<i8>> = bytes.map(|bytes| bytes.iter().map(|&byte| byte as i8).collect());
        // SAFETY: the contract of the module.
        unsafe { deliver_array(bytes.as_deref(), data, allocator) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_writeStrongBinder(parcel: *mut Parcel, binder: *mut AIBinder) -> Status {
    // SAFETY: the contract of the module, and the caller has a reference.
    let binder = unsafe { AIBinder::import(binder) }.map(|binder| binder.binder());
    // SAFETY: the contract of the module.
    unsafe {
        write(parcel, |parcel| {
            parcel.write_binder(binder.as_ref());
            Ok(())
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_readStrongBinder(parcel: *const Parcel, binder: *mut *mut AIBinder) -> Status {
    let read = |parcel: &Parcel| {
        let binder = parcel.read_binder()?.ok_or(status::UNEXPECTED_NULL)?;
        Ok(AIBinder::export(binder))
    };
    // SAFETY: the contract of the module.
    unsafe { deliver(parcel, binder, read) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_readNullableStrongBinder(parcel: *const Parcel, binder: *mut *mut AIBinder) -> Status {
    let read = |parcel: &Parcel| Ok(parcel.read_binder()?.map_or(ptr::null_mut(), AIBinder::export));
    // SAFETY: the contract of the module.
    unsafe { deliver(parcel, binder, read) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_writeStatusHeader(parcel: *mut Parcel, status: *const Exception) -> Status {
    // SAFETY: the contract of the module.
    match unsafe { status.as_ref() } {
        None => status::UNEXPECTED_NULL,
        // SAFETY: the contract of the module.
        Some(status) => unsafe { write(parcel, |parcel| status.write(parcel)) },
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AParcel_readStatusHeader(parcel: *const Parcel, status: *mut *mut Exception) -> Status {
    let read = |parcel: &Parcel| Exception::read(parcel).map(|status| Box::into_raw(Box::new(status)));
    // SAFETY: the contract of the module.
    unsafe { deliver(parcel, status, read) }
}
