#!/usr/bin/env bash
# A real OpenStack Swift on loopback for tests: one node, tempauth, and S3 through its s3api.
#
#   tools/swift.sh run            serves until its standard input ends, then removes everything
#   tools/swift.sh start FOLDER   serves from FOLDER until stopped
#   tools/swift.sh stop FOLDER    stops it and removes FOLDER
#
# Once it is ready it prints its addresses, one a line: "swift http://…/auth/v1.0", "s3 http://…" and "memcached host:port"
# (its tokens are in there). User test:tester, key testing. Ports are chosen by the system. The first call installs
# Swift below .tools/ (and memcached, if that is missing): it needs python3 and about 15 s.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$PWD/.tools/swift

install() {
    mkdir -p .tools
    # Several test programs may come at once.
    exec 9>.tools/swift.lock
    flock 9
    if ! command -v memcached >/dev/null; then
        local as_root=()
        [ "$(id -u)" -eq 0 ] || as_root=(sudo)
        export DEBIAN_FRONTEND=noninteractive
        "${as_root[@]}" apt-get update -qq >&2
        "${as_root[@]}" apt-get install -y -qq --no-install-recommends memcached >/dev/null
    fi
    if ! cmp -s tools/swift-requirements.txt "$venv/installed.txt"; then
        rm -rf "$venv"
        python3 -m venv "$venv" >&2
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r tools/swift-requirements.txt >&2
        cp tools/swift-requirements.txt "$venv/installed.txt"
    fi
    exec 9>&-
}

# free_ports N: ports that nobody listens on.
free_ports() {
    python3 - "$1" <<'PYTHON'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in sockets:
    s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in sockets])
PYTHON
}

# configure FOLDER: ring and one file for each server.
configure() {
    local etc=$1/etc server port
    mkdir -p "$etc" "$1/disks/d1" "$1/log"
    read -r account container object proxy memcached < <(free_ports 5)
    printf '[swift-hash]\nswift_hash_path_suffix = %s\n[storage-policy:0]\nname = only\ndefault = yes\n' \
        "$RANDOM$RANDOM" >"$etc/swift.conf"
    for server in account container object; do
        port=${!server}
        cat >"$etc/$server.conf" <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $port
workers = 0
user = $(id -un)
swift_dir = $etc
devices = $1/disks
mount_check = false
disable_fallocate = true
log_address = /nonexistent
[pipeline:main]
pipeline = $server-server
[app:$server-server]
use = egg:swift#$server
CONF
        {
            "$venv/bin/swift-ring-builder" "$etc/$server.builder" create 4 1 0
            "$venv/bin/swift-ring-builder" "$etc/$server.builder" add "r1z1-127.0.0.1:$port/d1" 1
            "$venv/bin/swift-ring-builder" "$etc/$server.builder" rebalance
        } >"$1/log/ring.log" 2>&1
    done
    cat >"$etc/proxy.conf" <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $proxy
workers = 0
user = $(id -un)
swift_dir = $etc
log_address = /nonexistent
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk tempurl s3api tempauth copy slo dlo versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$memcached
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
CONF
    for filter in catch_errors gatekeeper healthcheck listing_formats bulk tempurl copy slo dlo; do
        printf '[filter:%s]\nuse = egg:swift#%s\n' "$filter" "$filter" >>"$etc/proxy.conf"
    done
}

# launch FOLDER NAME COMMAND…: in the background, its process id remembered.
launch() {
    local folder=$1 name=$2
    shift 2
    PYTHONWARNINGS=ignore setsid "$@" >"$folder/log/$name.log" 2>&1 </dev/null &
    echo $! >>"$folder/pids"
    # It is killed in the end, which is nothing to be told about.
    disown
}

# answers URL: signs in, where that means anything; without memcached that fails.
answers() {
    local status
    status=$(curl --silent --noproxy '*' --output /dev/null --write-out '%{http_code}' \
        -H 'X-Auth-User: test:tester' -H 'X-Auth-Key: testing' "$1" || true)
    [ "$status" -ge 200 ] && [ "$status" -lt 500 ]
}

start() {
    local folder
    mkdir -p "$1"
    folder=$(cd "$1" && pwd)
    install
    configure "$folder"
    launch "$folder" memcached memcached -l 127.0.0.1 -p "$memcached" -u "$(id -un)" -m 32
    for server in account container object proxy; do
        launch "$folder" "$server" "$venv/bin/swift-$server-server" "$folder/etc/$server.conf" -v
    done
    for _ in $(seq 300); do
        if answers "http://127.0.0.1:$account" && answers "http://127.0.0.1:$container" &&
            answers "http://127.0.0.1:$object" && answers "http://127.0.0.1:$proxy/auth/v1.0"; then
            echo "swift http://127.0.0.1:$proxy/auth/v1.0"
            echo "s3 http://127.0.0.1:$proxy"
            echo "memcached 127.0.0.1:$memcached"
            return
        fi
        sleep 0.1
    done
    echo "Swift does not start; its logs:" >&2
    tail -n 20 "$folder"/log/*.log >&2
    stop "$folder"
    return 1
}

stop() {
    local pid
    [ -f "$1/pids" ] || return 0
    while read -r pid; do
        # Each has a process group of its own.
        kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
    done <"$1/pids"
    rm -rf "$1"
}

case "${1:-} ${2:-}" in
"run ")
    folder=$(mktemp -d)
    trap 'stop "$folder"' EXIT
    # However the test program ends, this ends with it.
    trap 'exit 1' HUP INT TERM
    start "$folder"
    cat >/dev/null
    ;;
"start "?*)
    start "$2"
    ;;
"stop "?*)
    stop "$2"
    ;;
*)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
