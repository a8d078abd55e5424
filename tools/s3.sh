#!/usr/bin/env bash
# A real S3 server on loopback for tests: s3s-fs, which keeps objects as files.
#
#   tools/s3.sh run       serves until its standard input ends, then removes everything
#   tools/s3.sh install   only prints where the server is
#
# Once it is ready it prints "s3 http://…". Access key "access", secret "secret". The first call builds it below .tools/,
# which takes a few minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.14.1
server=.tools/bin/s3s-fs

case "${1:-}" in
run | install) ;;
*)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
mkdir -p .tools
# Several test programs may come at once.
exec 9>.tools/s3.lock
flock 9
if [ "$("$server" --version 2>/dev/null)" != "s3s-fs $version" ]; then
    echo "building s3s-fs $version, once" >&2
    # Unoptimized for a quick build, except for what every byte passes.
    env -u CARGO_TARGET_DIR cargo install --quiet --locked --debug --root .tools --features binary \
        --config profile.dev.package.sha2.opt-level=3 --config profile.dev.package.md-5.opt-level=3 \
        "s3s-fs@$version" >&2
fi
exec 9>&-
[ "$1" = run ] || {
    echo "$PWD/$server"
    exit
}

folder=$(mktemp -d)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$folder/data"
"$server" --host 127.0.0.1 --port "$port" --access-key access --secret-key secret "$folder/data" \
    >"$folder/log" 2>&1 </dev/null &
pid=$!
for _ in $(seq 100); do
    if curl --silent --noproxy '*' --output /dev/null "http://127.0.0.1:$port"; then
        echo "s3 http://127.0.0.1:$port"
        cat >/dev/null
        exit 0
    fi
    sleep 0.1
done
echo "s3s-fs does not start; its log:" >&2
tail -n 20 "$folder/log" >&2
exit 1
