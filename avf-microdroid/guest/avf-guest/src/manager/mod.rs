//! The Microdroid manager: verifies the payload's package once more, derives its secrets, and keeps it.
//!
//! # Order
//!
//! 1. [`bootconfig`]: the file `/bootconfig` of the verified RAM disk; then the kernel modules for what follows.
//! 2. [`host`]: the frame BOOT, with the secrets that the firmware handed over. It is wiped once they are taken.
//! 3. [`system`]: `/system`, with dm-verity.
//! 4. [`disk`]: the payload disk's table and metadata; [`instance`]: what the instance was at its first boot.
//! 5. [`apex`] and [`apk`]: every package is verified through the device from which it will be read. The result is
//!    compared with the instance's record, or written there.
//! 6. [`secrets`]: the payload's layer of DICE and this VM's secrets, for which [`secretkeeper`] asks if the instance
//!    protects itself against older versions. The firmware's are wiped.
//! 7. APEXes on `/apex`, the package on `/mnt/apk`, further ones on `/mnt/extra-apk/N`, the encrypted store on
//!    `/mnt/encryptedstore`.
//! 8. [`config`]: what of the package runs; [`keeper`]: runs it as a user without rights, and answers what it asks
//!    ([`server`], [`service`]; [`errands`], [`desk`] and [`attestation`] for what takes the host) until it ends.
//!
//! Nothing of the disks or of the host's words is trusted before it was verified, and every wait but the one for the
//! payload has a limit.

pub mod apex;
pub mod apk;
pub mod attestation;
pub mod bootconfig;
pub mod config;
pub mod desk;
pub mod disk;
pub mod errands;
pub mod host;
pub mod instance;
pub mod keeper;
pub mod secretkeeper;
pub mod secrets;
pub mod server;
pub mod service;
pub mod system;

use std::ffi::CString;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use avf_formats::handover::Handover;
use avf_formats::instance::Record;
use avf_formats::secret::Secret;
use avf_formats::secrets::KEEPER_SECRET_SIZE;
use zeroize::Zeroizing;

use crate::encryptedstore::{self, Store};
use crate::failure::Failure;
use crate::modules;
use crate::report::{self, Step};
use crate::sandbox::PAYLOAD_ID;
use crate::sys::{self, Deadline};
use crate::zipfuse::{self, Options};
use apex::VerifiedApex;
use apk::VerifiedApk;
use bootconfig::Bootconfig;
use config::Command;
use disk::PayloadDisk;
use host::Flags;
use instance::Instance;
use keeper::Payload;
use secretkeeper::Session;
use secrets::{Layer, Secrets};
use service::Service;

/// How long the host may take to send BOOT after HELLO.
const BOOT_LIMIT: Duration = Duration::from_secs(20);

const STORE_DISK: &str = "encryptedstore";

/// Whether this guest runs a package: a plain payload's RAM disk has no bootconfig.
pub fn is_needed() -> bool {
    Path::new(bootconfig::FILE).exists()
}

/// Brings the payload up, keeps it, and reports how it ended.
pub fn run() -> Result<(), Failure> {
    let config = Bootconfig::read()?;
    modules::load_microdroid()?;
    let (handed, parent) = take_handover()?;
    system::mount(&config.vbmeta)?;
    let disk = PayloadDisk::open()?;
    let verified = verify(&disk, handed.flags, &parent)?;
    report::step(Step::PayloadVerified);

    let task = disk.metadata.task.as_ref().ok_or_else(|| Failure::payload("the payload disk names no task"))?;
    let layer = secrets::derive(parent, handed.flags, &handed.instance_id, &verified.record, task, config.debuggable)?;
    let Kept { secret, session, is_new } = keep_secret(&handed, &layer)?;
    let secrets = layer.secrets(secret.as_ref());
    report::step(Step::SecretsDerived);
    for apex in &verified.apexes {
        apex.activate(&disk)?;
    }
    report::step(Step::ApexesActivated);
    mount_packages(&verified.apks)?;
    report::step(Step::PayloadMounted);
    let store = open_store(&secrets)?;

    let restricted_allowed = matches!(task, avf_formats::metadata::Task::ConfigPath(_));
    let command = Command::of(task, verified.apks.len() - 1)?;
    let service = Service { secrets, restricted_allowed, is_new_instance: is_new.unwrap_or(verified.is_new) };
    keeper::run(Payload { command, service, store, secretkeeper: session, console: config.debuggable })
}

/// What BOOT says of this instance.
struct Handed {
    flags: Flags,
    instance_id: [u8; 64],
    keeper_key: Option<Vec<u8>>,
}

/// Receives BOOT and takes out what it has; the frame itself is wiped.
fn take_handover() -> Result<(Handed, Handover), Failure> {
    let stream = report::stream()
        .ok_or_else(|| Failure::machine("a guest with a package needs the report channel, not a console"))?;
    let boot = host::receive_boot(stream, Deadline::after(BOOT_LIMIT)).map_err(Failure::machine)?;
    let parent = Handover::parse(boot.handover());
    let parent = parent.map_err(|error| Failure::machine(format!("the handover of the firmware: {error}")))?;
    report::step(Step::HandoverTaken);
    let keeper_key = boot.keeper_key().map(<[u8]>::to_vec);
    Ok((Handed { flags: boot.flags, instance_id: *boot.instance_id(), keeper_key }, parent))
}

/// What the keeper of secrets does for this VM.
#[derive(Default)]
struct Kept {
    /// Nothing where the instance image protects against older versions.
    secret: Option<Secret<KEEPER_SECRET_SIZE>>,
    session: Option<Session>,
    /// Whether the secret was made just now, if the keeper has one.
    is_new: Option<bool>,
}

fn keep_secret(handed: &Handed, layer: &Layer) -> Result<Kept, Failure> {
    if !handed.flags.defer_rollback_protection {
        return Ok(Kept::default());
    }
    let (Some(key), Some(stream)) = (&handed.keeper_key, report::stream()) else {
        // What stands for a secret where the host has no keeper: other secrets, and no protection against rollback.
        return Ok(Kept { secret: Some(Secret::copy_of(&[0; KEEPER_SECRET_SIZE])), ..Kept::default() });
    };
    let mut exchange = secretkeeper::exchange(stream);
    let mut session = Session::begin(&mut exchange, key, layer, &handed.instance_id)?;
    let (secret, is_new) = session.vm_secret(&mut exchange)?;
    Ok(Kept { secret: Some(secret), session: Some(session), is_new: Some(is_new) })
}

/// A payload that is what it was signed to be, and what this instance was made for.
struct Verified {
    apks: Vec<VerifiedApk>,
    apexes: Vec<VerifiedApex>,
    record: Record,
    is_new: bool,
}

fn verify(disk: &PayloadDisk, flags: Flags, parent: &Handover) -> Result<Verified, Failure> {
    let instance = if flags.defer_rollback_protection { None } else { Some(Instance::open(flags, &parent.cdis.seal)?) };
    let saved = instance.as_ref().and_then(Instance::saved);
    let trusted = |index: usize| {
        let saved = saved?.apks().nth(index)?;
        Some(saved.root_hash.as_slice())
    };
    let apexes = apex::verify_all(disk)?;
    let parts = disk.apks()?;
    let apks = parts.iter().enumerate().map(|(index, parts)| apk::verify(disk, parts, trusted(index)));
    let apks = apks.collect::<Result<Vec<_>, _>>()?;
    let mut apk_records = apks.iter().map(|apk| apk.record.clone());
    let record = Record {
        salt: None,
        apk: apk_records.next().expect("the first is the payload's own"),
        extra_apks: apk_records.collect(),
        apexes: apexes.iter().map(|apex| apex.record.clone()).collect(),
    };
    let is_new = match instance {
        Some(instance) => instance.settle(&record)?,
        None => flags.new_instance,
    };
    Ok(Verified { apks, apexes, record, is_new })
}

/// The package and the further ones, each as a file system.
fn mount_packages(apks: &[VerifiedApk]) -> Result<(), Failure> {
    let memory = sys::total_memory().map_err(|error| Failure::machine(error.to_string()))?;
    // All of them together may hold what one alone might.
    let options = Options::package(memory / apks.len() as u64);
    for (index, apk) in apks.iter().enumerate() {
        let folder = match index {
            0 => "/mnt/apk".to_owned(),
            extra => format!("/mnt/extra-apk/{}", extra - 1),
        };
        let failed = |error| Failure::machine(format!("cannot mount a package on {folder}: {error}"));
        fs::create_dir_all(&folder).map_err(failed)?;
        let file = File::open(&apk.device.path).map_err(failed)?;
        let target = CString::new(folder.as_str()).expect("a number has no NUL");
        zipfuse::start(&file, apk.size, &target, options)?;
    }
    Ok(())
}

/// The payload's storage, if the machine has a disk for it.
fn open_store(secrets: &Secrets) -> Result<Option<Store>, Failure> {
    let Some(disk) = crate::disk::find_present(STORE_DISK)? else { return Ok(None) };
    modules::load_store()?;
    let key = secrets.vm.encrypted_store_key();
    let key = Zeroizing::new(*key.expose());
    let store = encryptedstore::open(&disk.path, &key, c"/mnt/encryptedstore", PAYLOAD_ID)
        .map_err(|failure| Failure::machine(format!("Unable to prepare encrypted storage: {failure}")))?;
    report::step(Step::StoreOpened);
    Ok(Some(store))
}
