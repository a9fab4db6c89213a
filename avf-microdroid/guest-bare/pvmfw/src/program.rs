//! The firmware on its machine.

use avf_bare::arch::{Boot, Leave, Port, clean_to_memory, hvc, image, leave, print_to, reset};
use avf_bare::entropy;
use avf_bare::machine::{Hvc, Machine, MachineError};
use avf_bare::println;
use pvmfw::boot::{Guest, Question, decide};
use pvmfw::host_tree::{Range, TREE_SIZE};
use pvmfw::{PvmfwError, RebootReason, TRUSTED_KEY};

avf_bare::main!(start, failed);

fn start(boot: Boot) -> ! {
    // SAFETY: called once, with the registers at entry.
    let machine = unsafe { Machine::start(boot) };
    let machine = match machine {
        Ok(machine) => machine,
        Err(MachineError::Paging(_)) => give_up(RebootReason::InternalError, &"memory cannot be mapped"),
        Err(error) => give_up(RebootReason::InvalidFdt, &error),
    };
    match prepare(&machine, boot.fdt) {
        Ok(guest) => enter(&machine, guest, boot.fdt),
        Err(error) => give_up(error.reboot_reason(), &error),
    }
}

fn prepare(machine: &Machine, fdt_address: u64) -> Result<Guest, PvmfwError> {
    let image = image();
    // SAFETY: the loader puts its data there, between the image and the memory that is not loaded; nothing writes to it
    // before the firmware leaves.
    let config = unsafe {
        let size = image.scratch_start - image.data_end;
        core::slice::from_raw_parts(image.data_end as *const u8, size as usize)
    };
    let trusted_key = TRUSTED_KEY.key().ok_or(PvmfwError::AvbPublicKeyRejected)?;
    let question = Question { config, fdt: machine.fdt, fdt_address, trusted_key };
    decide(
        &question,
        // SAFETY: kernel, ramdisk and tree do not overlap, and are only read until the firmware leaves.
        |range| unsafe { machine.bytes(range.start, range.size) }.map(|bytes| &*bytes),
        |target| entropy::fill(&(hvc as Hvc), target).is_ok(),
    )
}

/// Puts the guest's tree and handover into memory, and runs it.
fn enter(machine: &Machine, guest: Guest, fdt_address: u64) -> ! {
    println!(
        "pvmfw: kernel verified, rollback index {}, {}, rollback protection: {:?}",
        guest.payload.rollback_index,
        if guest.payload.debuggable { "debuggable" } else { "not debuggable" },
        guest.rollback
    );
    let kept = Range { start: fdt_address, size: TREE_SIZE };
    let place = (guest.handover_place.start - kept.start) as usize;
    // SAFETY: the host's tree was there, which nobody reads any more.
    let Some(memory) = (unsafe { machine.bytes(kept.start, kept.size) }) else {
        give_up(RebootReason::InternalError, &"there is no place for the device tree");
    };
    memory.fill(0);
    memory[..guest.tree.len()].copy_from_slice(&guest.tree);
    memory[place..place + guest.handover.len()].copy_from_slice(guest.handover.expose());
    clean_to_memory(memory);
    let image = image();
    // SAFETY: the kernel was verified; what is wiped is the firmware's alone, its code and constants excepted.
    unsafe { leave(Leave { fdt: fdt_address, entry: guest.kernel.start, wipe: (image.rodata_end, image.end) }) }
}

fn give_up(reason: RebootReason, detail: &dyn core::fmt::Display) -> ! {
    println!("pvmfw: {detail}");
    fail(reason)
}

/// After a panic or a fault.
fn failed() -> ! {
    fail(RebootReason::InternalError)
}

fn fail(reason: RebootReason) -> ! {
    print_to(Port::Failure, format_args!("{}\n", reason.line()));
    reset()
}
