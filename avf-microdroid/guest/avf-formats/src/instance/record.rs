//! What Microdroid's manager remembers of a payload.

use super::image::MICRODROID;
use super::{Image, InstanceError, Sealer, Storage};
use crate::cbor::{CborError, Item, Limits, Writer, decode_within};
use crate::secret::{Secret, SecretBytes};

/// Every byte of a hash or key is an item.
const LIMITS: Limits = Limits { items: 1 << 18, ..Limits::DEFAULT };

/// An APK of the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apk {
    /// Of its tree.
    pub root_hash: Vec<u8>,
    /// SHA-512 of the signer's certificate.
    pub cert_hash: Vec<u8>,
    /// Of its manifest; empty if it could not be read.
    pub package_name: String,
    pub version_code: u64,
    /// `None` where records have no such field, as until January 2025; `Some(None)` where the manifest says none.
    pub rollback_index: Option<Option<u64>>,
}

/// An APEX of the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apex {
    /// By which it is mounted.
    pub name: String,
    pub manifest_name: Option<String>,
    pub manifest_version: Option<i64>,
    /// The blob of the key that signed its image.
    pub public_key: Vec<u8>,
    /// Of its tree.
    pub root_digest: Vec<u8>,
    pub last_update_seconds: u64,
    pub is_factory: bool,
}

/// A payload as it was verified: a map with text keys in this order, in which bytes are arrays of integers.
#[derive(Debug)]
pub struct Record {
    /// 64 bytes of the instance, until January 2025.
    pub salt: Option<Secret<64>>,
    pub apk: Apk,
    pub extra_apks: Vec<Apk>,
    pub apexes: Vec<Apex>,
}

impl Record {
    /// The APK and the further APKs, in order.
    pub fn apks(&self) -> impl Iterator<Item = &Apk> {
        std::iter::once(&self.apk).chain(&self.extra_apks)
    }

    /// What is different from a saved record, as a sentence for people; nothing if the payload is the same.
    pub fn changed_since(&self, saved: &Self) -> Option<&'static str> {
        if self.apexes != saved.apexes {
            Some("APEXes have changed.")
        } else if self.apk != saved.apk {
            Some("The payload's APK has changed.")
        } else if self.extra_apks != saved.extra_apks {
            Some("Extra APKs have changed.")
        } else if self.salt.as_ref().map(Secret::expose) != saved.salt.as_ref().map(Secret::expose) {
            Some("The instance's salt has changed.")
        } else {
            None
        }
    }

    /// The record of an image, if it has one.
    pub fn read<S: Storage>(image: &mut Image<S>, sealer: &Sealer) -> Result<Option<Self>, InstanceError> {
        let Some(entry) = image.find(MICRODROID)? else {
            return Ok(None);
        };
        let plain = sealer.open(&image.payload(&entry)?, &image.header(&entry)?)?;
        Self::decode(plain.expose()).map(Some)
    }

    /// Writes the record into an image. Where there is one already, the new one must be of the same size.
    pub fn write<S: Storage>(&self, image: &mut Image<S>, sealer: &Sealer) -> Result<(), InstanceError> {
        let sealed = sealer.seal(&self.encode())?;
        match image.find(MICRODROID)? {
            Some(entry) => image.replace(&entry, &sealed),
            None => image.append(MICRODROID, &sealed).map(|_| ()),
        }
    }

    /// Decodes a plaintext, which the caller wipes.
    pub fn decode(plain: &[u8]) -> Result<Self, InstanceError> {
        decode(plain).map_err(|CborError { position, reason }| InstanceError::Record { position, reason })
    }

    /// The plaintext.
    pub fn encode(&self) -> SecretBytes {
        let mut out = Writer::new();
        out.map(if self.salt.is_some() { 4 } else { 3 });
        if let Some(salt) = &self.salt {
            put_bytes(out.text("salt"), salt.expose());
        }
        put_apk(out.text("apk_data"), &self.apk);
        out.text("extra_apks_data").array(self.extra_apks.len());
        for apk in &self.extra_apks {
            put_apk(&mut out, apk);
        }
        out.text("apex_data").array(self.apexes.len());
        for apex in &self.apexes {
            put_apex(&mut out, apex);
        }
        out.finish_secret()
    }
}

fn put_apk(out: &mut Writer, apk: &Apk) {
    out.map(if apk.rollback_index.is_some() { 5 } else { 4 });
    put_bytes(out.text("root_hash"), &apk.root_hash);
    put_bytes(out.text("cert_hash"), &apk.cert_hash);
    out.text("package_name").text(&apk.package_name);
    out.text("version_code").unsigned(apk.version_code);
    match apk.rollback_index {
        Some(Some(index)) => out.text("rollback_index").unsigned(index),
        Some(None) => out.text("rollback_index").null(),
        None => out,
    };
}

fn put_apex(out: &mut Writer, apex: &Apex) {
    out.map(7).text("name").text(&apex.name).text("manifest_name");
    match &apex.manifest_name {
        Some(name) => out.text(name),
        None => out.null(),
    };
    out.text("manifest_version");
    match apex.manifest_version {
        Some(version) => out.integer(version),
        None => out.null(),
    };
    put_bytes(out.text("public_key"), &apex.public_key);
    put_bytes(out.text("root_digest"), &apex.root_digest);
    out.text("last_update_seconds").unsigned(apex.last_update_seconds);
    out.text("is_factory").bool(apex.is_factory);
}

fn put_bytes(out: &mut Writer, bytes: &[u8]) {
    out.array(bytes.len());
    for &byte in bytes {
        out.unsigned(u64::from(byte));
    }
}

fn decode(plain: &[u8]) -> Result<Record, CborError> {
    let map = decode_within(plain, 0, LIMITS)?;
    let salt = map.get_text("salt")?;
    require_size(&map, if salt.is_some() { 4 } else { 3 })?;
    Ok(Record {
        salt: salt.map(salt_of).transpose()?,
        apk: apk(map.require_text("apk_data")?)?,
        extra_apks: map.require_text("extra_apks_data")?.as_array()?.iter().map(apk).collect::<Result<_, _>>()?,
        apexes: map.require_text("apex_data")?.as_array()?.iter().map(apex).collect::<Result<_, _>>()?,
    })
}

fn salt_of(item: &Item<'_>) -> Result<Secret<64>, CborError> {
    let bytes = SecretBytes::new(bytes(item)?);
    Secret::copy_of_slice(bytes.expose()).ok_or_else(|| CborError::new(item.position(), "salt must have 64 bytes"))
}

fn apk(map: &Item<'_>) -> Result<Apk, CborError> {
    let index = map.get_text("rollback_index")?;
    require_size(map, if index.is_some() { 5 } else { 4 })?;
    Ok(Apk {
        root_hash: bytes(map.require_text("root_hash")?)?,
        cert_hash: bytes(map.require_text("cert_hash")?)?,
        package_name: map.require_text("package_name")?.as_text()?.to_owned(),
        version_code: map.require_text("version_code")?.as_u64()?,
        rollback_index: index.map(|found| optional(found, Item::as_u64)).transpose()?,
    })
}

fn apex(map: &Item<'_>) -> Result<Apex, CborError> {
    require_size(map, 7)?;
    Ok(Apex {
        name: map.require_text("name")?.as_text()?.to_owned(),
        manifest_name: optional(map.require_text("manifest_name")?, Item::as_text)?.map(str::to_owned),
        manifest_version: optional(map.require_text("manifest_version")?, Item::as_i64)?,
        public_key: bytes(map.require_text("public_key")?)?,
        root_digest: bytes(map.require_text("root_digest")?)?,
        last_update_seconds: map.require_text("last_update_seconds")?.as_u64()?,
        is_factory: map.require_text("is_factory")?.as_bool()?,
    })
}

fn optional<'a, T>(
    item: &Item<'a>,
    read: impl FnOnce(&Item<'a>) -> Result<T, CborError>,
) -> Result<Option<T>, CborError> {
    if item.is_null() { Ok(None) } else { read(item).map(Some) }
}

fn require_size(map: &Item<'_>, size: usize) -> Result<(), CborError> {
    let entries = map.as_map()?.len();
    if entries != size {
        return Err(CborError::new(map.position(), format!("a map must have {size} entries but has {entries}")));
    }
    Ok(())
}

/// The quirk of the format: a byte string is an array of integers.
fn bytes(item: &Item<'_>) -> Result<Vec<u8>, CborError> {
    let byte = |item: &Item<'_>| {
        u8::try_from(item.as_u64()?).map_err(|_| CborError::new(item.position(), "a byte must be in 0..=255"))
    };
    item.as_array()?.iter().map(byte).collect()
}
