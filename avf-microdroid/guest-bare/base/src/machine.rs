//! The machine as a program finds it.

use core::cell::UnsafeCell;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::arch::{Boot, Gic, Idle, Mmio, Port, hvc, image, use_tables};
use crate::fdt::{Fdt, FdtError, Node};
use crate::hypervisor::{Hypervisor, ShareError};
use crate::paging::{END, Kind, PAGE, PagingError, Table, Tables};
use crate::shared::SharedMemory;
use crate::virtio::Device;
use crate::vsock::{POOL, Vsock, VsockError, Wait};

/// Devices are below it.
const DEVICES_END: u64 = 0x4000_0000;
/// The devices that are looked at.
const MAX_DEVICES: usize = 64;
/// In interrupt specifiers: not of one processor, and rising or falling edges.
const SHARED: u32 = 0;
const EDGES: u32 = 3;
const TABLES: usize = 24;

/// Why the machine cannot be used.
#[derive(Debug)]
pub enum MachineError {
    /// The device tree is malformed.
    Fdt(FdtError),
    /// The device tree lacks something, or has what cannot be.
    Tree(&'static str),
    /// The memory cannot be mapped.
    Paging(PagingError),
    /// The host cannot be shown memory.
    Share(ShareError),
    /// The device cannot be used.
    Vsock(VsockError),
}

impl fmt::Display for MachineError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fdt(error) => error.fmt(out),
            Self::Tree(reason) => write!(out, "device tree: {reason}"),
            Self::Paging(error) => write!(out, "memory cannot be mapped: {error:?}"),
            Self::Share(error) => write!(out, "memory cannot be shared: {error:?}"),
            Self::Vsock(error) => error.fmt(out),
        }
    }
}

impl core::error::Error for MachineError {}

impl From<PagingError> for MachineError {
    fn from(error: PagingError) -> Self {
        Self::Paging(error)
    }
}

/// Hypercalls of the processor.
pub type Hvc = fn(u32, [u64; 3]) -> [u64; 4];

/// The machine: its tree, its memory, its hypervisor.
pub struct Machine {
    /// The tree that the program was given.
    pub fdt: Fdt<'static>,
    /// First byte and end of memory.
    pub memory: (u64, u64),
    /// What is private.
    pub hypervisor: Hypervisor<Hvc>,
}

struct Once<T>(UnsafeCell<T>);

// SAFETY: one processor runs, and each is taken once, by `Machine::start` and `Machine::pool`.
unsafe impl<T> Sync for Once<T> {}

#[repr(C, align(0x10000))]
struct Pool([u8; POOL]);

/// Not set to zero when the program starts.
#[cfg_attr(target_arch = "aarch64", unsafe(link_section = ".bss.noinit"))]
static TRANSLATION: Once<[MaybeUninit<Table>; TABLES]> =
    Once(UnsafeCell::new([const { MaybeUninit::uninit() }; TABLES]));
static POOL_MEMORY: Once<Pool> = Once(UnsafeCell::new(Pool([0; POOL])));

impl Machine {
    /// Reads the tree and maps memory as it is used: code, constants, data, devices.
    ///
    /// # Safety
    /// Called once, with the registers at entry.
    pub unsafe fn start(boot: Boot) -> Result<Self, MachineError> {
        // SAFETY: whoever started the program put the tree there, in memory that nothing else uses.
        let fdt = unsafe { tree(boot.fdt)? };
        let memory =
            fdt.node("/memory").and_then(|node| node.reg(0)).ok_or(MachineError::Tree("there is no memory"))?;
        let (start, end) = match memory.0.checked_add(memory.1) {
            Some(end) if memory.0 >= DEVICES_END && memory.0 < end => (memory.0, end.min(END)),
            _ => return Err(MachineError::Tree("memory is empty or where devices are")),
        };
        // SAFETY: nothing else uses the tables.
        let mut tables = Tables::new(unsafe { &mut *TRANSLATION.0.get() })?;
        tables.map(0, DEVICES_END, Kind::Device)?;
        map_image(&mut tables)?;
        let image = image();
        for (start, end) in [(start, end.min(image.start)), (start.max(image.end), end)] {
            if start < end {
                tables.map(start.next_multiple_of(PAGE), end & !(PAGE - 1), Kind::Data)?;
            }
        }
        // SAFETY: they map the image and all memory.
        unsafe { use_tables(tables.root()) }
        let hypervisor = Hypervisor::probe(hvc as Hvc);
        hypervisor.expect_device(Port::Console as u64);
        Ok(Self { fdt, memory: (start, end), hypervisor })
    }

    /// Memory for the queues of one device, which the host sees if `share` says so; taken once.
    pub fn pool(&self, share: bool) -> Result<SharedMemory, MachineError> {
        let start = NonNull::new(POOL_MEMORY.0.get().cast::<u8>()).ok_or(MachineError::Tree("no pool"))?;
        // SAFETY: the pool lives as long as the program, and nothing else uses it.
        let pool = unsafe { SharedMemory::new(start, POOL) };
        if share {
            self.hypervisor.share(pool.address(0), POOL as u64).map_err(MachineError::Share)?;
        }
        Ok(pool)
    }

    /// The bytes of memory in a range, if it is inside of memory and does not touch the program.
    ///
    /// # Safety
    /// Nothing else uses them as long as the result lives.
    pub unsafe fn bytes(&self, start: u64, size: u64) -> Option<&'static mut [u8]> {
        let end = start.checked_add(size)?;
        let image = image();
        let inside = start >= self.memory.0 && end <= self.memory.1;
        if !inside || size == 0 || (start < image.end && end > image.start) {
            return None;
        }
        // SAFETY: mapped memory, not the program's, by the contract not used otherwise.
        Some(unsafe { core::slice::from_raw_parts_mut(start as *mut u8, size as usize) })
    }

    /// Starts the vsock device of the machine, with queues in this memory, and listens.
    pub fn listen(&self, pool: &SharedMemory, port: u32) -> Result<Vsock<Mmio, Idle>, MachineError> {
        let (device, node) = self.vsock_device().ok_or(MachineError::Tree("there is no vsock device"))?;
        let idle = Idle::new(self.gic(&node));
        Vsock::listen(device, pool, idle, port).map_err(MachineError::Vsock)
    }

    /// The vsock device of the machine and its node.
    pub fn vsock_device(&self) -> Option<(Device<Mmio>, Node<'static>)> {
        self.fdt.compatible("virtio,mmio").take(MAX_DEVICES).find_map(|node| {
            let (address, size) = node.reg(0)?;
            let is_device = address % PAGE == 0 && size >= 0x200 && address.checked_add(size)? <= DEVICES_END;
            if !is_device {
                return None;
            }
            self.hypervisor.expect_device(address);
            // SAFETY: a node of the tree says so, and the address is where devices are, not memory.
            let registers = unsafe { Mmio::new(address as usize) };
            Some((Vsock::<Mmio, Idle>::find(registers)?, node))
        })
    }

    /// The interrupt controller, set up for the timer and for the device of this node, if it is one that is known.
    fn gic(&self, device: &Node<'_>) -> Option<Gic> {
        let node = self.fdt.compatible("arm,gic-v3").next()?;
        let ((distributor, _), (redistributor, _)) = (node.reg(0)?, node.reg(1)?);
        for address in [distributor, redistributor] {
            if address % PAGE != 0 || address >= DEVICES_END {
                return None;
            }
            self.hypervisor.expect_device(address);
        }
        self.hypervisor.expect_device(redistributor + 0x1_0000);
        // SAFETY: a node of the tree says so, and the addresses are where devices are.
        let gic = unsafe { Gic::start(distributor as usize, redistributor as usize) };
        let mut cells = device.cells("interrupts")?;
        if let (Some(SHARED), Some(spi @ 0..=987), Some(flags)) = (cells.next(), cells.next(), cells.next()) {
            gic.enable(spi, flags & EDGES != 0);
        }
        Some(gic)
    }
}

impl Wait for Idle {
    fn prepare(&self) {
        Idle::prepare(self);
    }

    fn wait(&self) {
        Idle::wait(self);
    }
}

/// The tree at an address.
///
/// # Safety
/// There is memory at the address that nothing else uses.
unsafe fn tree(address: u64) -> Result<Fdt<'static>, MachineError> {
    if address < DEVICES_END || address % 8 != 0 || address > END - (4 << 20) {
        return Err(MachineError::Tree("its address is not one of memory"));
    }
    // SAFETY: by the contract of this function, and as far as its own header says.
    unsafe {
        let header = core::slice::from_raw_parts(address as *const u8, 8);
        let size = Fdt::announced_size(header).map_err(MachineError::Fdt)?;
        Fdt::parse(core::slice::from_raw_parts(address as *const u8, size)).map_err(MachineError::Fdt)
    }
}

fn map_image(tables: &mut Tables<'_>) -> Result<(), PagingError> {
    let image = image();
    tables.map(image.start, image.text_end, Kind::Code)?;
    tables.map(image.text_end, image.rodata_end, Kind::Constants)?;
    tables.map(image.rodata_end, image.guard.0, Kind::Data)?;
    tables.map(image.guard.1, image.end, Kind::Data)
}
