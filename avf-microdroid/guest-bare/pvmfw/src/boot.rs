//! The way from what a host and a loader give to what the guest gets.

use alloc::vec::Vec;

use avf_bare::fdt::Fdt;
use avf_formats::secret::SecretBytes;

use crate::guest_tree::{self, Additions};
use crate::host_tree::{self, HostTree, Range, TREE_SIZE};
use crate::payload::{self, VerifiedPayload};
use crate::rollback::{self, Mode};
use crate::{PvmfwError, Result, config, dice};

const PAGE: u64 = 4096;

/// What the loader and the host give.
pub struct Question<'a> {
    /// Memory behind the firmware, with the configuration data.
    pub config: &'a [u8],
    /// The host's device tree.
    pub fdt: Fdt<'a>,
    /// The address of that tree.
    pub fdt_address: u64,
    /// The key that may sign.
    pub trusted_key: &'a [u8],
}

/// What the guest gets.
pub struct Guest {
    /// Where it is, and begins to run.
    pub kernel: Range,
    /// Its device tree, which takes the place of the host's.
    pub tree: Vec<u8>,
    /// Its secrets and its chain.
    pub handover: SecretBytes,
    /// The pages for them.
    pub handover_place: Range,
    /// What was verified.
    pub payload: VerifiedPayload,
    /// Who protects it against rollback.
    pub rollback: Mode,
}

/// Decides. `memory` lends the bytes of a range that is inside of RAM; `random` fills bytes, if it can.
pub fn decide<'a>(
    question: &Question<'a>,
    memory: impl Fn(Range) -> Option<&'a [u8]>,
    random: impl Fn(&mut [u8]) -> bool,
) -> Result<Guest> {
    let current = dice::handover(config::dice_handover(question.config)?)?;
    let kept = Range { start: question.fdt_address, size: TREE_SIZE };
    let (kernel, initrd) = host_tree::payload_ranges(&question.fdt, kept)?;
    let bytes = memory(kernel).ok_or(PvmfwError::InvalidFdt("the kernel is where the firmware is"))?;
    let initrd = match initrd {
        Some(range) => Some(memory(range).ok_or(PvmfwError::InvalidRamdisk)?),
        None => None,
    };
    let payload = payload::verify(bytes, initrd, question.trusted_key)?;

    let page = payload.page_size.unwrap_or(PAGE);
    let host = HostTree::parse(&question.fdt, kept, page)?;
    let instance_hash = host.instance_id().map(dice::instance_hash);
    let salt = || {
        let mut salt = [0; 64];
        random(&mut salt).then_some(salt)
    };
    let rollback = rollback::decide(&payload, instance_hash.as_ref(), host.asks_to_defer_rollback_protection(), salt)?;
    let handover = dice::derive(&current, &dice::input(&payload, instance_hash.as_ref(), &rollback))?;

    let size = (handover.len() as u64).next_multiple_of(page);
    // At the end of what is kept for the tree: nothing of the guest is there.
    let start = (kept.end() - size.min(TREE_SIZE)) & !(page - 1);
    let handover_place = Range { start, size };
    let mut seed = [0; 8];
    let seeded = random(&mut seed);
    let additions = Additions {
        handover: handover_place,
        debuggable: payload.debuggable,
        new_instance: rollback.new_instance,
        kaslr_seed: seeded.then_some(&seed),
    };
    let tree = guest_tree::write(&host, &additions)?;
    if size > page || start < kept.start + tree.len() as u64 {
        return Err(PvmfwError::SecretDerivationFailed);
    }
    Ok(Guest { kernel, tree, handover, handover_place, payload, rollback: rollback.mode })
}
