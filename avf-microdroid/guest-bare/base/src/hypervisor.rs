//! The calls of pKVM by which a guest says what of its memory the host may see.

/// Calls the hypervisor: function and three arguments, four results (SMCCC 1.1).
pub trait Hypercall {
    /// Makes one call.
    fn call(&self, function: u32, arguments: [u64; 3]) -> [u64; 4];
}

impl<F: Fn(u32, [u64; 3]) -> [u64; 4]> Hypercall for F {
    fn call(&self, function: u32, arguments: [u64; 3]) -> [u64; 4] {
        self(function, arguments)
    }
}

const MEMINFO: u32 = 0xc600_0002;
const MEM_SHARE: u32 = 0xc600_0003;
const MEM_UNSHARE: u32 = 0xc600_0004;
const MMIO_GUARD_INFO: u32 = 0xc600_0005;
const MMIO_GUARD_MAP: u32 = 0xc600_0007;

/// Why memory was not shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareError {
    /// The range is not whole granules.
    Misaligned,
    /// The hypervisor refused, with this code.
    Refused(i64),
}

/// What the hypervisor offers.
pub struct Hypervisor<H> {
    hypercall: H,
    /// In bytes; nothing where the host sees all memory anyway.
    granule: Option<u64>,
    guard_granule: Option<u64>,
}

impl<H: Hypercall> Hypervisor<H> {
    /// Asks what there is. A hypervisor that knows no such calls has an ordinary guest, all of whose memory the host
    /// sees.
    pub fn probe(hypercall: H) -> Self {
        let granule = |function| {
            let answer = hypercall.call(function, [0; 3])[0];
            (answer.is_power_of_two() && (0x1000..=0x1_0000).contains(&answer)).then_some(answer)
        };
        let (granule, guard_granule) = (granule(MEMINFO), granule(MMIO_GUARD_INFO));
        Self { hypercall, granule, guard_granule }
    }

    /// Whether memory is private until it is shared.
    pub fn is_protected(&self) -> bool {
        self.granule.is_some()
    }

    /// Lets the host see memory, whose ends are those of granules.
    pub fn share(&self, start: u64, size: u64) -> Result<(), ShareError> {
        self.each_granule(MEM_SHARE, start, size)
    }

    /// Takes it back.
    pub fn unshare(&self, start: u64, size: u64) -> Result<(), ShareError> {
        self.each_granule(MEM_UNSHARE, start, size)
    }

    fn each_granule(&self, function: u32, start: u64, size: u64) -> Result<(), ShareError> {
        let Some(granule) = self.granule else { return Ok(()) };
        if start % granule != 0 || size % granule != 0 {
            return Err(ShareError::Misaligned);
        }
        for at in (start..start + size).step_by(granule as usize) {
            let answer = self.hypercall.call(function, [at, 0, 0])[0] as i64;
            if answer != 0 {
                return Err(ShareError::Refused(answer));
            }
        }
        Ok(())
    }

    /// Says that an access to this address is meant for a device: a hypervisor that guards such accesses, because
    /// somebody asked it to, would take it for a fault otherwise.
    pub fn expect_device(&self, address: u64) {
        if let Some(granule) = self.guard_granule {
            // It is refused where nothing is guarded, and then not needed.
            self.hypercall.call(MMIO_GUARD_MAP, [address & !(granule - 1), 0, 0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use core::cell::RefCell;

    use super::*;

    #[test]
    fn an_ordinary_guest_shares_without_a_call() {
        let calls = RefCell::new(Vec::new());
        let hypervisor = Hypervisor::probe(|function: u32, _: [u64; 3]| {
            calls.borrow_mut().push(function);
            [u64::MAX, 0, 0, 0]
        });
        assert!(!hypervisor.is_protected());
        assert_eq!(hypervisor.share(0x1234, 7), Ok(()));
        hypervisor.expect_device(0x3f8);
        assert_eq!(*calls.borrow(), [MEMINFO, MMIO_GUARD_INFO]);
    }

    #[test]
    fn a_protected_guest_shares_granule_by_granule() {
        let calls = RefCell::new(Vec::new());
        let hypervisor = Hypervisor::probe(|function: u32, arguments: [u64; 3]| {
            calls.borrow_mut().push((function, arguments[0]));
            [if function == MEMINFO { 0x4000 } else { 0 }, 0, 0, 0]
        });
        assert!(hypervisor.is_protected());
        assert_eq!(hypervisor.share(0x8000, 0x8000), Ok(()));
        assert_eq!(hypervisor.unshare(0x8000, 0x4000), Ok(()));
        assert_eq!(hypervisor.share(0x8000, 0x1000), Err(ShareError::Misaligned));
        assert_eq!(calls.borrow()[2..], [(MEM_SHARE, 0x8000), (MEM_SHARE, 0xc000), (MEM_UNSHARE, 0x8000)]);
    }

    #[test]
    fn a_refusal_is_told() {
        let hypervisor = Hypervisor::probe(|function: u32, _: [u64; 3]| {
            [if function == MEMINFO { 0x1000 } else { -3_i64 as u64 }; 4]
        });
        assert_eq!(hypervisor.share(0, 0x1000), Err(ShareError::Refused(-3)));
    }
}
