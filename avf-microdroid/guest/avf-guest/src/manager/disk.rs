//! The payload disk: its partitions, and the metadata that say what they are.

use std::fs::File;
use std::path::PathBuf;

use avf_formats::metadata::Metadata;
use avf_formats::{FileSource, Window};

use crate::disk;
use crate::dm::{Device, SECTOR, Target};
use crate::failure::Failure;
use crate::gpt::{Partition, Table};

const SERIAL: &str = "vm-payload";
const METADATA: &str = "payload-metadata";
const APK: &str = "microdroid-apk";
const IDSIG: &str = "microdroid-apk-idsig";
const EXTRA_APK: &str = "extra-apk-";
const EXTRA_IDSIG: &str = "extra-idsig-";

/// Above what any host gives.
const MAX_EXTRA_APKS: usize = 64;

/// The disk, whose bytes may be others at every reading.
pub struct PayloadDisk {
    path: PathBuf,
    pub file: File,
    source: FileSource,
    table: Table,
    pub metadata: Metadata,
}

/// The partitions of an APK and its idsig.
#[derive(Debug, PartialEq, Eq)]
pub struct ApkPartitions {
    /// The name of its mapping, as AVF's: that of the APK's partition.
    pub name: String,
    pub apk: Partition,
    pub idsig: Partition,
}

impl PayloadDisk {
    /// Waits for the disk and reads its table and metadata.
    pub fn open() -> Result<Self, Failure> {
        let broken = |what: &dyn std::fmt::Display| Failure::machine(format!("payload disk: {what}"));
        let disk = disk::find(SERIAL)?;
        let source = disk.file.try_clone().and_then(FileSource::new).map_err(|error| broken(&error))?;
        let table = Table::read(&source, disk.size).map_err(|error| broken(&error))?;
        let partition = table.find(METADATA).ok_or_else(|| broken(&format_args!("no partition {METADATA:?}")))?;
        let window = Window::new(&source, partition.offset, partition.length).map_err(|error| broken(&error))?;
        let metadata = Metadata::read(&window).map_err(|error| broken(&format_args!("metadata: {error}")))?;
        Ok(Self { path: disk.path, file: disk.file, source, table, metadata })
    }

    /// The APK and the further APKs, in the order in which their numbers count.
    pub fn apks(&self) -> Result<Vec<ApkPartitions>, Failure> {
        apks(&self.table)
    }

    pub fn partition(&self, name: &str) -> Result<&Partition, Failure> {
        find(&self.table, name)
    }

    /// The bytes of a partition.
    pub fn window(&self, partition: &Partition) -> Result<Window<'_>, Failure> {
        Window::new(&self.source, partition.offset, partition.length)
            .map_err(|error| Failure::machine(format!("payload disk: {:?}: {error}", partition.name)))
    }

    /// Makes a read-only block device of a range of the disk, in bytes that are multiples of 512.
    pub fn map(&self, name: &str, offset: u64, length: u64) -> Result<Device, Failure> {
        Device::create(name, &Target::linear(&self.path, offset / SECTOR, length / SECTOR, true)?)
    }
}

fn find<'a>(table: &'a Table, name: &str) -> Result<&'a Partition, Failure> {
    table.find(name).ok_or_else(|| Failure::machine(format!("payload disk: no partition {name:?}")))
}

fn apks(table: &Table) -> Result<Vec<ApkPartitions>, Failure> {
    let count = |start: &str| table.partitions().iter().filter(|partition| partition.name.starts_with(start)).count();
    let extra = count(EXTRA_APK);
    if extra != count(EXTRA_IDSIG) || extra > MAX_EXTRA_APKS {
        return Err(Failure::machine(format!(
            "payload disk: there must be at most {MAX_EXTRA_APKS} extra APKs, each with its idsig, but there are {extra} and {}",
            count(EXTRA_IDSIG)
        )));
    }
    let pair = |apk: &str, idsig: &str| {
        Ok(ApkPartitions { name: apk.to_owned(), apk: find(table, apk)?.clone(), idsig: find(table, idsig)?.clone() })
    };
    let mut all = vec![pair(APK, IDSIG)?];
    for index in 0..extra {
        all.push(pair(&format!("{EXTRA_APK}{index}"), &format!("{EXTRA_IDSIG}{index}"))?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &[&str]) -> Table {
        let partition = |(index, name): (usize, &&str)| Partition {
            name: (*name).to_owned(),
            offset: 20480 + 4096 * index as u64,
            length: 4096,
        };
        Table::of(names.iter().enumerate().map(partition).collect())
    }

    #[test]
    fn finds_the_apk_and_the_extra_ones_in_the_order_of_their_numbers() {
        let names = ["payload-metadata", APK, IDSIG, "extra-apk-1", "extra-idsig-1", "extra-apk-0", "extra-idsig-0"];
        let found = apks(&table(&names)).unwrap();
        let names: Vec<_> = found.iter().map(|apk| (apk.name.as_str(), apk.idsig.name.as_str())).collect();
        let expected = [(APK, IDSIG), ("extra-apk-0", "extra-idsig-0"), ("extra-apk-1", "extra-idsig-1")];
        assert_eq!(names, expected);
    }

    #[test]
    fn refuses_apks_without_idsig_and_numbers_with_gaps() {
        assert!(apks(&table(&[APK])).is_err());
        assert!(apks(&table(&[APK, IDSIG, "extra-apk-0"])).is_err());
        assert!(apks(&table(&[APK, IDSIG, "extra-apk-0", "extra-idsig-1"])).is_err());
        assert!(apks(&table(&[APK, IDSIG, "extra-apk-1", "extra-idsig-1"])).is_err());
    }
}
