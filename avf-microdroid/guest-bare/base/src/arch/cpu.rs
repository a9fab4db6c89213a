//! Calls of the hypervisor, translation, caches.

use core::arch::asm;

const PSCI_SYSTEM_OFF: u32 = 0x8400_0008;
const PSCI_SYSTEM_RESET: u32 = 0x8400_0009;
/// What is taken of the processor's random numbers, and of the times of accesses.
const RANDOM_WORDS: usize = 8;
const TIMES: usize = 256;
/// SCTLR_EL1: what can be written cannot be executed.
const WXN: u64 = 1 << 19;
/// Another address space than that of the coarse map, so that no entry of one is ever taken for the other's.
const ASID: u64 = 1 << 48;

/// Calls the hypervisor (SMCCC 1.1).
pub fn hvc(function: u32, arguments: [u64; 3]) -> [u64; 4] {
    let [mut x0, mut x1, mut x2, mut x3] = [u64::from(function), arguments[0], arguments[1], arguments[2]];
    // SAFETY: a call changes x0 to x17 at most, and memory only as its caller asked for.
    unsafe {
        asm!("hvc #0", inout("x0") x0, inout("x1") x1, inout("x2") x2, inout("x3") x3,
            out("x4") _, out("x5") _, out("x6") _, out("x7") _, out("x8") _, out("x9") _, out("x10") _, out("x11") _,
            out("x12") _, out("x13") _, out("x14") _, out("x15") _, out("x16") _, out("x17") _, options(nostack));
    }
    [x0, x1, x2, x3]
}

/// What the processor itself has that nobody can foresee: its random numbers, if it makes any, and how long accesses to
/// memory take. To be mixed with better sources, never used alone.
pub fn mix_in(mut take: impl FnMut(u64)) {
    let features: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, id_aa64isar0_el1", out(reg) features, options(nomem, nostack)) }
    if features >> 60 != 0 {
        for _ in 0..RANDOM_WORDS {
            let word: u64;
            // SAFETY: the processor has this register (RNDR); where it fails, it gives 0, which harms nobody.
            unsafe { asm!("mrs {}, S3_3_C2_C4_0", out(reg) word, options(nostack)) }
            take(word);
        }
    }
    let mut line = 0_u64;
    for _ in 0..TIMES {
        let time: u64;
        // SAFETY: writes a line back, reads it again from memory, and looks at the time.
        unsafe {
            asm!("dc civac, {line}", "dsb sy", "ldr {time}, [{line}]", "isb", "mrs {time}, cntvct_el0",
                line = in(reg) &raw mut line, time = out(reg) time, options(nostack));
        }
        take(time);
    }
}

/// Switches the machine off.
pub fn power_off() -> ! {
    end(PSCI_SYSTEM_OFF)
}

/// Asks for a reset, which a host may take as the end.
pub fn reset() -> ! {
    end(PSCI_SYSTEM_RESET)
}

fn end(function: u32) -> ! {
    hvc(function, [0; 3]);
    loop {
        // SAFETY: waits, no more.
        unsafe { asm!("wfi", options(nomem, nostack)) }
    }
}

/// Translates by these tables from now on, the first of which is at this address.
///
/// # Safety
/// The tables map all that the program uses to itself, with the rights that it needs, and stay as they are.
pub unsafe fn use_tables(first: u64) {
    // SAFETY: by the contract of this function.
    unsafe {
        asm!("dsb ish", "msr ttbr0_el1, {table}", "isb", "mrs {control}, sctlr_el1", "orr {control}, {control}, {wxn}",
            "msr sctlr_el1, {control}", "isb", "tlbi vmalle1", "dsb nsh", "isb",
            table = in(reg) first | ASID, control = out(reg) _, wxn = in(reg) WXN, options(nostack));
    }
}

/// How a program is left for the next.
#[derive(Clone, Copy, Debug)]
pub struct Leave {
    /// Where the next finds its device tree.
    pub fdt: u64,
    /// Its first instruction.
    pub entry: u64,
    /// Start and end of the memory that is wiped, at multiples of 16.
    pub wipe: (u64, u64),
}

/// Wipes memory and all registers, switches caches and translation off, and runs the next program, as if it were the
/// first.
///
/// # Safety
/// The next program and its tree are whole in memory, and not only in caches. What is wiped may hold anything but code
/// and constants of this program.
pub unsafe fn leave(to: Leave) -> ! {
    unsafe extern "C" {
        fn avf_leave(fdt: u64, entry: u64, start: u64, end: u64) -> !;
    }
    // SAFETY: by the contract of this function.
    unsafe { avf_leave(to.fdt, to.entry, to.wipe.0, to.wipe.1) }
}

/// Writes cached lines of this memory back and drops them, so that it can be read with caches off.
pub fn clean_to_memory(memory: &[u8]) {
    let line = line_size();
    let start = memory.as_ptr() as usize & !(line - 1);
    for address in (start..memory.as_ptr() as usize + memory.len()).step_by(line) {
        // SAFETY: it changes no memory.
        unsafe { asm!("dc civac, {}", in(reg) address, options(nostack)) }
    }
    // SAFETY: a barrier.
    unsafe { asm!("dsb sy", options(nostack)) }
}

fn line_size() -> usize {
    let kind: usize;
    // SAFETY: reads a register that any program may read.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) kind, options(nomem, nostack)) }
    4 << (kind >> 16 & 0xf)
}
