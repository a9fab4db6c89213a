//! Why a boot cannot go on: an AVF error code for the host, and a sentence for people.

use std::fmt;

/// What is left to do where an instance is damaged, or its first boot was cut.
pub const MAKE_ANEW: &str = "the instance must be made anew: delete the VM and create it again";

/// AVF's error codes of a virtual machine callback, as `IVirtualMachineCallback.aidl` numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    Unknown = 0,
    PayloadVerificationFailed = 1,
    PayloadChanged = 2,
    PayloadInvalidConfig = 3,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: ErrorCode,
    pub message: String,
}

impl Failure {
    /// Something of the machine, not of the payload, is missing or broken.
    pub fn machine(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::Unknown, message: message.into() }
    }

    /// The payload, or what describes it, is not usable.
    pub fn payload(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::PayloadInvalidConfig, message: message.into() }
    }
}

impl Failure {
    /// What was signed, hashed or laid out is not what it should be.
    pub fn verification(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::PayloadVerificationFailed, message: message.into() }
    }

    /// The payload is sound but is not the one that this instance was made for.
    pub fn changed(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::PayloadChanged, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
