//! The properties of a kernel that the firmware understands.

use alloc::string::String;
use alloc::vec::Vec;

use avf_formats::avb::Descriptor;

use crate::{PvmfwError, Result};

const CAPABILITIES: &str = "com.android.virt.cap";
const PAGE_SIZE: &str = "com.android.virt.page_size";
const NAME: &str = "com.android.virt.name";
const MIN_PAGE: u64 = 4096;
const MAX_DIGITS: usize = 6;

/// What a signed kernel says it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// It is a service VM that attests others.
    RemoteAttest,
    /// It protects itself against rollback with a Secretkeeper.
    SecretkeeperProtection,
    /// It is Trusty as a security VM.
    TrustySecurityVm,
    /// It boots through UEFI.
    SupportsUefiBoot,
}

impl Capability {
    fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"remote_attest" => Self::RemoteAttest,
            b"secretkeeper_protection" => Self::SecretkeeperProtection,
            b"trusty_security_vm" => Self::TrustySecurityVm,
            b"supports_uefi_boot" => Self::SupportsUefiBoot,
            _ => return None,
        })
    }
}

/// All that a kernel can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities(Vec<Capability>);

impl Capabilities {
    /// Whether it can do this.
    pub fn has(&self, capability: Capability) -> bool {
        self.0.contains(&capability)
    }

    fn parse(value: &[u8]) -> Result<Self> {
        let mut found = Self::default();
        for name in value.split(|byte| *byte == b'|') {
            let capability = Capability::named(name).ok_or(PvmfwError::UnknownVbmetaProperty)?;
            if found.has(capability) {
                return Err(PvmfwError::AvbInvalidMetadata);
            }
            found.0.push(capability);
        }
        Ok(found)
    }
}

/// The properties; others are ignored.
pub struct Properties {
    pub capabilities: Capabilities,
    pub page_size: Option<u64>,
    pub name: Option<String>,
}

impl Properties {
    pub fn of(descriptors: &[Descriptor]) -> Result<Self> {
        let mut values: Vec<(&str, &[u8])> = Vec::new();
        for descriptor in descriptors {
            if let Descriptor::Property { key, value } = descriptor {
                if values.iter().any(|(known, _)| known == key) {
                    return Err(PvmfwError::DescriptorsInvalidContents);
                }
                values.push((key, value));
            }
        }
        let value = |name: &str| values.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        Ok(Self {
            capabilities: value(CAPABILITIES).map(Capabilities::parse).transpose()?.unwrap_or_default(),
            page_size: value(PAGE_SIZE).map(page_size).transpose()?,
            name: value(NAME).map(name).transpose()?,
        })
    }
}

fn page_size(value: &[u8]) -> Result<u64> {
    let digits = core::str::from_utf8(value).ok().filter(|text| {
        !text.is_empty() && text.len() <= MAX_DIGITS && text.bytes().all(|digit| digit.is_ascii_digit())
    });
    let kibibytes: Option<u64> = digits.and_then(|text| text.parse().ok());
    match kibibytes.map(|number| number * 1024) {
        Some(size) if size != 0 && size % MIN_PAGE == 0 => Ok(size),
        _ => Err(PvmfwError::InvalidPageSize),
    }
}

fn name(value: &[u8]) -> Result<String> {
    match core::str::from_utf8(value) {
        Ok(text) if !text.is_empty() => Ok(text.into()),
        _ => Err(PvmfwError::InvalidVmName),
    }
}
