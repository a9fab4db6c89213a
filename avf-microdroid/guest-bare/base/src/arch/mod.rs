//! What only an arm64 processor can do.

mod console;
mod cpu;
mod gic;
mod heap;
mod mmio;
mod start;

use core::arch::global_asm;

pub use console::{Console, Port, print_to};
pub use cpu::{Leave, clean_to_memory, hvc, leave, mix_in, power_off, reset, use_tables};
pub use gic::{Gic, Idle};
pub use mmio::Mmio;
pub use start::{Boot, Image, image};

global_asm!(include_str!("entry.s"));
global_asm!(include_str!("runtime.s"));
