//! What the layer of Microdroid's payload is made of: AVF's choice of code hash, authority hash and descriptor.

use super::{Config, DiceError, HASH_SIZE, Input, Mode};
use crate::cbor::Writer;
use crate::instance::{Apex, Apk, Record};
use crate::kdf::sha512;
use crate::secret::Secret;

const COMPONENT_NAME: i64 = -70002;
const SECURITY_VERSION: i64 = -70005;
const CONFIG_PATH: i64 = -71000;
const BINARY: i64 = -71001;
const BINARY_NAME: i64 = 1;
const COMPONENTS: i64 = -71002;

/// The name of the layer, as code and verifiers have it.
pub const LAYER_NAME: &str = "Microdroid payload";

/// Which of AVF's states a descriptor follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    January2025,
    /// A security version of 0 comes last.
    March2025,
}

/// How the payload was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// From a configuration file, whose path is that of the payload's metadata.
    ConfigPath(&'a str),
    /// From the name of a binary.
    BinaryName(&'a str),
}

/// One part of the payload, as the descriptor lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    pub name: String,
    pub version: u64,
    pub code_hash: Vec<u8>,
    pub authority_hash: Vec<u8>,
}

impl Component {
    /// Named after the package; the version is the rollback index where the manifest has one.
    pub fn of_apk(apk: &Apk) -> Self {
        Self {
            name: format!("apk:{}", apk.package_name),
            version: apk.rollback_index.flatten().unwrap_or(apk.version_code),
            code_hash: apk.root_hash.clone(),
            authority_hash: apk.cert_hash.clone(),
        }
    }

    /// Named after the manifest, without which there is no component.
    pub fn of_apex(apex: &Apex) -> Result<Self, DiceError> {
        let missing =
            |what| DiceError::Input(format!("APEX \"{}\" has no {what} to name it by in the chain", apex.name));
        let manifest_name = apex.manifest_name.as_ref().ok_or_else(|| missing("manifest name"))?;
        let version = apex.manifest_version.and_then(|version| u64::try_from(version).ok());
        Ok(Self {
            name: format!("apex:{manifest_name}"),
            version: version.ok_or_else(|| missing("manifest version of 0 or more"))?,
            code_hash: apex.root_digest.clone(),
            authority_hash: sha512(&[&apex.public_key]).to_vec(),
        })
    }

    /// Those of a payload: the APK, the further APKs, the APEXes.
    pub fn of_record(record: &Record) -> Result<Vec<Self>, DiceError> {
        let apks = record.apks().map(|apk| Ok(Self::of_apk(apk)));
        apks.chain(record.apexes.iter().map(Self::of_apex)).collect()
    }
}

/// The configuration descriptor. Its order is AVF's and not sorted.
pub fn config_descriptor(start: Start<'_>, components: &[Component], revision: Revision) -> Vec<u8> {
    let components = (!components.is_empty()).then_some(components);
    let security_version = revision == Revision::March2025;
    let mut out = Writer::new();
    out.map(2 + usize::from(components.is_some()) + usize::from(security_version));
    out.integer(COMPONENT_NAME).text(LAYER_NAME);
    match start {
        Start::ConfigPath(path) => out.integer(CONFIG_PATH).text(path),
        Start::BinaryName(name) => out.integer(BINARY).map(1).integer(BINARY_NAME).text(name),
    };
    if let Some(components) = components {
        out.integer(COMPONENTS).array(components.len());
        for component in components {
            out.map(4);
            out.integer(1).text(&component.name);
            out.integer(2).unsigned(component.version);
            out.integer(3).bytes(&component.code_hash);
            out.integer(4).bytes(&component.authority_hash);
        }
    }
    if security_version {
        out.integer(SECURITY_VERSION).integer(0);
    }
    out.finish()
}

/// Where the hidden input comes from.
#[derive(Clone, Copy)]
pub enum Hidden<'a> {
    /// Zeros: under strict boot the firmware's layer has already mixed the instance in; also where there is no id.
    Zeros,
    /// The hash of the instance's id, without strict boot.
    InstanceId(&'a [u8; 64]),
    /// The salt of the instance image, as it was before the id.
    Salt(&'a [u8; 64]),
}

impl Hidden<'_> {
    fn input(self) -> Secret<HASH_SIZE> {
        match self {
            Self::Zeros => Secret::copy_of(&[0; HASH_SIZE]),
            Self::InstanceId(id) => Secret::copy_of(&sha512(&[id])),
            Self::Salt(salt) => Secret::copy_of(salt),
        }
    }
}

/// The input of the payload's layer. Debug mode is that of a debuggable VM.
pub fn input(
    record: &Record,
    start: Start<'_>,
    debuggable: bool,
    hidden: Hidden<'_>,
    revision: Revision,
) -> Result<Input, DiceError> {
    let apk_hashes = record.apks().map(|apk| &apk.root_hash[..]);
    let code: Vec<&[u8]> = apk_hashes.chain(record.apexes.iter().map(|apex| &apex.root_digest[..])).collect();
    let signers = record.apks().map(|apk| &apk.cert_hash[..]);
    // The raw key of an APEX, where its component has the key's hash.
    let authority: Vec<&[u8]> = signers.chain(record.apexes.iter().map(|apex| &apex.public_key[..])).collect();
    let descriptor = config_descriptor(start, &Component::of_record(record)?, revision);
    Ok(Input {
        code_hash: sha512(&code),
        code_descriptor: None,
        config: Config::Descriptor(descriptor),
        authority_hash: sha512(&authority),
        authority_descriptor: None,
        mode: if debuggable { Mode::Debug } else { Mode::Normal },
        hidden: hidden.input(),
    })
}
