//! The modes.

extern crate alloc;

use alloc::string::{String, ToString};

use avf_bare::arch::{Boot, Idle, Mmio, image, power_off};
use avf_bare::machine::Machine;
use avf_bare::println;
use avf_bare::shared::SharedMemory;
use avf_bare::vsock::{POOL, Vsock, VsockError};

avf_bare::main!(start, power_off);

const PORT: u32 = 5000;
const PAGE: u64 = 4096;
const PATTERN: u8 = 0xa5;

fn start(boot: Boot) -> ! {
    // SAFETY: called once, with the registers at entry.
    let machine = match unsafe { Machine::start(boot) } {
        Ok(machine) => machine,
        Err(error) => {
            println!("test-bare: {error}");
            power_off()
        }
    };
    let arguments = machine.fdt.node("/chosen").and_then(|chosen| chosen.text("bootargs")).unwrap_or_default();
    let mode = arguments.split(' ').find_map(|argument| argument.strip_prefix("avf.test=")).unwrap_or("none");
    println!("test-bare: {mode}{}", if machine.hypervisor.is_protected() { ", protected" } else { "" });
    let outcome = match mode {
        "never-share" => never_share(&machine),
        "private-descriptor" => private_descriptor(&machine),
        "unshare-in-flight" => unshare_in_flight(&machine),
        "share-twice" => share_twice(&machine),
        "store-and-off" => store(&machine),
        "echo" => echo(&machine),
        "spin" => spin(),
        "panic" => panic!("as the test wants it"),
        "fault" => fault(),
        _ => Err("no such mode".to_string()),
    };
    match outcome {
        Ok(done) => println!("test-bare: {done}"),
        Err(reason) => println!("test-bare: failed: {reason}"),
    }
    power_off()
}

fn listen(machine: &Machine, pool: &SharedMemory) -> Result<Vsock<Mmio, Idle>, String> {
    machine.listen(pool, PORT).map_err(|error| error.to_string())
}

fn pool(machine: &Machine, share: bool) -> Result<SharedMemory, String> {
    machine.pool(share).map_err(|error| error.to_string())
}

/// What a device says that cannot reach its queues: it should want to be reset.
fn outcome<T>(result: Result<T, VsockError>) -> Result<String, String> {
    match result {
        Err(error) => Ok(error.to_string()),
        Ok(_) => Err("the device works on".to_string()),
    }
}

fn never_share(machine: &Machine) -> Result<String, String> {
    let pool = pool(machine, false)?;
    outcome(listen(machine, &pool)?.accept())
}

fn private_descriptor(machine: &Machine) -> Result<String, String> {
    let pool = pool(machine, false)?;
    // The rings are in the first page, the buffers behind it.
    machine.hypervisor.share(pool.address(0), PAGE).map_err(|error| alloc::format!("{error:?}"))?;
    outcome(listen(machine, &pool)?.accept())
}

fn unshare_in_flight(machine: &Machine) -> Result<String, String> {
    let pool = pool(machine, true)?;
    let mut vsock = listen(machine, &pool)?;
    let connection = vsock.accept().map_err(|error| error.to_string())?;
    machine.hypervisor.unshare(pool.address(0), POOL as u64).map_err(|error| alloc::format!("{error:?}"))?;
    println!("test-bare: unshared");
    if let Err(error) = vsock.write_all(connection, b"sent from private memory") {
        return Ok(error.to_string());
    }
    outcome(vsock.read_exact(connection, &mut [0]))
}

fn share_twice(machine: &Machine) -> Result<String, String> {
    let pool = pool(machine, true)?;
    let again = machine.hypervisor.share(pool.address(0), POOL as u64);
    Ok(alloc::format!("shared twice: {again:?}"))
}

fn store(machine: &Machine) -> Result<String, String> {
    let start = image().end.max(machine.memory.0);
    let tree = machine.memory.1.saturating_sub(4 << 20).max(start);
    // SAFETY: behind the image and below the device tree nothing else is.
    let memory = unsafe { machine.bytes(start, tree - start) }.ok_or("there is no memory to store to")?;
    memory.fill(PATTERN);
    // Read back, or nothing would have to be stored.
    let kept = memory.iter().step_by(PAGE as usize).all(|byte| *core::hint::black_box(byte) == PATTERN);
    Ok(alloc::format!("stored {} bytes, {}", memory.len(), if kept { "kept" } else { "lost" }))
}

fn echo(machine: &Machine) -> Result<String, String> {
    let pool = pool(machine, true)?;
    let mut vsock = listen(machine, &pool)?;
    loop {
        let connection = vsock.accept().map_err(|error| error.to_string())?;
        let mut byte = [0];
        loop {
            let result = vsock.read_exact(connection, &mut byte).and_then(|()| vsock.write_all(connection, &byte));
            match result {
                Ok(()) => {}
                Err(VsockError::Closed) => break,
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

fn spin() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

fn fault() -> ! {
    let nowhere = image().guard.0 as *mut u8;
    // SAFETY: it is not mapped, which ends the program, as the test wants it.
    unsafe { nowhere.write_volatile(1) }
    panic!("the page below the stack can be written to")
}
