//! Waiting without burning a processor of the host.
//!
//! Interrupts stay masked: a pending one ends `wfi` all the same. What ends it here is the interrupt of a device, or the
//! virtual timer, in case that a host forgets to send one. KVM ends `wfi` for the timer even where no interrupt
//! controller is set up, so that this also works where there is none that is known.

use core::arch::asm;

use super::Mmio;

const GICD_CTLR: usize = 0;
const GICD_IGROUPR: usize = 0x80;
const GICD_ISENABLER: usize = 0x100;
const GICD_ICFGR: usize = 0xc00;
const GICR_WAKER: usize = 0x14;
/// The second frame of a redistributor, with the private interrupts.
const GICR_SGI: usize = 0x1_0000;
const SLEEP: u32 = 1 << 1;
const CHILDREN_ASLEEP: u32 = 1 << 2;
/// Group 1, affinity routing.
const ENABLE: u32 = 1 << 1 | 1 << 4;
const VIRTUAL_TIMER: u32 = 27;
const FIRST_SPI: u32 = 32;
const FIRST_SPECIAL: u64 = 1020;

/// A GICv3, of which processor 0 takes interrupts.
pub struct Gic {
    distributor: Mmio,
}

impl Gic {
    /// Sets the controller up for the virtual timer.
    ///
    /// # Safety
    /// The addresses are those of distributor and first redistributor of a GICv3, mapped as devices.
    pub unsafe fn start(distributor: usize, redistributor: usize) -> Self {
        // SAFETY: by the contract of this function.
        let (distributor, redistributor) = unsafe { (Mmio::new(distributor), Mmio::new(redistributor)) };
        redistributor.write32(GICR_WAKER, redistributor.read32(GICR_WAKER) & !SLEEP);
        // A host that never wakes it up only makes waiting slower.
        for _ in 0..1000 {
            if redistributor.read32(GICR_WAKER) & CHILDREN_ASLEEP == 0 {
                break;
            }
        }
        redistributor.write32(GICR_SGI + GICD_IGROUPR, u32::MAX);
        redistributor.write32(GICR_SGI + GICD_ISENABLER, 1 << VIRTUAL_TIMER);
        distributor.write32(GICD_CTLR, ENABLE);
        // SAFETY: these registers take part in interrupts alone, which stay masked.
        unsafe {
            asm!("msr S3_0_C12_C12_5, {on}", "isb",   // ICC_SRE_EL1: system registers
                "msr S3_0_C4_C6_0, {all}",            // ICC_PMR_EL1: every priority
                "msr S3_0_C12_C12_7, {on}", "isb",    // ICC_IGRPEN1_EL1
                on = in(reg) 1_u64, all = in(reg) 0xff_u64, options(nostack));
        }
        Self { distributor }
    }

    /// Lets a shared interrupt end waiting, which is one of edges or of levels.
    pub fn enable(&self, spi: u32, edge: bool) {
        let interrupt = FIRST_SPI + spi;
        if edge {
            let (word, bit) = ((interrupt / 16) as usize * 4, 2 << (interrupt % 16 * 2));
            let kinds = self.distributor.read32(GICD_ICFGR + word);
            self.distributor.write32(GICD_ICFGR + word, kinds | bit);
        }
        let (word, bit) = ((interrupt / 32) as usize * 4, 1 << (interrupt % 32));
        let groups = self.distributor.read32(GICD_IGROUPR + word);
        self.distributor.write32(GICD_IGROUPR + word, groups | bit);
        self.distributor.write32(GICD_ISENABLER + word, bit);
    }

    /// Takes every interrupt that is pending, without doing anything about it.
    fn drain(&self) {
        // The timer stays pending until it is set anew: one more than there are interrupts is enough.
        for _ in 0..4 {
            let interrupt: u64;
            // SAFETY: acknowledging changes nothing but what is pending.
            unsafe { asm!("mrs {}, S3_0_C12_C12_0", out(reg) interrupt, options(nostack)) } // ICC_IAR1_EL1
            if interrupt & 0xff_ffff >= FIRST_SPECIAL {
                return;
            }
            // SAFETY: it was acknowledged.
            unsafe { asm!("msr S3_0_C12_C12_1, {}", in(reg) interrupt, options(nostack)) } // ICC_EOIR1_EL1
        }
    }
}

/// Waits for interrupts.
pub struct Idle {
    gic: Option<Gic>,
}

/// The longest that a lost interrupt can cost, in parts of a second: of one that is expected, and where none is.
const PATIENCE: [u64; 2] = [1, 50];

impl Idle {
    /// Waits by this controller, or by the timer alone.
    pub fn new(gic: Option<Gic>) -> Self {
        Self { gic }
    }

    /// Forgets the interrupts so far. What they were for must be looked at between this and [`wait`](Self::wait): an
    /// interrupt in between ends the waiting at once.
    pub fn prepare(&self) {
        // SAFETY: switches the timer off, so that it is not pending any more.
        unsafe { asm!("msr cntv_ctl_el0, xzr", "isb", options(nostack)) }
        if let Some(gic) = &self.gic {
            gic.drain();
        }
    }

    /// Waits for an interrupt, at most a second; where there are none, for 20 ms.
    pub fn wait(&self) {
        let frequency: u64;
        // SAFETY: reads a register.
        unsafe { asm!("mrs {}, cntfrq_el0", out(reg) frequency, options(nomem, nostack)) }
        let patience = PATIENCE[usize::from(self.gic.is_none())];
        // SAFETY: sets the timer and waits; the timer's interrupt is masked.
        unsafe {
            asm!("msr cntv_tval_el0, {}", "msr cntv_ctl_el0, {}", "isb", "wfi",
                in(reg) (frequency / patience).max(1), in(reg) 1_u64, options(nostack));
        }
    }
}
