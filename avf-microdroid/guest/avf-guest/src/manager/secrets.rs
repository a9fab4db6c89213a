//! The payload's layer of DICE and the secrets of this VM.

use std::fmt;

use avf_formats::dice::payload::{self, Hidden, Revision, Start};
use avf_formats::dice::{Algorithm, CDI_SIZE, Cdis, Chain, Issuer};
use avf_formats::handover::Handover;
use avf_formats::instance::Record;
use avf_formats::metadata::Task;
use avf_formats::secret::Secret;
use avf_formats::secrets::{KEEPER_SECRET_SIZE, VmSecret};

use super::host::Flags;
use crate::failure::Failure;

/// The profile of the host's certificates.
const PROFILE: &str = "android.16";

/// Wiped when dropped, never printed.
pub struct Secrets {
    /// The chain up to the payload's layer.
    pub chain: Chain,
    /// The key of the payload's layer derives from it.
    pub cdi_attest: Secret<CDI_SIZE>,
    pub vm: VmSecret,
}

/// The payload's layer: its secrets, and the chain up to it.
pub struct Layer {
    pub chain: Chain,
    pub cdis: Cdis,
}

impl Layer {
    /// The secrets of this VM: of version 2 if there is a secret of a keeper, or what stands for it.
    pub fn secrets(self, keeper_secret: Option<&Secret<KEEPER_SECRET_SIZE>>) -> Secrets {
        let vm = match keeper_secret {
            Some(secret) => VmSecret::v2(&self.cdis.seal, secret),
            None => VmSecret::v1(&self.cdis.seal),
        };
        Secrets { chain: self.chain, cdi_attest: self.cdis.attest, vm }
    }
}

/// Derives the layer of a verified payload. The parent's secrets are wiped when this returns.
pub fn derive(
    parent: Handover,
    flags: Flags,
    instance_id: &[u8; 64],
    record: &Record,
    task: &Task,
    debuggable: bool,
) -> Result<Layer, Failure> {
    let failed = |error: &dyn fmt::Display| Failure::machine(format!("cannot derive the payload's secrets: {error}"));
    let start = match task {
        Task::ConfigPath(path) => Start::ConfigPath(path),
        Task::Binary { name, .. } => Start::BinaryName(name),
    };
    // Under strict boot the firmware's layer has mixed the instance in.
    let hidden = if flags.strict { Hidden::Zeros } else { Hidden::InstanceId(instance_id) };
    let input =
        payload::input(record, start, debuggable, hidden, Revision::March2025).map_err(|error| failed(&error))?;
    let issuer = Issuer { subject_algorithm: Algorithm::Ed25519, profile_name: Some(PROFILE.into()) };
    let Handover { cdis, chain } = parent.next(&input, &issuer).map_err(|error| failed(&error))?;
    let chain = chain.ok_or_else(|| failed(&"a derived layer has no chain"))?;
    Ok(Layer { chain, cdis })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::manager::host::tests::boot;
    use avf_formats::instance::Apk;

    pub fn record(signer: u8, code: u8) -> Record {
        let apk = Apk {
            root_hash: vec![code; 32],
            cert_hash: vec![signer; 64],
            package_name: "a.b".into(),
            version_code: 1,
            rollback_index: Some(None),
        };
        Record { salt: None, apk, extra_apks: Vec::new(), apexes: Vec::new() }
    }

    /// As a VM has them to which no keeper is connected.
    pub fn derived(flags: u32, record: &Record, debuggable: bool) -> Secrets {
        let zeros = Secret::copy_of(&[0; KEEPER_SECRET_SIZE]);
        layer(flags, record, debuggable).secrets(boot(flags).flags.defer_rollback_protection.then_some(&zeros))
    }

    pub fn layer(flags: u32, record: &Record, debuggable: bool) -> Layer {
        let mut handover = vec![0xa2, 1, 0x58, 0x20];
        handover.extend([1; 32]);
        handover.extend([2, 0x58, 0x20]);
        handover.extend([2; 32]);
        let parent = Handover::parse(&handover).unwrap();
        let task = Task::Binary { name: "libx.so".into(), extra_apk_count: 0 };
        let boot = boot(flags);
        derive(parent, boot.flags, boot.instance_id(), record, &task, debuggable).unwrap()
    }

    fn fingerprint(secrets: &Secrets) -> Vec<u8> {
        secrets.vm.payload_secret(b"id", 32).unwrap().expose().to_vec()
    }

    #[test]
    fn secrets_survive_new_code_but_neither_another_signer_nor_debugging() {
        let first = fingerprint(&derived(1, &record(1, 1), false));
        assert_eq!(fingerprint(&derived(1, &record(1, 1), false)), first);
        assert_eq!(fingerprint(&derived(1, &record(1, 9), false)), first);
        assert_ne!(fingerprint(&derived(1, &record(2, 1), false)), first);
        assert_ne!(fingerprint(&derived(1, &record(1, 1), true)), first);
    }

    #[test]
    fn secrets_hang_on_the_instance_without_strict_boot_and_on_who_protects_from_rollback() {
        let strict = fingerprint(&derived(1, &record(1, 1), false));
        assert_ne!(fingerprint(&derived(0, &record(1, 1), false)), strict);
        assert_ne!(fingerprint(&derived(5, &record(1, 1), false)), strict);
    }

    #[test]
    fn the_chain_ends_in_the_payloads_layer_and_verifies() {
        let secrets = derived(1, &record(1, 1), false);
        secrets.chain.verify_signatures().unwrap();
        assert_eq!(secrets.chain.certificates().unwrap(), 1);
        let encoded = secrets.chain.encoded();
        assert!(encoded.windows(18).any(|text| text == b"Microdroid payload"));
        assert!(encoded.windows(10).any(|text| text == PROFILE.as_bytes()));
    }
}
