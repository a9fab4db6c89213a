//! The firmware against what the other implementation of its rules signed and derived.

use avf_bare::fdt::Fdt;
use avf_bare::fdt_writer::FdtWriter;
use pvmfw::boot::{Guest, Question, decide};
use pvmfw::host_tree::{RAM_BASE, Range, TREE_SIZE};
use pvmfw::rollback::Mode;
use pvmfw::{PvmfwError, RebootReason, TRUSTED_KEY};

const KERNEL_AT: u64 = RAM_BASE + TREE_SIZE;
const INITRD_AT: u64 = 0x8100_0000;

fn data(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

type WritePart = fn(&mut FdtWriter);

/// A host, which a test may let be hostile.
struct Host {
    kernel: Vec<u8>,
    initrd: Option<Vec<u8>>,
    config: Vec<u8>,
    trusted_key: Vec<u8>,
    defer: bool,
    has_id: bool,
    has_random_numbers: bool,
    boot_arguments: Option<&'static str>,
    memory: [u64; 2],
    kernel_at: u64,
    fdt_at: u64,
    /// Replaces the tree's part of this name, or adds to it.
    extra: Option<(&'static str, WritePart)>,
}

fn host(kernel: &str) -> Host {
    Host {
        kernel: data(kernel),
        initrd: None,
        config: data("config.bin"),
        trusted_key: TRUSTED_KEY.key().unwrap().to_vec(),
        defer: true,
        has_id: true,
        has_random_numbers: true,
        boot_arguments: Some("panic=-1 console=ttyS0"),
        memory: [RAM_BASE, 0x800_0000],
        kernel_at: KERNEL_AT,
        fdt_at: RAM_BASE,
        extra: None,
    }
}

impl Host {
    fn tree(&self) -> Vec<u8> {
        let mut tree = FdtWriter::new();
        tree.begin("").cells("#address-cells", &[2]).cells("#size-cells", &[2]);
        tree.texts("model", &["something that no guest shall see"]);
        self.part(&mut tree, "chosen", |tree| {
            tree.begin("chosen");
            if let Some(arguments) = self.boot_arguments {
                tree.texts("bootargs", &[arguments]);
            }
            if let Some(initrd) = &self.initrd {
                tree.numbers("linux,initrd-start", &[INITRD_AT]);
                tree.numbers("linux,initrd-end", &[INITRD_AT + initrd.len() as u64]);
            }
            tree.end();
        });
        self.part(&mut tree, "config", |tree| {
            tree.begin("config").cells("kernel-address", &[self.kernel_at as u32]);
            tree.cells("kernel-size", &[self.kernel.len() as u32]).end();
        });
        self.part(&mut tree, "memory", |tree| {
            tree.begin("memory@80000000").numbers("reg", &self.memory).end();
        });
        self.part(&mut tree, "cpus", |tree| {
            tree.begin("cpus");
            for affinity in [0, 1] {
                tree.begin(&format!("cpu@{affinity}")).texts("compatible", &["arm,armv8"]);
                tree.cells("reg", &[affinity]).end();
            }
            tree.end();
        });
        self.part(&mut tree, "intc", |tree| {
            tree.begin("intc@3fff0000").texts("compatible", &["arm,gic-v3"]);
            tree.numbers("reg", &[0x3fff_0000, 0x1_0000, 0x3ffb_0000, 0x4_0000]).end();
        });
        self.part(&mut tree, "uart", |tree| {
            for port in [0x3f8, 0x2f8, 0x900_0000] {
                tree.begin(&format!("uart@{port:x}")).texts("compatible", &["ns16550a"]);
                tree.numbers("reg", &[port, 8]).end();
            }
        });
        self.part(&mut tree, "rtc", |tree| {
            tree.begin("rtc@2000").texts("compatible", &["arm,pl030", "arm,primecell"]);
            tree.numbers("reg", &[0x2000, 0x1000]).end();
        });
        self.part(&mut tree, "virtio", |tree| {
            for index in 0..2 {
                let address = 0x400_0000 + 0x1000 * u64::from(index);
                tree.begin(&format!("virtio_mmio@{address:x}")).texts("compatible", &["virtio,mmio"]);
                tree.numbers("reg", &[address, 0x1000]).cells("interrupts", &[0, 4 + index, 1]).end();
            }
        });
        self.part(&mut tree, "pool", |tree| {
            tree.begin("reserved-memory").begin("pool").texts("compatible", &["restricted-dma-pool"]);
            tree.numbers("size", &[0x40_0000]).numbers("alignment", &[0x1_0000]).end().end();
        });
        self.part(&mut tree, "avf", |tree| {
            tree.begin("avf").texts("secret-of-the-host", &["x"]).begin("untrusted");
            if self.has_id {
                tree.bytes("instance-id", &[0x77; 64]);
            }
            if self.defer {
                tree.empty("defer-rollback-protection");
            }
            tree.end().end();
        });
        self.part(&mut tree, "unknown", |tree| {
            tree.begin("backdoor").texts("compatible", &["simple-bus"]).end();
        });
        tree.end();
        tree.finish()
    }

    fn part(&self, tree: &mut FdtWriter, name: &str, usual: impl FnOnce(&mut FdtWriter)) {
        match self.extra {
            Some((replaced, write)) if replaced == name => write(tree),
            _ => usual(tree),
        }
    }

    fn boot(&self) -> Result<Guest, PvmfwError> {
        let tree = self.tree();
        let fdt = Fdt::parse(&tree).unwrap();
        let question = Question { config: &self.config, fdt, fdt_address: self.fdt_at, trusted_key: &self.trusted_key };
        let memory = |range: Range| match range.start {
            INITRD_AT => self.initrd.as_deref(),
            _ => self.kernel.get(..range.size as usize),
        };
        decide(&question, memory, |target| {
            target.fill(0x5a);
            self.has_random_numbers
        })
    }

    fn error(&self) -> PvmfwError {
        self.boot().err().expect("the firmware refuses to boot")
    }
}

#[test]
fn derives_what_the_other_implementation_derives() {
    for (kernel, initrd, next, mode) in [
        ("kernel-secretkeeper", None, "next-secretkeeper", Mode::Deferred),
        ("kernel-service", None, "next-service", Mode::Fixed),
        ("kernel-initrd", Some("initrd-normal"), "next-normal", Mode::Deferred),
        ("kernel-initrd", Some("initrd-debug"), "next-debug", Mode::Deferred),
    ] {
        let guest = Host { initrd: initrd.map(data), ..host(kernel) }.boot().unwrap();
        assert_eq!(guest.handover.expose(), data(next), "{next}");
        assert_eq!(guest.rollback, mode);
        assert_eq!(guest.payload.debuggable, initrd == Some("initrd-debug"));
        let page = if initrd.is_some() { 0x4000 } else { 0x1000 };
        assert_eq!(guest.handover_place, Range { start: RAM_BASE + TREE_SIZE - page, size: page });
    }
}

#[test]
fn writes_the_tree_of_the_guest_anew() {
    let guest = host("kernel-secretkeeper").boot().unwrap();
    let tree = Fdt::parse(&guest.tree).unwrap();
    let names: Vec<_> = tree.root().children().map(|node| node.name()).collect();
    assert_eq!(
        names,
        [
            "chosen",
            "memory@80000000",
            "reserved-memory",
            "cpus",
            "psci",
            "timer",
            "intc@3fff0000",
            "pclk",
            "uart@3f8",
            "uart@2f8",
            "rtc@2000",
            "virtio_mmio@4000000",
            "virtio_mmio@4001000",
            "avf"
        ]
    );
    assert_eq!(tree.root().property("model"), None);
    let chosen = tree.node("/chosen").unwrap();
    assert_eq!(chosen.text("bootargs"), Some("panic=-1"));
    assert_eq!(chosen.property("avf,strict-boot"), Some(&[][..]));
    assert_eq!(chosen.property("avf,new-instance"), None);
    assert_eq!(chosen.property("kaslr-seed"), Some(&[0x5a; 8][..]));
    let dice = tree.node("/reserved-memory/dice").unwrap();
    assert!(dice.is_compatible("google,open-dice") && dice.property("no-map").is_some());
    assert_eq!(dice.reg(0), Some((guest.handover_place.start, guest.handover_place.size)));
    let pool = tree.compatible("restricted-dma-pool").next().unwrap();
    assert_eq!((pool.number("size"), pool.number("alignment")), (Some(0x40_0000), Some(0x1_0000)));
    let device = tree.node("/virtio_mmio@4001000").unwrap();
    assert_eq!(device.cells("interrupts").unwrap().collect::<Vec<_>>(), [0, 5, 1]);
    assert_eq!(device.u32("memory-region"), pool.u32("phandle"));
    let avf = tree.node("/avf").unwrap();
    assert_eq!(avf.properties().count(), 0);
    assert_eq!(avf.child("untrusted").unwrap().property("instance-id"), Some(&[0x77; 64][..]));
}

#[test]
fn a_debuggable_guest_gets_the_arguments_as_they_are() {
    let guest = Host { initrd: Some(data("initrd-debug")), ..host("kernel-initrd") }.boot().unwrap();
    let tree = Fdt::parse(&guest.tree).unwrap();
    let chosen = tree.node("/chosen").unwrap();
    assert_eq!(chosen.text("bootargs"), Some("panic=-1 console=ttyS0"));
    assert_eq!(chosen.number("linux,initrd-start"), Some(INITRD_AT));
    assert_eq!(chosen.number("linux,initrd-end"), Some(INITRD_AT + 3000));
}

#[test]
fn without_an_instance_image_every_boot_is_new() {
    for kernel in ["kernel-plain", "kernel-secretkeeper"] {
        let legacy = Host { defer: false, ..host(kernel) };
        let guest = legacy.boot().unwrap();
        assert_eq!(guest.rollback, Mode::Legacy);
        let tree = Fdt::parse(&guest.tree).unwrap();
        assert!(tree.node("/chosen").unwrap().property("avf,new-instance").is_some());
        assert_ne!(guest.handover.expose(), data("next-secretkeeper"));
        let without_id = Host { has_id: false, ..legacy }.boot().unwrap();
        assert_ne!(guest.handover.expose(), without_id.handover.expose());
        let no_random = Host { defer: false, has_random_numbers: false, ..host(kernel) };
        assert_eq!(no_random.error(), PvmfwError::NoRandomNumbers);
        assert_eq!(no_random.error().reboot_reason(), RebootReason::InternalError);
    }
}

#[test]
fn checks_the_rollback_index_where_it_decides() {
    assert_eq!(host("kernel-service-2").error(), PvmfwError::RollbackIndexMismatch);
    assert_eq!(host("kernel-secretkeeper-0").error(), PvmfwError::RollbackIndexZero);
    assert!(Host { defer: false, ..host("kernel-secretkeeper-0") }.boot().is_ok());
    assert_eq!(PvmfwError::RollbackIndexZero.reboot_reason(), RebootReason::InvalidPayload);
    for kernel in ["kernel-secretkeeper", "kernel-service"] {
        assert_eq!(Host { has_id: false, ..host(kernel) }.error(), PvmfwError::MissingInstanceId);
    }
}

#[test]
fn refuses_what_its_owner_did_not_sign_so() {
    use PvmfwError as E;
    for (kernel, error) in [
        ("kernel-other-key", E::AvbPublicKeyRejected),
        ("kernel-unsigned", E::AvbVerification),
        ("kernel-flags", E::AvbInvalidMetadata),
        ("kernel-unknown-capability", E::UnknownVbmetaProperty),
        ("kernel-capability-twice", E::AvbInvalidMetadata),
        ("kernel-page-size", E::InvalidPageSize),
        ("kernel-name", E::InvalidVmName),
        ("kernel-partition", E::DescriptorsInvalidContents),
    ] {
        assert_eq!(host(kernel).error(), error, "{kernel}");
        assert_eq!(error.reboot_reason(), RebootReason::PayloadVerificationFailed);
    }
    let without_initrd = host("kernel-initrd");
    assert_eq!(without_initrd.error(), E::AvbInvalidMetadata);
    for initrd in [vec![b'n'; 2999], vec![b'n'; 3001], vec![b'x'; 3000]] {
        assert_eq!(Host { initrd: Some(initrd), ..host("kernel-initrd") }.error(), E::AvbVerification);
    }
    assert_eq!(Host { initrd: Some(data("initrd-normal")), ..host("kernel-plain") }.error(), E::AvbVerification);
    assert_eq!(Host { trusted_key: vec![], ..host("kernel-plain") }.error(), E::AvbPublicKeyRejected);
}

#[test]
fn refuses_a_kernel_without_a_footer() {
    for length in [0, 63, 64, 65535] {
        let kernel = Host { kernel: vec![0; length.max(1)], ..host("kernel-plain") };
        assert_eq!(kernel.error(), PvmfwError::AvbIo, "{length}");
    }
    let long = Host { kernel: vec![0; 65536], ..host("kernel-plain") };
    assert_eq!(long.error(), PvmfwError::AvbInvalidMetadata);
}

/// Every byte of the signed file counts, but those that stand nowhere: the padding after the kernel, the footer's
/// reserve and minor version, and the signature block's padding.
#[test]
fn refuses_every_change_of_a_byte_that_was_signed() {
    let signed = data("kernel-secretkeeper");
    let vbmeta = 8192;
    let footer = signed.len() - 64;
    let tested = (0..5000).step_by(97).chain((vbmeta..vbmeta + 256 + 32 + 512).step_by(3)).chain(footer..footer + 8);
    let tested = tested.chain((vbmeta + 256 + 576..vbmeta + 2000).step_by(31)).chain(footer + 12..footer + 36);
    for at in tested {
        // The footer's minor version means nothing.
        if (footer + 8..footer + 12).contains(&at) {
            continue;
        }
        let mut kernel = signed.clone();
        kernel[at] ^= 0x10;
        let refused = Host { kernel, ..host("kernel-secretkeeper") }.boot().err();
        // A longer vbmeta image with the same start is the same.
        if let Some(error) = refused {
            assert_eq!(error.reboot_reason(), RebootReason::PayloadVerificationFailed, "byte {at}: {error}");
        } else {
            assert!((footer + 28..footer + 36).contains(&at), "byte {at}");
        }
    }
}

#[test]
fn refuses_configuration_data_and_handovers_that_are_malformed() {
    use RebootReason as Reason;
    let good = data("config.bin");
    let change = |at: usize, value: u8| {
        let mut config = good.clone();
        config[at] = value;
        Host { config, ..host("kernel-secretkeeper") }.error().reboot_reason()
    };
    assert_eq!(change(0, 0), Reason::InvalidConfigData);
    assert_eq!(change(6, 2), Reason::InvalidConfigData);
    assert_eq!(change(32, 0), Reason::InvalidDiceHandover);
    assert_eq!(change(34, 0), Reason::InvalidDiceHandover);
    // Another CDI_Attest than the one that the chain ends in.
    assert_eq!(change(36, 0xee), Reason::SecretDerivationFailed);
    let empty = Host { config: vec![0; 4096], ..host("kernel-secretkeeper") };
    assert_eq!(empty.error(), PvmfwError::ConfigInvalidMagic);
}

fn rule(error: PvmfwError) -> &'static str {
    match error {
        PvmfwError::InvalidFdt(rule) => rule,
        other => panic!("{other}"),
    }
}

#[test]
fn refuses_memory_that_is_not_the_machines() {
    let with = |memory: [u64; 2]| rule(Host { memory, ..host("kernel-plain") }.error());
    assert_eq!(with([0x4000_0000, 0x800_0000]), "RAM does not begin at 0x80000000");
    assert_eq!(with([RAM_BASE, 0x800_0800]), "the size of RAM is no multiple of the page size");
    assert_eq!(with([RAM_BASE, 0]), "the size of RAM is impossible");
    assert_eq!(with([RAM_BASE, 1 << 41]), "the size of RAM is impossible");
    assert_eq!(with([RAM_BASE, TREE_SIZE]), "the kernel is not inside of RAM");
    let at = |kernel_at: u64| Host { kernel_at, ..host("kernel-plain") }.error();
    assert_eq!(rule(at(KERNEL_AT - 4)), "the kernel is where the device tree is");
    assert_eq!(rule(at(KERNEL_AT + 2)), "the kernel is not where code can be");
    assert_eq!(rule(at(0x7fc0_0000)), "the kernel is not inside of RAM");
    let fdt_at = Host { fdt_at: 0x87f0_0000, ..host("kernel-plain") }.error();
    assert_eq!(rule(fdt_at), "the device tree is not inside of RAM with 2 MiB to itself");
    let overlap = Host { initrd: Some(vec![0; 0x1000]), kernel_at: INITRD_AT + 0x800, ..host("kernel-plain") };
    assert_eq!(rule(overlap.error()), "the ramdisk is where the kernel is");
}

#[test]
fn refuses_trees_that_break_a_rule() {
    use PvmfwError as E;
    let with = |name: &'static str, write: WritePart| {
        Host { extra: Some((name, write)), ..host("kernel-secretkeeper") }.error()
    };
    assert_eq!(with("config", |_| ()), E::NoKernel);
    assert_eq!(
        with("config", |tree| {
            tree.begin("config").cells("kernel-address", &[KERNEL_AT as u32]).end();
        }),
        E::NoKernel
    );
    assert_eq!(
        with("chosen", |tree| {
            tree.begin("chosen").numbers("linux,initrd-start", &[2]).numbers("linux,initrd-end", &[1]).end();
        }),
        E::InvalidRamdisk
    );
    type Rule = (&'static str, WritePart, &'static str);
    let rules: [Rule; 13] = [
        ("chosen", |_| (), "there is no /chosen"),
        (
            "chosen",
            |tree| {
                tree.begin("chosen").numbers("linux,initrd-start", &[INITRD_AT]).end();
            },
            "the ramdisk has only one end",
        ),
        (
            "chosen",
            |tree| {
                tree.begin("chosen").texts("bootargs", &["a", "b"]).end();
            },
            "the boot arguments are no text, or too long",
        ),
        (
            "chosen",
            |tree| {
                tree.begin("chosen").texts("bootargs", &["pänic"]).end();
            },
            "the boot arguments are not ASCII",
        ),
        ("cpus", |_| (), "there is no processor"),
        ("intc", |_| (), "there is no GICv3"),
        (
            "intc",
            |tree| {
                tree.begin("intc").texts("compatible", &["arm,gic-v3"]);
                tree.numbers("reg", &[0x3fff_0000, 0x1_0000, 0x3ffd_0000, 0x2_0000]).end();
            },
            "the redistributors are not directly below the GIC, one for each processor",
        ),
        (
            "rtc",
            |tree| {
                tree.begin("rtc").texts("compatible", &["arm,pl031"]).numbers("reg", &[0x3000, 0x1000]).end();
            },
            "the clock is not at 0x2000",
        ),
        (
            "virtio",
            |tree| {
                tree.begin("virtio@80300000").texts("compatible", &["virtio,mmio"]);
                tree.numbers("reg", &[0x8030_0000, 0x1000]).cells("interrupts", &[0, 4, 1]).end();
            },
            "a virtio device is not where they must be",
        ),
        (
            "virtio",
            |tree| {
                tree.begin("virtio@4000000").texts("compatible", &["virtio,mmio"]);
                tree.numbers("reg", &[0x400_0000, 0x1000]).cells("interrupts", &[1, 4, 1]).end();
            },
            "a virtio device has an impossible interrupt",
        ),
        (
            "pool",
            |tree| {
                tree.begin("pool").texts("compatible", &["restricted-dma-pool"]);
                tree.numbers("reg", &[0x8700_0000, 0x200_0000]).end();
            },
            "the pool for bounce buffers is outside of RAM",
        ),
        (
            "pool",
            |tree| {
                tree.begin("pool").texts("compatible", &["restricted-dma-pool"]);
                tree.numbers("reg", &[0x801f_f000, 0x1000]).end();
            },
            "the pool for bounce buffers is where something else is",
        ),
        (
            "avf",
            |tree| {
                tree.begin("avf").begin("untrusted").texts("compatible", &["x"]).end().end();
            },
            "/avf/untrusted has a property that it must not have",
        ),
    ];
    for (name, write, expected) in rules {
        assert_eq!(rule(with(name, write)), expected);
    }
}
