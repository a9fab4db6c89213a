//! What the host says of the machine, checked; all else of its device tree is lost.

use alloc::string::String;
use alloc::vec::Vec;

use avf_bare::fdt::{Fdt, Node};

use crate::{PvmfwError, Result};

/// Where RAM begins.
pub const RAM_BASE: u64 = 0x8000_0000;
/// The memory that is kept for the device tree, and for what the guest gets with it.
pub const TREE_SIZE: u64 = 2 << 20;

/// No address is at or above it.
const HIGHEST: u64 = 1 << 40;
const MAX_CPUS: usize = 16;
const MAX_DEVICES: usize = 64;
const MAX_BOOT_ARGUMENTS: usize = 4096;
const MAX_UNTRUSTED: usize = 32;
const MAX_UNTRUSTED_VALUE: usize = 1 << 16;
const GIC: [u64; 2] = [0x3fff_0000, 0x1_0000];
const GIC_REDISTRIBUTOR: u64 = 0x2_0000;
/// Redistributors do not reach down to where devices are.
const DEVICES_START: u64 = 0x2000_0000;
const SERIAL_PORTS: [u64; 4] = [0x3f8, 0x2f8, 0x3e8, 0x2e8];
const CLOCK: [u64; 2] = [0x2000, 0x1000];
const VIRTIO_START: u64 = 0x0400_0000;
const VIRTIO_END: u64 = 0x0500_0000;
const VIRTIO_WINDOW: [u64; 2] = [0x200, 0x1000];
const PAGE: u64 = 4096;
const SHARED_INTERRUPT: u32 = 0;
const EDGE_RISING: u32 = 1;
/// Of shared interrupts, without those of fixed devices.
const INTERRUPTS: core::ops::Range<u32> = 4..988;

/// A part of memory, not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first byte.
    pub start: u64,
    /// In bytes.
    pub size: u64,
}

impl Range {
    /// The first byte after it.
    pub fn end(&self) -> u64 {
        self.start + self.size
    }

    fn new(start: u64, size: u64) -> Option<Self> {
        let end = start.checked_add(size)?;
        (size > 0 && end <= HIGHEST).then_some(Self { start, size })
    }

    fn is_inside(&self, other: &Self) -> bool {
        self.start >= other.start && self.end() <= other.end()
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end() && other.start < self.end()
    }
}

/// The pool for bounce buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swiotlb {
    /// Its address, if the host fixed it.
    pub start: Option<u64>,
    /// In bytes.
    pub size: u64,
    /// In bytes, if the host wants one.
    pub alignment: Option<u64>,
}

/// A device behind memory-mapped registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Virtio {
    /// Where its registers are, and how many bytes they take.
    pub reg: [u64; 2],
    /// Its shared interrupt.
    pub interrupt: u32,
}

/// The kernel's kind of clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// As the kernel knows it.
    pub compatible: &'static str,
    /// By which the kernel makes sure.
    pub peripheral_id: u32,
}

const CLOCKS: [Clock; 2] = [
    Clock { compatible: "arm,pl030", peripheral_id: 0x0004_1030 },
    Clock { compatible: "arm,pl031", peripheral_id: 0x0004_1031 },
];

/// What the firmware takes from the device tree of the host.
#[derive(Debug, Clone)]
pub struct HostTree<'a> {
    /// All of it.
    pub ram: Range,
    /// The signed file.
    pub kernel: Range,
    /// The ramdisk, if there is one.
    pub initrd: Option<Range>,
    /// As the host wrote them.
    pub boot_arguments: Option<&'a str>,
    /// The affinities of the processors.
    pub cpus: Vec<u32>,
    /// The number of redistributors of the interrupt controller, at least one for each processor.
    pub redistributors: u64,
    /// Addresses of serial ports.
    pub serial_ports: Vec<u64>,
    /// The clock, if there is one.
    pub clock: Option<Clock>,
    /// Devices, in the host's order.
    pub virtio: Vec<Virtio>,
    /// The pool for bounce buffers, if there is one.
    pub swiotlb: Option<Swiotlb>,
    /// The properties of `/avf/untrusted`.
    pub untrusted: Vec<(&'a str, &'a [u8])>,
}

/// Where the signed kernel and the ramdisk are, before anything is known of them. `tree` is the memory kept for the
/// device tree; neither may touch it.
pub fn payload_ranges(fdt: &Fdt<'_>, tree: Range) -> Result<(Range, Option<Range>)> {
    let ram = ram(fdt, PAGE)?;
    let chosen = fdt.node("/chosen").ok_or(PvmfwError::InvalidFdt("there is no /chosen"))?;
    let kernel = kernel(fdt, &ram)?;
    let initrd = initrd(&chosen, &ram)?;
    require(tree.is_inside(&ram), "the device tree is not inside of RAM with 2 MiB to itself")?;
    require(!kernel.overlaps(&tree), "the kernel is where the device tree is")?;
    if let Some(initrd) = initrd {
        require(!initrd.overlaps(&tree), "the ramdisk is where the device tree is")?;
        require(!initrd.overlaps(&kernel), "the ramdisk is where the kernel is")?;
    }
    Ok((kernel, initrd))
}

impl<'a> HostTree<'a> {
    /// Checks the tree. `page` is the guest's page size, a multiple of 4096; `tree` is the memory kept for the device
    /// tree.
    pub fn parse(fdt: &Fdt<'a>, tree: Range, page: u64) -> Result<Self> {
        let root = fdt.root();
        let cells = [root.u32("#address-cells"), root.u32("#size-cells")];
        require(cells == [Some(2); 2], "addresses and sizes of the root must have two cells")?;
        let (kernel, initrd) = payload_ranges(fdt, tree)?;
        let ram = ram(fdt, page)?;
        let chosen = fdt.node("/chosen").ok_or(PvmfwError::InvalidFdt("there is no /chosen"))?;
        let cpus = cpus(fdt)?;
        let taken: Vec<Range> = [tree, kernel].into_iter().chain(initrd).collect();
        Ok(Self {
            redistributors: redistributors(fdt, cpus.len() as u64)?,
            kernel,
            initrd,
            boot_arguments: boot_arguments(&chosen)?,
            cpus,
            serial_ports: serial_ports(fdt),
            clock: clock(fdt)?,
            virtio: virtio(fdt)?,
            swiotlb: swiotlb(fdt, &ram, page, &taken)?,
            untrusted: untrusted(fdt)?,
            ram,
        })
    }

    /// The instance id that the host gives.
    pub fn instance_id(&self) -> Option<&'a [u8]> {
        self.untrusted.iter().find(|(name, _)| *name == "instance-id").map(|(_, value)| *value)
    }

    /// Whether the host asks to let the guest protect itself against rollback.
    pub fn asks_to_defer_rollback_protection(&self) -> bool {
        self.untrusted.iter().any(|(name, _)| *name == "defer-rollback-protection")
    }
}

fn require(holds: bool, rule: &'static str) -> Result<()> {
    if holds { Ok(()) } else { Err(PvmfwError::InvalidFdt(rule)) }
}

fn ram(fdt: &Fdt<'_>, page: u64) -> Result<Range> {
    let reg = fdt.node("/memory").and_then(|node| node.reg(0));
    let (start, size) = reg.ok_or(PvmfwError::InvalidFdt("there is no /memory with a range"))?;
    require(start == RAM_BASE, "RAM does not begin at 0x80000000")?;
    require(size % page == 0, "the size of RAM is no multiple of the page size")?;
    Range::new(start, size).ok_or(PvmfwError::InvalidFdt("the size of RAM is impossible"))
}

/// A number of one cell or two, if it is there.
fn number(node: &Node<'_>, name: &str) -> Result<Option<u64>> {
    let number = node.number(name);
    require(number.is_some() || node.property(name).is_none(), "an address or size is no number")?;
    Ok(number)
}

fn kernel(fdt: &Fdt<'_>, ram: &Range) -> Result<Range> {
    let config = fdt.node("/config").ok_or(PvmfwError::NoKernel)?;
    let (start, size) = (number(&config, "kernel-address")?, number(&config, "kernel-size")?);
    let (Some(start), Some(size)) = (start, size) else { return Err(PvmfwError::NoKernel) };
    let kernel = Range::new(start, size).filter(|range| range.is_inside(ram));
    let kernel = kernel.ok_or(PvmfwError::InvalidFdt("the kernel is not inside of RAM"))?;
    require(start % 4 == 0, "the kernel is not where code can be")?;
    Ok(kernel)
}

fn initrd(chosen: &Node<'_>, ram: &Range) -> Result<Option<Range>> {
    let (start, end) = (number(chosen, "linux,initrd-start")?, number(chosen, "linux,initrd-end")?);
    let (start, end) = match (start, end) {
        (None, None) => return Ok(None),
        (Some(start), Some(end)) => (start, end),
        _ => return Err(PvmfwError::InvalidFdt("the ramdisk has only one end")),
    };
    let range = end.checked_sub(start).and_then(|size| Range::new(start, size));
    range.filter(|range| range.is_inside(ram)).map(Some).ok_or(PvmfwError::InvalidRamdisk)
}

fn boot_arguments<'a>(chosen: &Node<'a>) -> Result<Option<&'a str>> {
    if chosen.property("bootargs").is_none() {
        return Ok(None);
    }
    let text = chosen.text("bootargs").filter(|text| text.len() <= MAX_BOOT_ARGUMENTS);
    text.map(Some).ok_or(PvmfwError::InvalidFdt("the boot arguments are no text, or too long"))
}

fn cpus(fdt: &Fdt<'_>) -> Result<Vec<u32>> {
    let mut cpus = Vec::new();
    for node in fdt.compatible("arm,armv8") {
        let affinity = match node.property("reg").map(<[u8]>::len) {
            Some(4) => node.u32("reg"),
            Some(8) => node.number("reg").and_then(|reg| reg.try_into().ok()),
            _ => None,
        };
        let affinity = affinity.ok_or(PvmfwError::InvalidFdt("a processor has no affinity"))?;
        require(!cpus.contains(&affinity), "two processors have one affinity")?;
        // More are dropped, as the reference does.
        if cpus.len() < MAX_CPUS {
            cpus.push(affinity);
        }
    }
    require(!cpus.is_empty(), "there is no processor")?;
    Ok(cpus)
}

fn redistributors(fdt: &Fdt<'_>, cpus: u64) -> Result<u64> {
    let node = fdt.compatible("arm,gic-v3").next();
    let node = node.ok_or(PvmfwError::InvalidFdt("there is no GICv3"))?;
    require(node.reg(0) == Some((GIC[0], GIC[1])), "the GIC is not at 0x3fff0000")?;
    let (start, size) = node.reg(1).unwrap_or_default();
    let below = start >= DEVICES_START && start.checked_add(size) == Some(GIC[0]);
    require(
        below && size % GIC_REDISTRIBUTOR == 0 && size / GIC_REDISTRIBUTOR >= cpus,
        "the redistributors are not directly below the GIC, one for each processor",
    )?;
    Ok(size / GIC_REDISTRIBUTOR)
}

fn serial_ports(fdt: &Fdt<'_>) -> Vec<u64> {
    let ports = fdt.compatible("ns16550a").take(SERIAL_PORTS.len()).filter_map(|node| node.reg(0));
    let mut known: Vec<u64> = ports.map(|(start, _)| start).filter(|start| SERIAL_PORTS.contains(start)).collect();
    known.dedup();
    known
}

fn clock(fdt: &Fdt<'_>) -> Result<Option<Clock>> {
    for clock in CLOCKS {
        if let Some(node) = fdt.compatible(clock.compatible).next() {
            require(node.reg(0) == Some((CLOCK[0], CLOCK[1])), "the clock is not at 0x2000")?;
            return Ok(Some(clock));
        }
    }
    Ok(None)
}

fn virtio(fdt: &Fdt<'_>) -> Result<Vec<Virtio>> {
    let mut devices: Vec<Virtio> = Vec::new();
    for node in fdt.compatible("virtio,mmio") {
        let (start, size) = node.reg(0).ok_or(PvmfwError::InvalidFdt("a virtio device has no registers"))?;
        let end = start.saturating_add(size);
        let placed = start >= VIRTIO_START && end <= VIRTIO_END && start % VIRTIO_WINDOW[0] == 0;
        require(
            placed && VIRTIO_WINDOW[0] <= size && size <= VIRTIO_WINDOW[1],
            "a virtio device is not where they must be",
        )?;
        let mut cells = node.cells("interrupts").into_iter().flatten();
        let interrupt = match [cells.next(), cells.next(), cells.next(), cells.next()] {
            [Some(SHARED_INTERRUPT), Some(interrupt), Some(EDGE_RISING), None] if INTERRUPTS.contains(&interrupt) => {
                interrupt
            }
            _ => return Err(PvmfwError::InvalidFdt("a virtio device has an impossible interrupt")),
        };
        let taken = devices
            .iter()
            .any(|other| other.interrupt == interrupt || (other.reg[0] < end && start < other.reg[0] + other.reg[1]));
        require(
            !taken && devices.len() < MAX_DEVICES,
            "virtio devices share registers or interrupts, or are too many",
        )?;
        devices.push(Virtio { reg: [start, size], interrupt });
    }
    Ok(devices)
}

/// What is `taken` must not be in it: a guest shares all of the pool with its host.
fn swiotlb(fdt: &Fdt<'_>, ram: &Range, page: u64, taken: &[Range]) -> Result<Option<Swiotlb>> {
    let Some(node) = fdt.compatible("restricted-dma-pool").next() else { return Ok(None) };
    let (start, size) = match node.reg(0) {
        Some((start, size)) => (Some(start), size),
        None => (None, number(&node, "size")?.unwrap_or(0)),
    };
    require(
        size > 0 && size % page == 0 && size <= ram.size,
        "the size of the pool for bounce buffers is no multiple of the page size, or larger than RAM",
    )?;
    if let Some(start) = start {
        let range = Range::new(start, size).filter(|range| range.is_inside(ram) && start % page == 0);
        let range = range.ok_or(PvmfwError::InvalidFdt("the pool for bounce buffers is outside of RAM"))?;
        let free = !taken.iter().any(|other| other.overlaps(&range));
        require(free, "the pool for bounce buffers is where something else is")?;
    }
    let alignment = number(&node, "alignment")?;
    require(
        alignment.is_none_or(|alignment| alignment > 0 && alignment % page == 0),
        "the alignment of the pool for bounce buffers is no multiple of the page size",
    )?;
    Ok(Some(Swiotlb { start, size, alignment }))
}

fn untrusted<'a>(fdt: &Fdt<'a>) -> Result<Vec<(&'a str, &'a [u8])>> {
    let Some(node) = fdt.node("/avf").and_then(|node| node.child("untrusted")) else { return Ok(Vec::new()) };
    let mut properties: Vec<(&str, &[u8])> = Vec::new();
    for (name, value) in node.properties() {
        let forbidden = ["compatible", "phandle", "linux,phandle"].contains(&name);
        require(!forbidden, "/avf/untrusted has a property that it must not have")?;
        let known = properties.iter().any(|(other, _)| *other == name);
        let fits = properties.len() < MAX_UNTRUSTED && value.len() <= MAX_UNTRUSTED_VALUE;
        require(!known && fits, "/avf/untrusted has a property twice, or too many or too long ones")?;
        properties.push((name, value));
    }
    Ok(properties)
}

/// Which of the host's kernel arguments a guest gets that cannot be debugged: `panic=-1` alone. Arguments are divided
/// at white space that is not between double quotes.
pub fn filter_boot_arguments(arguments: &str) -> Result<String> {
    require(arguments.is_ascii(), "the boot arguments are not ASCII")?;
    let mut quoted = false;
    let kept = arguments.split(|c: char| {
        quoted ^= c == '"';
        !quoted && (c == ' ' || ('\t'..='\r').contains(&c))
    });
    Ok(kept.filter(|argument| *argument == "panic=-1").collect::<Vec<_>>().join(" "))
}
