//! Every way in which the firmware refuses to boot.

use core::fmt;

/// What went wrong, by the names of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PvmfwError {
    /// The configuration data or their table of entries are cut off.
    ConfigBufferTooSmall,
    /// The configuration data do not begin with their magic.
    ConfigInvalidMagic,
    /// The total size is impossible.
    ConfigInvalidSize,
    /// An entry is not between table and total size.
    ConfigEntryOutOfBounds,
    /// An entry begins before the end of the one before.
    ConfigEntryOutOfOrder,
    /// The DICE handover is absent.
    ConfigMissingEntry,
    /// The major version is not 1.
    ConfigUnsupportedVersion,
    /// The DICE handover or its chain is malformed.
    InvalidDiceHandover,
    /// AVB: something lies outside of the kernel's bytes.
    AvbIo,
    /// AVB: metadata are damaged or contradict themselves.
    AvbInvalidMetadata,
    /// AVB: a signature or digest does not hold.
    AvbVerification,
    /// AVB: the key is not trusted.
    AvbPublicKeyRejected,
    /// AVB: a newer libavb is needed.
    AvbUnsupportedVersion,
    /// The head of a descriptor is damaged.
    DescriptorsInvalidHeader,
    /// A number of a descriptor has no meaning.
    DescriptorsInvalidValue,
    /// The lengths of a descriptor contradict each other.
    DescriptorsInvalidSize,
    /// Text of a descriptor is not UTF-8.
    DescriptorsInvalidUtf8,
    /// Descriptors speak of unknown partitions, twice of one, or not of `boot`.
    DescriptorsInvalidContents,
    /// A capability is unknown.
    UnknownVbmetaProperty,
    /// The page size is no multiple of 4 KiB.
    InvalidPageSize,
    /// The name of the VM is empty or not UTF-8.
    InvalidVmName,
    /// The host's device tree breaks a rule, which is named.
    InvalidFdt(&'static str),
    /// The host gave no kernel.
    NoKernel,
    /// The host's ramdisk range cannot be used.
    InvalidRamdisk,
    /// The host gave no instance id, which the guest's secrets hang on.
    MissingInstanceId,
    /// Rollback protection is deferred to a guest whose rollback index is 0.
    RollbackIndexZero,
    /// The rollback index of a VM of fixed version is another.
    RollbackIndexMismatch,
    /// There are no random numbers for the secrets of a new instance.
    NoRandomNumbers,
    /// The guest's secrets could not be derived.
    SecretDerivationFailed,
}

/// The line that the firmware prints before it resets the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebootReason {
    /// The DICE handover is malformed.
    InvalidDiceHandover,
    /// The configuration data are malformed.
    InvalidConfigData,
    /// The firmware failed.
    InternalError,
    /// The device tree is malformed or asks for what a guest must not have.
    InvalidFdt,
    /// There is no kernel, or its rollback index is not what it must be.
    InvalidPayload,
    /// The ramdisk cannot be used.
    InvalidRamdisk,
    /// Kernel or ramdisk is not what its owner signed.
    PayloadVerificationFailed,
    /// The guest's secrets could not be derived.
    SecretDerivationFailed,
}

impl PvmfwError {
    /// What the firmware prints.
    pub fn reboot_reason(self) -> RebootReason {
        use RebootReason as Reason;
        match self {
            Self::ConfigBufferTooSmall
            | Self::ConfigInvalidMagic
            | Self::ConfigInvalidSize
            | Self::ConfigEntryOutOfBounds
            | Self::ConfigEntryOutOfOrder
            | Self::ConfigMissingEntry
            | Self::ConfigUnsupportedVersion => Reason::InvalidConfigData,
            Self::InvalidDiceHandover => Reason::InvalidDiceHandover,
            Self::AvbIo
            | Self::AvbInvalidMetadata
            | Self::AvbVerification
            | Self::AvbPublicKeyRejected
            | Self::AvbUnsupportedVersion
            | Self::DescriptorsInvalidHeader
            | Self::DescriptorsInvalidValue
            | Self::DescriptorsInvalidSize
            | Self::DescriptorsInvalidUtf8
            | Self::DescriptorsInvalidContents
            | Self::UnknownVbmetaProperty
            | Self::InvalidPageSize
            | Self::InvalidVmName => Reason::PayloadVerificationFailed,
            Self::InvalidFdt(_) | Self::MissingInstanceId => Reason::InvalidFdt,
            Self::NoKernel | Self::RollbackIndexZero | Self::RollbackIndexMismatch => Reason::InvalidPayload,
            Self::InvalidRamdisk => Reason::InvalidRamdisk,
            Self::NoRandomNumbers => Reason::InternalError,
            Self::SecretDerivationFailed => Reason::SecretDerivationFailed,
        }
    }
}

impl RebootReason {
    /// The line.
    pub fn line(self) -> &'static str {
        match self {
            Self::InvalidDiceHandover => "PVM_FIRMWARE_INVALID_DICE_HANDOVER",
            Self::InvalidConfigData => "PVM_FIRMWARE_INVALID_CONFIG_DATA",
            Self::InternalError => "PVM_FIRMWARE_INTERNAL_ERROR",
            Self::InvalidFdt => "PVM_FIRMWARE_INVALID_FDT",
            Self::InvalidPayload => "PVM_FIRMWARE_INVALID_PAYLOAD",
            Self::InvalidRamdisk => "PVM_FIRMWARE_INVALID_RAMDISK",
            Self::PayloadVerificationFailed => "PVM_FIRMWARE_PAYLOAD_VERIFICATION_FAILED",
            Self::SecretDerivationFailed => "PVM_FIRMWARE_SECRET_DERIVATION_FAILED",
        }
    }
}

impl fmt::Display for PvmfwError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidFdt(rule) => write!(out, "InvalidFdt: {rule}"),
            other => write!(out, "{other:?}"),
        }
    }
}

impl core::error::Error for PvmfwError {}
