//! What the guest's secrets are made of.

use alloc::string::ToString;

use avf_formats::cbor::Writer;
use avf_formats::dice::{Chain, Config, Input, Issuer, Mode};
use avf_formats::handover::Handover;
use avf_formats::secret::{Secret, SecretBytes};
use sha2::{Digest, Sha512};
use zeroize::Zeroize;

use crate::payload::{Capability, VerifiedPayload};
use crate::rollback::RollbackDecision;
use crate::{PvmfwError, Result};

const COMPONENT_NAME: i64 = -70002;
const SECURITY_VERSION: i64 = -70005;
const RKP_VM_MARKER: i64 = -70006;
const INSTANCE_HASH: i64 = -71003;
const DEFAULT_NAME: &str = "vm_entry";
const PROFILE: &str = "android.16";

/// Reads the handover of the loader, which is trusted: signatures are not verified. The caller wipes the bytes.
pub fn handover(bytes: &[u8]) -> Result<Handover> {
    let handover = Handover::parse(bytes).map_err(|_| PvmfwError::InvalidDiceHandover)?;
    if handover.chain.is_none() {
        return Err(PvmfwError::InvalidDiceHandover);
    }
    Ok(handover)
}

/// The hash by which an instance id shows.
pub fn instance_hash(id: &[u8]) -> [u8; 64] {
    Sha512::new().chain_update(b"InstanceId:").chain_update(id).finalize().into()
}

/// What the layer of the guest is made of.
pub fn input(payload: &VerifiedPayload, instance_hash: Option<&[u8; 64]>, rollback: &RollbackDecision) -> Input {
    let marker =
        payload.capabilities.has(Capability::RemoteAttest) || payload.capabilities.has(Capability::TrustySecurityVm);
    let mut config = Writer::new();
    config.map(2 + usize::from(marker) + usize::from(instance_hash.is_some()));
    config.integer(COMPONENT_NAME).text(payload.name.as_deref().unwrap_or(DEFAULT_NAME));
    config.integer(SECURITY_VERSION).unsigned(payload.rollback_index);
    if marker {
        config.integer(RKP_VM_MARKER).null();
    }
    if let Some(hash) = instance_hash {
        config.integer(INSTANCE_HASH).bytes(hash);
    }
    let code =
        Sha512::new().chain_update(payload.kernel_digest).chain_update(payload.initrd_digest.unwrap_or_default());
    let hidden = Sha512::new()
        .chain_update([marker.into()])
        .chain_update(rollback.salt)
        .chain_update([rollback.is_deferred().into()]);
    Input {
        code_hash: code.finalize().into(),
        code_descriptor: None,
        config: Config::Descriptor(config.finish()),
        authority_hash: payload.authority_hash,
        authority_descriptor: None,
        mode: if payload.debuggable { Mode::Debug } else { Mode::Normal },
        hidden: Secret::fill_with(|out| {
            let mut hash: [u8; 64] = hidden.finalize().into();
            out.copy_from_slice(&hash);
            hash.zeroize();
        }),
    }
}

/// The handover of the guest, encoded. Its key is of the algorithm that the loader's leaf key has.
pub fn derive(handover: &Handover, input: &Input) -> Result<SecretBytes> {
    let leaf = handover.chain.as_ref().map(Chain::leaf_key).transpose();
    let failed = PvmfwError::SecretDerivationFailed;
    let algorithm = leaf.map_err(|_| failed)?.ok_or(failed)?.algorithm();
    let issuer = Issuer { subject_algorithm: algorithm, profile_name: Some(PROFILE.to_string()) };
    Ok(handover.next(input, &issuer).map_err(|_| failed)?.encode())
}
