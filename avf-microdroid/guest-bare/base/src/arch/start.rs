//! From the assembly's entry to the program's.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use super::heap;
use crate::println;

unsafe extern "C" {
    static __base: u8;
    static __text_end: u8;
    static __rodata_end: u8;
    static __data_end: u8;
    static __scratch_start: u8;
    static __guard_start: u8;
    static __guard_end: u8;
    static __heap_start: u8;
    static __end: u8;
}

unsafe extern "Rust" {
    safe fn avf_main(boot: Boot) -> !;
    safe fn avf_failed() -> !;
}

/// The registers at entry.
#[derive(Clone, Copy, Debug)]
pub struct Boot {
    /// x0: where the device tree is.
    pub fdt: u64,
    /// x1: where the kernel is, for firmware.
    pub kernel: u64,
    /// x2: how many bytes it has.
    pub kernel_size: u64,
}

/// Where the parts of the image are.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    /// The first byte; code begins here.
    pub start: u64,
    /// Where code ends and constants begin.
    pub text_end: u64,
    /// Where constants end and variables begin.
    pub rodata_end: u64,
    /// Where what was loaded ends.
    pub data_end: u64,
    /// Where memory begins that was not loaded.
    pub scratch_start: u64,
    /// The page below the stack.
    pub guard: (u64, u64),
    /// Where all memory of the program ends.
    pub end: u64,
}

/// Where the parts of this image are.
pub fn image() -> Image {
    let address = |symbol: *const u8| symbol as u64;
    Image {
        start: address(&raw const __base),
        text_end: address(&raw const __text_end),
        rodata_end: address(&raw const __rodata_end),
        data_end: address(&raw const __data_end),
        scratch_start: address(&raw const __scratch_start),
        guard: (address(&raw const __guard_start), address(&raw const __guard_end)),
        end: address(&raw const __end),
    }
}

/// Names the entry of the program, and what it does after a panic or a fault has been printed.
#[macro_export]
macro_rules! main {
    ($main:path, $failed:path) => {
        #[unsafe(no_mangle)]
        fn avf_main(boot: $crate::arch::Boot) -> ! {
            $main(boot)
        }

        #[unsafe(no_mangle)]
        fn avf_failed() -> ! {
            $failed()
        }
    };
}

#[unsafe(no_mangle)]
extern "C" fn avf_start(fdt: u64, kernel: u64, kernel_size: u64) -> ! {
    let start = (&raw const __heap_start).cast_mut();
    let size = (&raw const __end) as usize - start as usize;
    // SAFETY: the linker keeps this memory for the heap, and this is called once.
    unsafe { heap::start(start, size) }
    avf_main(Boot { fdt, kernel, kernel_size })
}

/// Whether giving up has already begun: the second time, nothing is printed.
static FAILED: AtomicBool = AtomicBool::new(false);

#[unsafe(no_mangle)]
extern "C" fn avf_fault(syndrome: u64, instruction: u64, address: u64) -> ! {
    if FAILED.swap(true, Ordering::Relaxed) {
        super::reset();
    }
    let instruction = instruction.wrapping_sub((&raw const __base) as u64);
    println!("fault: ESR {syndrome:#x}, ELR image + {instruction:#x}, FAR {address:#x}");
    avf_failed()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    if FAILED.swap(true, Ordering::Relaxed) {
        super::reset();
    }
    match info.location() {
        // The message may quote what was computed with, so it stays inside.
        Some(place) => println!("panic at {}:{}", place.file(), place.line()),
        None => println!("panic"),
    }
    avf_failed()
}
