#!/usr/bin/env bash
# Runs schemathesis, which tries a service against its OpenAPI description, with these arguments. The first call
# installs it below .tools/: it needs python3 and about 20 s.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/.tools/schemathesis
requirements=$root/tools/schemathesis-requirements.txt

mkdir -p "$root/.tools"
# Several test programs may come at once.
exec 9>"$root/.tools/schemathesis.lock"
flock 9
if ! cmp -s "$requirements" "$venv/installed.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" >&2
    cp "$requirements" "$venv/installed.txt"
fi
exec 9>&-
exec "$venv/bin/schemathesis" "$@"
