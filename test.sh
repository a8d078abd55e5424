#!/usr/bin/env bash
# Everything that has to hold before a change lands: formatting, lints, dependencies, unit, contract and end-to-end
# tests. Needs Rust and gcc; installs whatever else it uses.
set -euo pipefail
cd "$(dirname "$0")"

step() { printf '\n== %s\n' "$*"; }

step "what the tests need"
tools/need.sh

step "formatting"
cargo fmt --all --check

step "lints"
cargo clippy --workspace --all-targets --quiet -- -D warnings

step "dependencies: licences, sources, unwanted crates"
tools/deny.sh

step "the executable that the end-to-end tests drive"
cargo build --package faafo

step "tests"
cargo test --workspace --no-fail-fast
