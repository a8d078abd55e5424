#!/usr/bin/env bash
# Installs and starts what the tests use beyond Rust and gcc: a real browser and its driver, and the servers that the
# contract suites run against. What is there and answers is left as it is.
set -euo pipefail

packages=()
need() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || packages+=("$2"); }
need chromium chromium
need chromedriver chromium-driver
need openssl openssl
need haproxy haproxy
need psql postgresql
need mariadbd mariadb-server
need rabbitmq-server rabbitmq-server
need memcached memcached
need curl curl
need python3 python3-venv

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
if [ ${#packages[@]} -gt 0 ]; then
    echo "installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
wait_for() {
    for _ in $(seq 240); do
        answers "$2" && return
        sleep 0.25
    done
    echo "$1 does not answer on port $2" >&2
    exit 1
}

# A server named in the environment is somebody else's business.
if [ -z "${FAAFO_TEST_POSTGRES:-}" ]; then
    if ! answers 5432; then
        echo "starting PostgreSQL"
        "${as_root[@]}" pg_ctlcluster --skip-systemctl-redirect "$(ls /etc/postgresql | tail -n 1)" main start
        wait_for PostgreSQL 5432
    fi
    # The tests log in as postgres without a password, from this machine only.
    if ! psql -qw -h 127.0.0.1 -U postgres -c 'SELECT 1' >/dev/null 2>&1; then
        echo "letting the tests into PostgreSQL"
        rules=$(ls /etc/postgresql/*/main/pg_hba.conf | tail -n 1)
        "${as_root[@]}" sed -i '1i host all postgres 127.0.0.1/32 trust' "$rules"
        "${as_root[@]}" pg_ctlcluster --skip-systemctl-redirect "$(ls /etc/postgresql | tail -n 1)" main reload
    fi
    psql -qw -h 127.0.0.1 -U postgres -tc "SELECT 1 FROM pg_database WHERE datname = 'test'" | grep -q 1 ||
        psql -qw -h 127.0.0.1 -U postgres -c 'CREATE DATABASE test'
fi
if [ -z "${FAAFO_TEST_MYSQL:-}" ]; then
    if ! answers 3306; then
        echo "starting MariaDB"
        "${as_root[@]}" install -d -o mysql /run/mysqld
        "${as_root[@]}" start-stop-daemon --start --oknodo --background --exec /usr/sbin/mariadbd -- --user=mysql
        wait_for MariaDB 3306
    fi
    # The tests log in as root without a password, from this machine only.
    if ! mariadb -h 127.0.0.1 -u root -e 'SELECT 1' >/dev/null 2>&1; then
        echo "letting the tests into MariaDB"
        "${as_root[@]}" mariadb -e "ALTER USER root@localhost IDENTIFIED VIA mysql_native_password USING PASSWORD('')"
    fi
    mariadb -h 127.0.0.1 -u root -e 'CREATE DATABASE IF NOT EXISTS test'
fi
if [ -z "${FAAFO_TEST_RABBITMQ:-}" ] && ! answers 5672; then
    echo "starting RabbitMQ"
    "${as_root[@]}" rabbitmq-server -detached >/dev/null 2>&1
    wait_for RabbitMQ 5672
fi
# Installed here, so that no test waits for it.
"$(dirname "$0")/schemathesis.sh" --version >/dev/null
echo "all there"
