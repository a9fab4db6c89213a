//! A payload in Rust: a notary that stamps each document which the host sends to vsock port 5003. The key of its stamp
//! is a secret of the instance, so that nobody else can make the same stamp and the same instance always does.

use std::error::Error;
use std::io::{self, Read, Write};

use hmac::{Hmac, Mac};
use sha2::Sha256;
use vm_payload::client::Client;
use vsock::{VMADDR_CID_ANY, VsockListener, VsockStream};

const PORT: u32 = 5003;
const MAX_DOCUMENT: u64 = 1 << 20;

vm_payload::main!(serve);

fn serve() -> Result<(), Box<dyn Error>> {
    let manager = Client::new();
    let key = manager.vm_instance_secret(b"notary", 32)?;
    let listener = VsockListener::bind_with_cid_port(VMADDR_CID_ANY, PORT)?;
    manager.notify_payload_ready()?;
    loop {
        let (host, _) = listener.accept()?;
        // A host that went away is no reason to turn down the next.
        answer(host, key.expose()).unwrap_or_else(|error| eprintln!("notary: {error}"));
    }
}

fn answer(mut host: VsockStream, key: &[u8]) -> io::Result<()> {
    let mut document = Vec::new();
    (&mut host).take(MAX_DOCUMENT).read_to_end(&mut document)?;
    writeln!(host, "{}", stamp(key, &document))
}

fn stamp(key: &[u8], document: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of HMAC has any length");
    mac.update(document);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_that_of_rfc_4231() {
        assert_eq!(
            stamp(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
