//! What a payload disk holds and what shall run: the content of its first partition.
//!
//! On disk it is a length of four bytes, big-endian, and a protobuf message. The guest writes the same for apexd,
//! without APK and task.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

use crate::fields::{Fields, Part};
use crate::protobuf::{Message, Writer};
use crate::source::ReadAt;
use crate::{Error, Kind, Result};

/// The longest message that is read, in bytes.
pub const MAX_SIZE: u32 = 1 << 20;

/// Where the payload's APK is mounted in the guest.
pub const APK_ROOT: &str = "/mnt/apk/";

const VERSION: u32 = 1;
const MAX_APEXES: usize = 1024;
const LENGTH: u64 = 4;

/// The metadata of a payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// In the order of their partitions.
    pub apexes: Vec<ApexPayload>,
    /// The payload.
    pub apk: Option<ApkPayload>,
    /// What of it runs.
    pub task: Option<Task>,
}

/// An APEX; the host fills name, partition, time and origin only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApexPayload {
    /// The name of the module.
    pub name: String,
    /// The label of the partition.
    pub partition: String,
    /// In AVB's encoding.
    pub public_key: Vec<u8>,
    /// The root digest of its hash tree.
    pub root_digest: Vec<u8>,
    /// Since 1970.
    pub last_update_seconds: u64,
    /// Whether it came with the system.
    pub is_factory: bool,
    /// The version in its manifest.
    pub manifest_version: i64,
    /// The name in its manifest.
    pub manifest_name: String,
}

/// The payload's APK.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApkPayload {
    /// Always `apk`.
    pub name: String,
    /// The label of the APK.
    pub partition: String,
    /// The label of its hash tree.
    pub idsig_partition: String,
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// A payload configuration names what runs: its path in the guest, below [`APK_ROOT`].
    ConfigPath(String),
    /// A library of the APK runs.
    Binary {
        /// Its file name.
        name: String,
        /// How many more APKs the disk has.
        extra_apk_count: u32,
    },
}

impl Metadata {
    /// Reads a partition; bytes after the message are ignored.
    pub fn read(partition: &dyn ReadAt) -> Result<Self> {
        let head = partition.size().min(LENGTH + u64::from(MAX_SIZE));
        Metadata::parse(&partition.read_range(0, head as usize)?)
    }

    /// Parses the bytes of a partition; those after the message are ignored.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut fields = Fields::new(bytes, 0, Kind::Metadata);
        let length = fields.be32("the length")?;
        if length > MAX_SIZE || length as usize > fields.left() {
            return Err(Error::at(
                Kind::Metadata,
                0,
                format!(
                    "the message has {length} bytes, but here are {} and at most {MAX_SIZE} are read",
                    fields.left()
                ),
            ));
        }
        let part = fields.take(length.into(), "the message")?;
        Metadata::message(part)
    }

    fn message(part: Part<'_>) -> Result<Self> {
        let mut message = Message::new(part, Kind::Metadata);
        let mut version = 0;
        let mut metadata = Metadata::default();
        while let Some(field) = message.next()? {
            match field.number {
                1 => version = field.unsigned32()?,
                2 if metadata.apexes.len() == MAX_APEXES => {
                    return Err(field.refused(format!("there are more than {MAX_APEXES} APEXes")));
                }
                2 => metadata.apexes.push(ApexPayload::parse(field.message()?)?),
                3 => metadata.apk = Some(ApkPayload::parse(field.message()?)?),
                4 => metadata.task = Some(Task::ConfigPath(field.text()?)),
                5 => metadata.task = Some(Task::binary(field.message()?)?),
                _ => {}
            }
        }
        if version != VERSION {
            return Err(Error::at(
                Kind::Metadata,
                part.position,
                format!("the version must be {VERSION} but is {version}"),
            ));
        }
        Ok(metadata)
    }

    /// The bytes of the partition.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default().number(1, VERSION.into());
        for apex in &self.apexes {
            out = out.message(2, &apex.encode());
        }
        if let Some(apk) = &self.apk {
            let message = Writer::default().text(1, &apk.name).text(2, &apk.partition).text(3, &apk.idsig_partition);
            out = out.message(3, &message.done());
        }
        out = match &self.task {
            Some(Task::ConfigPath(path)) => out.message(4, path.as_bytes()),
            Some(Task::Binary { name, extra_apk_count }) => {
                let message = Writer::default().text(1, name).number(2, u64::from(*extra_apk_count));
                out.message(5, &message.done())
            }
            None => out,
        };
        let message = out.done();
        let mut bytes = (message.len() as u32).to_be_bytes().to_vec();
        bytes.extend_from_slice(&message);
        bytes
    }
}

impl ApexPayload {
    fn parse(mut message: Message<'_>) -> Result<Self> {
        let mut apex = ApexPayload::default();
        while let Some(field) = message.next()? {
            match field.number {
                1 => apex.name = field.text()?,
                2 => apex.partition = field.text()?,
                3 => apex.public_key = field.bytes()?.to_vec(),
                4 => apex.root_digest = field.bytes()?.to_vec(),
                5 => apex.last_update_seconds = field.number()?,
                6 => apex.is_factory = field.flag()?,
                7 => apex.manifest_version = field.number()? as i64,
                8 => apex.manifest_name = field.text()?,
                _ => {}
            }
        }
        Ok(apex)
    }

    fn encode(&self) -> Vec<u8> {
        Writer::default()
            .text(1, &self.name)
            .text(2, &self.partition)
            .bytes(3, &self.public_key)
            .bytes(4, &self.root_digest)
            .number(5, self.last_update_seconds)
            .flag(6, self.is_factory)
            .number(7, self.manifest_version as u64)
            .text(8, &self.manifest_name)
            .done()
    }
}

impl ApkPayload {
    fn parse(mut message: Message<'_>) -> Result<Self> {
        let mut apk = ApkPayload::default();
        while let Some(field) = message.next()? {
            match field.number {
                1 => apk.name = field.text()?,
                2 => apk.partition = field.text()?,
                3 => apk.idsig_partition = field.text()?,
                _ => {}
            }
        }
        Ok(apk)
    }
}

impl Task {
    fn binary(mut message: Message<'_>) -> Result<Self> {
        let mut name = String::new();
        let mut extra_apk_count = 0;
        while let Some(field) = message.next()? {
            match field.number {
                1 => name = field.text()?,
                2 => extra_apk_count = field.unsigned32()?,
                _ => {}
            }
        }
        Ok(Task::Binary { name, extra_apk_count })
    }
}
