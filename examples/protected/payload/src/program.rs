//! The program.

extern crate alloc;

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::convert::Infallible;

use avf_bare::arch::{Boot, Idle, Mmio, hvc, mix_in, power_off};
use avf_bare::entropy;
use avf_bare::machine::{Hvc, Machine, MachineError};
use avf_bare::println;
use avf_bare::vsock::{Vsock, VsockError};
use protected_payload::{Answer, Attester, Request, answer, from_handover, from_seed};
use zeroize::Zeroize;

avf_bare::main!(start, power_off);

const PORT: u32 = 5000;
const PAGE: usize = 4096;

/// A page of its own, so that no other data of it may ever be shared.
#[repr(C, align(4096))]
struct SecretPage(UnsafeCell<[u8; PAGE]>);

// SAFETY: one processor runs, and `Secret::make` is called once.
unsafe impl Sync for SecretPage {}

static PAGE_OF_SECRET: SecretPage = SecretPage(UnsafeCell::new([0; PAGE]));

fn start(boot: Boot) -> ! {
    match run(boot) {
        Err(reason) => println!("protected payload: {reason}"),
    }
    power_off()
}

fn run(boot: Boot) -> Result<Infallible, String> {
    // SAFETY: called once, with the registers at entry.
    let machine = unsafe { Machine::start(boot) }.map_err(text)?;
    let place = if machine.hypervisor.is_protected() { "in protected memory" } else { "in memory that the host sees" };
    println!("protected payload: running {place}");
    let payload = Payload::new(&machine)?;
    let pool = machine.pool(true).map_err(text)?;
    let mut vsock = machine.listen(&pool, PORT).map_err(text)?;
    println!("protected payload: ready");
    loop {
        let connection = vsock.accept().map_err(|error| error.to_string())?;
        match payload.serve(&mut vsock, connection) {
            Ok(()) | Err(VsockError::Closed) => {}
            Err(error) => return Err(error.to_string()),
        }
        vsock.close(connection).map_err(|error| error.to_string())?;
    }
}

fn text(error: MachineError) -> String {
    error.to_string()
}

struct Payload {
    secret: &'static [u8; 32],
    attester: Option<Attester>,
}

impl Payload {
    /// Makes the secret: of the handover where there is one, else of the hypervisor's random numbers.
    fn new(machine: &Machine) -> Result<Self, String> {
        // SAFETY: nothing else refers to the page, as this is called once.
        let page = unsafe { &mut *PAGE_OF_SECRET.0.get() };
        let (secret, _) = page.split_first_chunk_mut::<32>().expect("a page has more than 32 bytes");
        let node = machine.fdt.compatible("google,open-dice").next();
        let attester = match node {
            Some(node) => {
                let (address, size) = node.reg(0).ok_or("the handover's node has no reg")?;
                // SAFETY: firmware keeps these bytes for the program that it starts.
                let bytes = unsafe { machine.bytes(address, size) }.ok_or("the handover is outside of memory")?;
                let attester = from_handover(bytes, secret).map_err(|error| error.to_string());
                bytes.zeroize();
                Some(attester?)
            }
            None => {
                // With room for all of it, so that growing leaves no copy behind.
                let mut seed = Vec::with_capacity(4096);
                seed.resize(48, 0);
                let filled = entropy::fill(&(hvc as Hvc), &mut seed);
                filled.map_err(|error| alloc::format!("there are no random numbers for a secret: {error:?}"))?;
                // A hypervisor may take them from its host: what the processor has besides does no harm.
                mix_in(|word| seed.extend_from_slice(&word.to_le_bytes()));
                from_seed(&seed, secret);
                seed.zeroize();
                None
            }
        };
        Ok(Self { secret, attester })
    }

    /// Answers one connection until it ends.
    fn serve(&self, vsock: &mut Vsock<Mmio, Idle>, connection: u64) -> Result<(), VsockError> {
        loop {
            let mut prefix = [0; 4];
            vsock.read_exact(connection, &mut prefix)?;
            let body = match Request::body_length(prefix) {
                Ok(length) => {
                    let mut body = vec![0; length];
                    vsock.read_exact(connection, &mut body)?;
                    body
                }
                // What follows it is not known to be anything: the connection ends.
                Err(error) => return vsock.write_all(connection, &Answer::Failed(&error.to_string()).frame()),
            };
            let frame = match Request::parse(&body) {
                Ok(Request::Challenge(challenge)) => Answer::Digest(answer(self.secret, &challenge)).frame(),
                Ok(Request::Chain(challenge)) => match &self.attester {
                    Some(attester) => {
                        Answer::Chain { chain: attester.chain(), signature: &attester.sign(&challenge) }.frame()
                    }
                    None => Answer::Chain { chain: &[], signature: &[] }.frame(),
                },
                Ok(Request::Where) => {
                    Answer::Place { address: PAGE_OF_SECRET.0.get() as u64, length: PAGE as u64 }.frame()
                }
                Ok(Request::Off) => power_off(),
                Err(error) => Answer::Failed(&error.to_string()).frame(),
            };
            vsock.write_all(connection, &frame)?;
        }
    }
}
