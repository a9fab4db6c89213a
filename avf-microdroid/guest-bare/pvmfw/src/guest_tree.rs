//! The device tree of the guest: the firmware's own, filled with checked values of the host's.

use alloc::format;
use alloc::vec::Vec;

use avf_bare::fdt_writer::FdtWriter;

use crate::Result;
use crate::host_tree::{HostTree, Range, filter_boot_arguments};

const GIC_HANDLE: u32 = 1;
const CLOCK_HANDLE: u32 = 2;
const POOL_HANDLE: u32 = 3;
const GIC: [u64; 2] = [0x3fff_0000, 0x1_0000];
const GIC_REDISTRIBUTOR: u64 = 0x2_0000;
const SHARED: u32 = 0;
const PRIVATE: u32 = 1;
const EDGE_RISING: u32 = 1;
const LEVEL_HIGH: u32 = 4;
const LEVEL_LOW: u32 = 8;
/// Secure, non-secure, virtual, hypervisor's.
const TIMERS: [u32; 4] = [13, 14, 11, 10];
const UART_CLOCK: u32 = 1_843_200;
const BUS_CLOCK: u32 = 3_000_000;

/// What the firmware tells the guest besides.
#[derive(Debug, Clone, Copy)]
pub struct Additions<'a> {
    /// The page of the guest's handover.
    pub handover: Range,
    /// Whether it can be debugged: then it gets the host's kernel arguments as they are.
    pub debuggable: bool,
    /// Whether the instance has not run before.
    pub new_instance: bool,
    /// Random bytes for the layout of the kernel's memory, if there are any.
    pub kaslr_seed: Option<&'a [u8; 8]>,
}

/// Writes the tree.
pub fn write(host: &HostTree<'_>, additions: &Additions<'_>) -> Result<Vec<u8>> {
    let mut tree = FdtWriter::new();
    tree.begin("").cells("interrupt-parent", &[GIC_HANDLE]).texts("compatible", &["linux,dummy-virt"]);
    tree.cells("#address-cells", &[2]).cells("#size-cells", &[2]);
    chosen(&mut tree, host, additions)?;
    tree.begin(&format!("memory@{:x}", host.ram.start)).texts("device_type", &["memory"]);
    tree.numbers("reg", &[host.ram.start, host.ram.size]).end();
    reserved_memory(&mut tree, host, additions);
    cpus(&mut tree, host);
    tree.begin("psci").texts("compatible", &["arm,psci-1.0", "arm,psci-0.2"]).texts("method", &["hvc"]).end();
    timer(&mut tree, host);
    gic(&mut tree, host);
    tree.begin("pclk").texts("compatible", &["fixed-clock"]).cells("#clock-cells", &[0]);
    tree.cells("clock-frequency", &[BUS_CLOCK]).texts("clock-output-names", &["pclk"]);
    tree.cells("phandle", &[CLOCK_HANDLE]).end();
    devices(&mut tree, host);
    tree.begin("avf").begin("untrusted");
    for (name, value) in &host.untrusted {
        tree.bytes(name, value);
    }
    tree.end().end().end();
    Ok(tree.finish())
}

fn chosen(tree: &mut FdtWriter, host: &HostTree<'_>, additions: &Additions<'_>) -> Result<()> {
    tree.begin("chosen").texts("stdout-path", &["/uart@3f8"]).cells("linux,pci-probe-only", &[1]);
    if let Some(given) = host.boot_arguments {
        if additions.debuggable {
            tree.texts("bootargs", &[given]);
        } else {
            tree.texts("bootargs", &[&filter_boot_arguments(given)?]);
        }
    }
    if let Some(seed) = additions.kaslr_seed {
        tree.bytes("kaslr-seed", seed);
    }
    if let Some(initrd) = host.initrd {
        tree.numbers("linux,initrd-start", &[initrd.start]).numbers("linux,initrd-end", &[initrd.end()]);
    }
    tree.empty("avf,strict-boot");
    if additions.new_instance {
        tree.empty("avf,new-instance");
    }
    tree.end();
    Ok(())
}

fn reserved_memory(tree: &mut FdtWriter, host: &HostTree<'_>, additions: &Additions<'_>) {
    tree.begin("reserved-memory").cells("#address-cells", &[2]).cells("#size-cells", &[2]).empty("ranges");
    if let Some(pool) = host.swiotlb {
        tree.begin("restricted_dma_reserved").texts("compatible", &["restricted-dma-pool"]);
        match pool.start {
            Some(start) => tree.numbers("reg", &[start, pool.size]),
            None => tree.numbers("size", &[pool.size]),
        };
        if let Some(alignment) = pool.alignment {
            tree.numbers("alignment", &[alignment]);
        }
        tree.cells("phandle", &[POOL_HANDLE]).end();
    }
    tree.begin("dice").texts("compatible", &["google,open-dice"]).empty("no-map");
    tree.numbers("reg", &[additions.handover.start, additions.handover.size]).end().end();
}

fn cpus(tree: &mut FdtWriter, host: &HostTree<'_>) {
    tree.begin("cpus").cells("#address-cells", &[1]).cells("#size-cells", &[0]);
    for affinity in &host.cpus {
        tree.begin(&format!("cpu@{affinity:x}")).texts("device_type", &["cpu"]).texts("compatible", &["arm,armv8"]);
        tree.texts("enable-method", &["psci"]).cells("reg", &[*affinity]).end();
    }
    tree.end();
}

fn timer(tree: &mut FdtWriter, host: &HostTree<'_>) {
    let flags = ((1 << host.cpus.len()) - 1) << 8 & 0xff00 | LEVEL_LOW;
    let cells: Vec<u32> = TIMERS.iter().flat_map(|timer| [PRIVATE, *timer, flags]).collect();
    tree.begin("timer").texts("compatible", &["arm,armv8-timer"]).cells("interrupts", &cells);
    tree.empty("always-on").end();
}

fn gic(tree: &mut FdtWriter, host: &HostTree<'_>) {
    let redistributors = host.redistributors * GIC_REDISTRIBUTOR;
    tree.begin(&format!("intc@{:x}", GIC[0])).texts("compatible", &["arm,gic-v3"]);
    tree.numbers("reg", &[GIC[0], GIC[1], GIC[0] - redistributors, redistributors]);
    tree.cells("#interrupt-cells", &[3]).empty("interrupt-controller").cells("phandle", &[GIC_HANDLE]).end();
}

fn devices(tree: &mut FdtWriter, host: &HostTree<'_>) {
    for port in &host.serial_ports {
        // The first and third, and the second and fourth, share an interrupt.
        let interrupt = if port & 0x100 != 0 { 0 } else { 2 };
        tree.begin(&format!("uart@{port:x}")).texts("compatible", &["ns16550a"]).numbers("reg", &[*port, 8]);
        tree.cells("clock-frequency", &[UART_CLOCK]).cells("interrupts", &[SHARED, interrupt, LEVEL_HIGH]).end();
    }
    if let Some(clock) = host.clock {
        tree.begin("rtc@2000").texts("compatible", &[clock.compatible, "arm,primecell"]);
        tree.cells("arm,primecell-periphid", &[clock.peripheral_id]).numbers("reg", &[0x2000, 0x1000]);
        tree.cells("interrupts", &[SHARED, 1, LEVEL_HIGH]).cells("clocks", &[CLOCK_HANDLE]);
        tree.texts("clock-names", &["apb_pclk"]).end();
    }
    for device in &host.virtio {
        tree.begin(&format!("virtio_mmio@{:x}", device.reg[0])).texts("compatible", &["virtio,mmio"]);
        tree.numbers("reg", &device.reg).cells("interrupts", &[SHARED, device.interrupt, EDGE_RISING]);
        tree.empty("dma-coherent");
        if host.swiotlb.is_some() {
            tree.cells("memory-region", &[POOL_HANDLE]);
        }
        tree.end();
    }
}
