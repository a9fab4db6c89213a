#!/usr/bin/env bash
set -euo pipefail

case ${1:-} in
  -h | --help | '')
    cat <<'TEXT'
Usage: avf-microdroid/guest/compile.sh FOLDER LIBRARY SOURCE [NEEDED…]

Compiles the C file SOURCE to the payload FOLDER/ABI/LIBRARY, for each processor that build.sh has built for; ABI is
Android's name of it. It is linked with libvm_payload.so and what else of the guest's libraries is NEEDED.
TEXT
    [[ ${1:-} ]] || exit 2
    exit 0
    ;;
esac
folder=$1 library=$2 source=$3
shift 3
guest=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

for built in "$guest"/../target/cargo-dynamic/*-unknown-linux-gnu/release; do
  architecture=${built%-unknown-linux-gnu/release}
  architecture=${architecture##*/}
  compiler=cc
  [[ $architecture == "$(uname -m)" ]] || compiler=$architecture-linux-gnu-gcc
  output=$folder/${architecture/aarch64/arm64-v8a}
  mkdir -p "$output"
  libraries=("$built/libvm_payload.so")
  for needed in "$@"; do
    libraries+=("$built/$needed")
  done
  "$compiler" -std=c11 -D_DEFAULT_SOURCE -O2 -Wall -Wextra -Werror -fPIC -shared -s \
    -I"$guest/vm-payload/include" -I"$guest/rpc-binder/include" -o "$output/$library" "$source" "${libraries[@]}"
done
