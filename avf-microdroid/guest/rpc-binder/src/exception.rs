//! What an AIDL method reports before its result: nothing, or an exception.

use crate::parcel::Parcel;
use crate::status::{self, Status};

pub const NONE: i32 = 0;
pub const SECURITY: i32 = -1;
pub const BAD_PARCELABLE: i32 = -2;
pub const ILLEGAL_ARGUMENT: i32 = -3;
pub const NULL_POINTER: i32 = -4;
pub const ILLEGAL_STATE: i32 = -5;
pub const NETWORK_MAIN_THREAD: i32 = -6;
pub const UNSUPPORTED_OPERATION: i32 = -7;
pub const SERVICE_SPECIFIC: i32 = -8;
pub const PARCELABLE: i32 = -9;
pub const TRANSACTION_FAILED: i32 = -129;

/// Headers before the code that only Java writes.
const APP_OPS_HEADER: i32 = -127;
const REPLY_HEADER: i32 = -128;

/// The outcome of a method: success, an exception, or a failed transaction.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Exception {
    pub code: i32,
    pub message: Option<String>,
    /// The error of [`SERVICE_SPECIFIC`], or the status of [`TRANSACTION_FAILED`].
    pub error: i32,
}

impl Exception {
    pub fn new(code: i32, message: Option<&str>) -> Self {
        let error = if code == TRANSACTION_FAILED { status::FAILED_TRANSACTION } else { 0 };
        Self { code, message: message.map(Into::into), error }
    }

    pub fn service_specific(error: i32, message: Option<&str>) -> Self {
        Self { code: SERVICE_SPECIFIC, message: message.map(Into::into), error }
    }

    /// What a status means: success, or a failed transaction.
    pub fn of_status(status: Status) -> Self {
        if status == status::OK {
            Self::default()
        } else {
            Self { code: TRANSACTION_FAILED, message: None, error: status::known(status) }
        }
    }

    pub fn is_ok(&self) -> bool {
        self.code == NONE
    }

    /// Writes the header; a failed transaction is never written, but is the result.
    pub fn write(&self, parcel: &mut Parcel) -> Result<(), Status> {
        if self.code == TRANSACTION_FAILED {
            return Err(self.error);
        }
        parcel.write_i32(self.code);
        if self.code == NONE {
            return Ok(());
        }
        parcel.write_string(self.message.as_deref());
        // No stack trace.
        parcel.write_i32(0);
        match self.code {
            SERVICE_SPECIFIC => parcel.write_i32(self.error),
            PARCELABLE => parcel.write_i32(0),
            _ => {}
        }
        Ok(())
    }

    pub fn read(parcel: &Parcel) -> Result<Self, Status> {
        let mut code = parcel.read_i32()?;
        if code == APP_OPS_HEADER {
            skip_block(parcel)?;
            code = parcel.read_i32()?;
        }
        if code == REPLY_HEADER {
            skip_block(parcel)?;
            code = NONE;
        }
        if code == NONE {
            return Ok(Self::default());
        }
        let message = parcel.read_string()?;
        skip_block(parcel)?;
        let mut error = 0;
        match code {
            SERVICE_SPECIFIC => error = parcel.read_i32()?,
            PARCELABLE => skip_block(parcel)?,
            _ => {}
        }
        Ok(Self { code, message, error })
    }
}

/// Passes over a block that begins with its size, which counts itself unless it is 0.
fn skip_block(parcel: &Parcel) -> Result<(), Status> {
    let start = parcel.position();
    let size = parcel.read_i32()?;
    match usize::try_from(size) {
        Ok(0) => Ok(()),
        Ok(size @ 4..) if size - 4 <= parcel.remaining() => parcel.set_position(start + size),
        _ => Err(status::UNKNOWN_ERROR),
    }
}
