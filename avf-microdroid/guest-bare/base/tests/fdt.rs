//! Device trees of dtc, whole, cut off and damaged.

use avf_bare::fdt::{Fdt, FdtError, MAX_SIZE};

/// What dtc makes of `machine.dts`.
const MACHINE: &[u8] = include_bytes!("data/machine.dtb");

fn machine() -> Fdt<'static> {
    Fdt::parse(MACHINE).unwrap()
}

#[test]
fn finds_nodes_by_path_with_and_without_address() {
    let tree = machine();
    assert_eq!(tree.node("/").unwrap().name(), "");
    assert_eq!(tree.node("/memory").unwrap().name(), "memory@80000000");
    assert_eq!(tree.node("/memory@80000000").unwrap().text("device_type"), Some("memory"));
    assert_eq!(tree.node("/intc/its").unwrap().name(), "its@40000000");
    for path in ["/memory@0", "/its", "/memory/reg", "/chosen/chosen", "/mem"] {
        assert!(tree.node(path).is_none(), "{path}");
    }
}

#[test]
fn reads_values_of_each_kind_and_of_no_other() {
    let tree = machine();
    let chosen = tree.node("/chosen").unwrap();
    assert_eq!(chosen.text("bootargs"), Some("panic=-1 avf.test=spin"));
    assert_eq!(chosen.number("linux,initrd-start"), Some(0x8100_0000));
    assert_eq!(chosen.number("linux,initrd-end"), Some(0x8100_1000));
    assert_eq!(chosen.u32("linux,initrd-end"), Some(0x8100_1000));
    assert_eq!(chosen.u32("linux,initrd-start"), None);
    assert_eq!(chosen.number("odd"), None);
    assert!(chosen.cells("odd").is_none());
    assert_eq!(chosen.text("odd"), None);
    assert_eq!(chosen.property("missing"), None);
    let intc = tree.node("/intc").unwrap();
    assert_eq!(intc.reg(1), Some((0x3ffd_0000, 0x2_0000)));
    assert_eq!(intc.reg(2), None);
    assert_eq!(intc.property("interrupt-controller"), Some(&[][..]));
    assert_eq!(intc.children().count(), 1);
    assert_eq!(intc.properties().count(), 3);
    let device = tree.node("/virtio_mmio@4000000").unwrap();
    assert_eq!(device.cells("interrupts").unwrap().collect::<Vec<_>>(), [0, 4, 1]);
}

#[test]
fn finds_compatible_nodes_in_their_order() {
    let names = |compatible: &str| machine().compatible(compatible).map(|node| node.name()).collect::<Vec<_>>();
    assert_eq!(names("virtio,mmio"), ["virtio_mmio@4000000", "virtio_mmio@4001000"]);
    assert_eq!(names("linux,dummy-virt"), [""]);
    assert_eq!(names("virtio"), [""; 0]);
    assert_eq!(machine().nodes().count(), 7);
}

#[test]
fn refuses_a_tree_that_is_cut_off_anywhere() {
    for length in 0..MACHINE.len() {
        assert!(Fdt::parse(&MACHINE[..length]).is_err(), "{length}");
    }
    assert!(Fdt::parse(&[MACHINE, &[0xff; 100]].concat()).is_ok());
}

/// Whatever it is, nothing panics, loops, or leads out of the bytes.
#[test]
fn survives_every_change_of_a_byte() {
    let mut accepted = 0;
    for at in 0..MACHINE.len() {
        for change in [1, 2, 4, 0x7f, 0x80, 0xff] {
            let mut bytes = MACHINE.to_vec();
            bytes[at] ^= change;
            let Ok(tree) = Fdt::parse(&bytes) else { continue };
            accepted += 1;
            for node in tree.nodes() {
                let lengths: usize = node.properties().map(|(name, value)| name.len() + value.len()).sum();
                assert!(lengths + node.children().count() <= 2 * bytes.len());
            }
            let _ = tree.node("/memory").map(|node| node.reg(0));
        }
    }
    assert!(accepted > 0);
}

#[test]
fn tells_where_and_why() {
    let mut bytes = MACHINE.to_vec();
    bytes[4..8].copy_from_slice(&(MAX_SIZE as u32 + 1).to_be_bytes());
    let reason = "the size must be at least that of the header and at most 2 MiB";
    assert_eq!(Fdt::parse(&bytes).unwrap_err(), FdtError { position: 4, reason });
    assert_eq!(Fdt::parse(&[0; 64]).unwrap_err().to_string(), "device tree: the magic is missing (at byte 0)");
}

/// A tree around a structure that no compiler would write.
fn tree_of(structure: &[u32]) -> Result<usize, FdtError> {
    let strings = b"name\0";
    let body: Vec<u8> = structure.iter().flat_map(|word| word.to_be_bytes()).collect();
    let size = 40 + body.len() + strings.len();
    let header =
        [0xd00d_feed, size as u32, 40, 40 + body.len() as u32, 40, 17, 16, 0, strings.len() as u32, body.len() as u32];
    let bytes: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).chain(body).chain(*strings).collect();
    Fdt::parse(&bytes).map(|tree| tree.nodes().count())
}

#[test]
fn refuses_structures_that_make_no_tree() {
    const A: u32 = 0x6100_0000;
    assert_eq!(tree_of(&[1, 0, 1, A, 2, 4, 2, 9]), Ok(2));
    assert_eq!(tree_of(&[1, 0, 3, 0, 0, 1, A, 2, 2, 9]), Ok(2));
    for structure in [
        &[9][..],                         // no root
        &[1, 0, 2],                       // no end
        &[1, 0, 9],                       // a node that does not end
        &[1, 0, 2, 2, 9],                 // one that did not begin
        &[1, 0, 2, 1, 0, 2, 9],           // two roots
        &[1, A, 2, 9],                    // a root with a name
        &[1, 0, 1, 0, 2, 2, 9],           // a child without one
        &[1, 0, 1, 0x6161_6161, 2, 2, 9], // a name that does not end
        &[1, 0, 1, 0x8000_0000, 2, 2, 9], // a name that is not text
        &[1, 0, 1, A, 2, 3, 0, 0, 2, 9],  // a property after a child
        &[3, 0, 0, 1, 0, 2, 9],           // a property before the root
        &[1, 0, 3, 0, 5, 2, 9],           // a name outside of the strings
        &[1, 0, 3, 0, 4, 2, 9],           // an empty name
        &[1, 0, 3, u32::MAX, 0, 2, 9],    // a value longer than everything
        &[1, 0, 5, 2, 9],                 // no token
    ] {
        assert!(tree_of(structure).is_err(), "{structure:?}");
    }
    let deep: Vec<u32> = [1, 0].into_iter().chain([1, A].repeat(15)).chain([2; 16]).chain([9]).collect();
    assert_eq!(tree_of(&deep), Ok(16));
    let deeper: Vec<u32> = [1, 0].into_iter().chain([1, A].repeat(16)).chain([2; 17]).chain([9]).collect();
    assert!(tree_of(&deeper).is_err());
    let many: Vec<u32> = [1, 0].into_iter().chain([1, A, 2].repeat(4096)).chain([2, 9]).collect();
    assert!(tree_of(&many).is_err());
}
