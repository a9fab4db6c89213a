//! Links the program as an image that runs without an operating system.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() != Ok("aarch64") {
        return;
    }
    let script = std::env::var("DEP_AVF_BARE_SCRIPT").expect("avf-bare names its linker script");
    for argument in
        ["-nostartfiles", "-nostdlib", "-Wl,--no-dynamic-linker,-Bsymbolic,--build-id=none,--no-warn-rwx-segments"]
    {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{script}");
    println!("cargo::rerun-if-changed={script}");
}
