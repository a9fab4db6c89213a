//! What reading fails with: the standard library's errors, or, without it, as much of them as is used here.

#[cfg(feature = "std")]
pub use std::io::{Error, ErrorKind, Result};

#[cfg(not(feature = "std"))]
pub use bare::{Error, ErrorKind, Result};

#[cfg(not(feature = "std"))]
mod bare {
    use alloc::string::String;
    use core::fmt;

    /// The kind of an error.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum ErrorKind {
        /// The source ends before what was to be read.
        UnexpectedEof,
    }

    /// Why something could not be read.
    #[derive(Debug)]
    pub struct Error {
        kind: ErrorKind,
        reason: String,
    }

    /// What reading returns.
    pub type Result<T> = core::result::Result<T, Error>;

    impl Error {
        /// An error with its reason, as a clause without a full stop.
        pub fn new(kind: ErrorKind, reason: impl Into<String>) -> Self {
            Self { kind, reason: reason.into() }
        }

        /// The kind.
        pub fn kind(&self) -> ErrorKind {
            self.kind
        }
    }

    impl From<ErrorKind> for Error {
        fn from(kind: ErrorKind) -> Self {
            Self::new(kind, "the source ends too early")
        }
    }

    impl fmt::Display for Error {
        fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str(&self.reason)
        }
    }

    impl core::error::Error for Error {}
}
