#!/usr/bin/env bash
# Checks the dependencies against deny.toml, with a cargo-deny of its own if there is none of this version.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
deny=cargo-deny
if [ "$(cargo-deny --version 2>/dev/null)" != "cargo-deny $version" ]; then
    deny=.tools/bin/cargo-deny
    if [ "$("$deny" --version 2>/dev/null)" != "cargo-deny $version" ]; then
        echo "building cargo-deny $version, once"
        cargo install --quiet --locked --root .tools "cargo-deny@$version"
    fi
fi
# Advisories need a fresh copy of their database from the network: `cargo deny check advisories` does that.
"$deny" --log-level warn check bans licenses sources
