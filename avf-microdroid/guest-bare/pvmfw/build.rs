//! Links the firmware as an image for its window, and compiles in the key that it trusts.

use std::env;

/// What is not loaded is in the second half of the window: behind the image are the configuration data.
const SCRATCH: u64 = 0x20_0000;
const HEAP: u64 = 0x18_0000;

fn main() {
    key();
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() != Ok("aarch64") {
        return;
    }
    let script = env::var("DEP_AVF_BARE_SCRIPT").expect("avf-bare names its linker script");
    for argument in [
        "-nostartfiles",
        "-nostdlib",
        "-Wl,--no-dynamic-linker,-Bsymbolic,--build-id=none,--no-warn-rwx-segments",
        &format!("-Wl,--defsym=__scratch_offset={SCRATCH},--defsym=__heap_size={HEAP}"),
        &format!("-Wl,-T,{script}"),
    ] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    println!("cargo::rerun-if-changed={script}");
}

/// `AVF_PVMFW_KEY` names a file with another trusted key, in AVB's encoding.
fn key() {
    println!("cargo::rerun-if-env-changed=AVF_PVMFW_KEY");
    let folder = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let key = env::var("AVF_PVMFW_KEY").unwrap_or_else(|_| format!("{folder}/keys/development-only-rsa4096.avbpubkey"));
    println!("cargo::rerun-if-changed={key}");
    println!("cargo::rustc-env=TRUSTED_KEY={key}");
}
