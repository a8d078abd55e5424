#!/usr/bin/env bash
# The kernel's, formulas' and pictures' tests on 64-bit ARM, emulated: tools/arm.sh [ARGUMENTS OF cargo test]
# Takes some ten minutes, which is why test.sh doesn't. Installs the emulator, a linker and Rust's library for ARM.
set -euo pipefail
cd "$(dirname "$0")/.."
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
target=aarch64-unknown-linux-gnu
if ! command -v qemu-aarch64 >/dev/null || ! command -v aarch64-linux-gnu-gcc >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
        qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross >/dev/null
fi
rustup --quiet target add "$target"
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
# What NEON promises; and without the tests about how soon something happens, which an emulator can't keep.
export FAAFO_TEST_LEVELS=neon
cargo test --target "$target" -p faafo-kernel -p faafo-formula -p faafo-picture "$@" -- --skip running::
