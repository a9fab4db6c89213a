//! `status_t`: what comes of a transaction; 0 or negative, and data when a peer sent it.

/// A `status_t` that is not [`OK`] where it is an error.
pub type Status = i32;

pub const OK: Status = 0;
pub const PERMISSION_DENIED: Status = -1;
pub const NAME_NOT_FOUND: Status = -2;
pub const WOULD_BLOCK: Status = -11;
pub const NO_MEMORY: Status = -12;
pub const ALREADY_EXISTS: Status = -17;
pub const NO_INIT: Status = -19;
pub const BAD_VALUE: Status = -22;
pub const DEAD_OBJECT: Status = -32;
pub const INVALID_OPERATION: Status = -38;
pub const NOT_ENOUGH_DATA: Status = -61;
pub const UNKNOWN_TRANSACTION: Status = -74;
pub const BAD_INDEX: Status = -75;
pub const TIMED_OUT: Status = -110;
pub const UNKNOWN_ERROR: Status = i32::MIN;
pub const BAD_TYPE: Status = i32::MIN + 1;
pub const FAILED_TRANSACTION: Status = i32::MIN + 2;
pub const FDS_NOT_ALLOWED: Status = i32::MIN + 7;
pub const UNEXPECTED_NULL: Status = i32::MIN + 8;

const KNOWN: [Status; 19] = [
    OK,
    PERMISSION_DENIED,
    NAME_NOT_FOUND,
    WOULD_BLOCK,
    NO_MEMORY,
    ALREADY_EXISTS,
    NO_INIT,
    BAD_VALUE,
    DEAD_OBJECT,
    INVALID_OPERATION,
    NOT_ENOUGH_DATA,
    UNKNOWN_TRANSACTION,
    BAD_INDEX,
    TIMED_OUT,
    UNKNOWN_ERROR,
    BAD_TYPE,
    FAILED_TRANSACTION,
    FDS_NOT_ALLOWED,
    UNEXPECTED_NULL,
];

/// The status itself, or [`UNKNOWN_ERROR`] for one that the NDK has no name for.
pub fn known(status: i32) -> Status {
    if KNOWN.contains(&status) { status } else { UNKNOWN_ERROR }
}
