#!/usr/bin/env bash
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: avf-microdroid/guest/build.sh TARGET [--tests ARCH…]

Builds what goes into guests, for this machine's processor and for aarch64: static programs into TARGET/cargo, and what
needs a C library into TARGET/cargo-dynamic, each in ARCH-unknown-linux-gnu/release; the firmware of protected machines
and a program for tests of them into TARGET/cargo-bare, as pvmfw.bin and test-bare.bin. Maven runs this. The payloads
for tests are built for this machine's processor, and for those that are named.

Exit status: 0 all is built, 1 a build failed, 2 the usage is wrong or a compiler is missing.
TEXT
}

case ${1:-} in
  -h | --help)
    usage
    exit 0
    ;;
  '' | -*)
    usage >&2
    exit 2
    ;;
esac
target=$(realpath -m "$1")
shift
tests=("$(uname -m)")
if [[ ${1:-} == --tests ]]; then
  tests+=("${@:2}")
fi
cd "$(dirname "${BASH_SOURCE[0]}")"

architectures=("$(uname -m)")
if [[ ${architectures[0]} != aarch64 ]]; then
  architectures+=(aarch64)
  if ! command -v aarch64-linux-gnu-gcc >/dev/null; then
    echo "build.sh: aarch64-linux-gnu-gcc is missing: run bin/setup (on Debian: apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross)" >&2
    exit 2
  fi
fi

cargo=(cargo --quiet --locked)
# One call for all architectures: they share the crates that run while building, and use all processors for linking.
each=("${architectures[@]/#/--target=}")
each=("${each[@]/%/-unknown-linux-gnu}")

export CARGO_TARGET_DIR=$target/cargo
"${cargo[@]}" build --release --package=avf-guest "${each[@]}"
own=("${tests[@]/#/--target=}")
"${cargo[@]}" build --release --package=test-payloads "${own[@]/%/-unknown-linux-gnu}"

# What payloads are loaded by and link with needs a dynamic C library: other flags, and so another folder.
export CARGO_TARGET_DIR=$target/cargo-dynamic
export RUSTFLAGS='-C target-feature=-crt-static --cfg curve25519_dalek_backend="serial"'
"${cargo[@]}" build --release --package=microdroid-launcher "${each[@]}"

# library ARCHITECTURE PACKAGE NAME [OPTIONS…]: a shared library.
library() {
  local triple=$1-unknown-linux-gnu package=$2 name=$3
  shift 3
  "${cargo[@]}" rustc --release --package="$package" --lib --crate-type=cdylib --target="$triple" "${options[@]}" \
    -- "-Clink-arg=-Wl,-soname,$name" "$@"
}

for architecture in "${architectures[@]}"; do
  options=()
  library "$architecture" rpc-binder libbinder_ndk.so
  # Linked with the one before.
  options=(--no-default-features)
  library "$architecture" vm-payload libvm_payload.so \
    "-Lnative=$CARGO_TARGET_DIR/$architecture-unknown-linux-gnu/release"
  options=()
  library "$architecture" java-payload libavf_java.so
done

# What runs without an operating system: for arm64 only, and linked as images.
bare=$target/cargo-bare
(
  cd ../guest-bare
  env -u RUSTFLAGS CARGO_TARGET_DIR="$bare" "${cargo[@]}" build --release --package=pvmfw --package=test-bare \
    --target=aarch64-unknown-linux-gnu
)
for image in pvmfw test-bare; do
  aarch64-linux-gnu-objcopy -O binary "$bare/aarch64-unknown-linux-gnu/release/$image" "$bare/$image.bin"
done
