#!/usr/bin/env bash
# tools/fill.sh DATABASE_URL ROWS
# Adds ROWS finished fractals to a database whose tables faafo has made: sqlite:/path, postgres://… or mysql://….
# Everything is as if they had been rendered, but for the pictures: these are nowhere. One in 10,000 is a nova. For
# measurements only: indexes are made anew, and nobody may use the database meanwhile.
set -euo pipefail
[ $# -eq 2 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 1; }
url=$1 rows=$2
# Two seconds between one and the next, the last one just now.
base=$((($(date +%s) - rows * 2) * 1000000))
filled="'fractals', 'blobs', 'blob_references'"

# What the engines call by different names: TEXT and REAL are types in casts; the table `random` has a number from 1 and
# random hexadecimal digits: 32, 64 and 64. Ids begin with the time in milliseconds, as the service makes them: a number
# between BEFORE and AFTER is one in 12 hexadecimal digits. Where rows lie in the order in which they came they come in
# that of time, as they do in life; where they lie in the order of their keys, in that one, because it takes less time.
fill() {
    local text=$1 real=$2 order=$3 before=$4 after=$5 tail
    digits() { echo "substr(CAST(1000 + n % $1 AS $text), 2) || '$2'"; }
    tail="',\"xa\":' || xa || ',\"xb\":' || xb || ',\"ya\":' || ya || ',\"yb\":' || yb || ',\"width\":' || width
        || ',\"height\":' || height || ',\"iterations\":' || iterations || ',\"palette\":\"' || palette || '\"}'"
    cat <<SQL
CREATE TEMPORARY TABLE fresh AS SELECT n, substr(time, 1, 8) || '-' || substr(time, 9, 4) || '-7' || substr(id, 14, 3)
    || '-a' || substr(id, 18, 3) || '-' || substr(id, 21) AS uuid, picture, thumbnail, 20000 + n * 7919 % 300000 AS size,
    4000 + n % 9001 AS thumbnail_size FROM (SELECT n, id, picture, thumbnail,
    $before $((base / 1000 - 2500)) + n * 2000 + n % 1000 $after AS time FROM random) r;
INSERT INTO fractals (uuid, recipe, priority, state, attempt, progress, created_at, finished_at, duration, checksum, size,
    generated_by, kind, cx, cy, xa, xb, ya, yb, width, height, iterations, palette)
SELECT uuid, '{"kind":"' || kind || '"' || CASE kind
        WHEN 'julia' THEN ',"cx":' || cx || ',"cy":' || cy
        WHEN 'multibrot' THEN ',"parameters":{"power":5.0}'
        WHEN 'nova' THEN ',"parameters":{"power":3.0,"relaxation":1.0}'
        ELSE '' END || $tail,
    priority, 'done', 1, 1.0, ended - 2500000, ended, 0.05 + (n % 997) / 500.0, picture, size, worker, kind,
    CASE kind WHEN 'julia' THEN CAST(cx AS $real) END, CASE kind WHEN 'julia' THEN CAST(cy AS $real) END,
    CAST(xa AS $real), CAST(xb AS $real), CAST(ya AS $real), CAST(yb AS $real), width, height, iterations, palette
FROM (SELECT n, uuid, picture, size,
    CASE WHEN n % 10000 = 5000 THEN 'nova' WHEN n % 4 = 0 THEN 'julia' WHEN n % 4 = 1 THEN 'mandelbrot'
        WHEN n % 4 = 2 THEN 'burning-ship' ELSE 'multibrot' END AS kind,
    '-0.7' || $(digits 499 1) AS cx, '0.1' || $(digits 631 3) AS cy,
    '-2.' || $(digits 401 7) AS xa, '2.' || $(digits 409 9) AS xb, '-1.' || $(digits 419 3) AS ya,
    '1.' || $(digits 421 1) AS yb, 320 + n % 1723 AS width, 320 + n * 7 % 1741 AS height, 64 + n % 1021 AS iterations,
    CASE n % 3 WHEN 0 THEN 'classic' WHEN 1 THEN 'aurora' ELSE 'magma' END AS palette,
    CASE WHEN n % 50 = 0 THEN n % 7 - 3 ELSE 0 END AS priority, 'worker-' || CAST(n % 40 AS $text) AS worker,
    $base + n * 2000000 + n % 1000 AS ended FROM fresh) f ORDER BY ${order:-uuid};
CREATE TEMPORARY TABLE stored AS SELECT n, uuid, 'picture' AS role, picture AS sha256, size FROM fresh
    UNION ALL SELECT n, uuid, 'thumbnail', thumbnail, thumbnail_size FROM fresh;
INSERT INTO blobs (sha256, size, state, claimed_until) SELECT sha256, size, 0, 0 FROM stored ORDER BY ${order:-sha256};
INSERT INTO blob_references (owner_kind, owner_id, role, sha256)
    SELECT 'fractal', uuid, role, sha256 FROM stored ORDER BY ${order:-uuid}, role;
UPDATE counters SET done = done + $rows WHERE what = 'fractal' AND shard = 0;
SQL
}

case $url in
sqlite:*)
    file=${url#sqlite:} file=${file#//}
    indexes="FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ($filled);"
    add=$(sqlite3 "$file" "SELECT sql || ';' $indexes")
    sqlite3 -bail "$file" >/dev/null <<SQL
PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY;
BEGIN IMMEDIATE;
$(sqlite3 "$file" "SELECT 'DROP INDEX ' || name || ';' $indexes")
CREATE TEMPORARY TABLE random AS WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $rows)
    SELECT n, lower(hex(randomblob(16))) AS id, lower(hex(randomblob(32))) AS picture,
    lower(hex(randomblob(32))) AS thumbnail FROM numbers;
$(fill TEXT REAL n "printf('%012x'," ')')
$add
COMMIT;
PRAGMA wal_checkpoint(TRUNCATE);
SQL
    ;;
postgres:* | postgresql:*)
    indexes="FROM pg_indexes WHERE schemaname = 'public' AND tablename IN ($filled) AND indexname NOT LIKE '%_pkey'"
    add=$(psql -qwXAt "$url" -c "SELECT indexdef || ';' $indexes")
    psql -qwX -v ON_ERROR_STOP=1 "$url" <<SQL
SET synchronous_commit = off; SET work_mem = '256MB'; SET maintenance_work_mem = '512MB';
BEGIN;
$(psql -qwXAt "$url" -c "SELECT 'DROP INDEX ' || indexname || ';' $indexes")
CREATE TEMPORARY TABLE random AS SELECT CAST(n AS BIGINT) AS n, replace(CAST(gen_random_uuid() AS TEXT), '-', '') AS id,
    encode(sha256(CAST('picture' || n || random() AS BYTEA)), 'hex') AS picture,
    encode(sha256(CAST('thumbnail' || n || random() AS BYTEA)), 'hex') AS thumbnail FROM generate_series(1, $rows) n;
$(fill TEXT 'DOUBLE PRECISION' n 'lpad(to_hex(' "), 12, '0')")
$add
COMMIT;
-- What is not on disk yet can't be marked as seen by everybody.
SET synchronous_commit = on; CHECKPOINT;
VACUUM ANALYZE;
SQL
    ;;
mysql:*)
    [[ $url =~ ^mysql://([^:@/]+)(:([^@/]*))?@([^:/]+)(:([0-9]+))?/([^?]+) ]] || { echo "unlike mysql://user@host/name" >&2; exit 1; }
    export MYSQL_PWD=${BASH_REMATCH[3]}
    client=(mariadb -N --batch -h "${BASH_REMATCH[4]}" -P "${BASH_REMATCH[6]:-3306}" -u "${BASH_REMATCH[1]}" "${BASH_REMATCH[7]}")
    indexes="FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name IN ($filled)
        AND index_name <> 'PRIMARY' GROUP BY table_name, index_name"
    add=$("${client[@]}" -e "SELECT CONCAT('ALTER TABLE ', table_name, ' ADD INDEX ', index_name, ' (',
        GROUP_CONCAT(column_name ORDER BY seq_in_index), ');') $indexes")
    "${client[@]}" >/dev/null <<SQL
SET SESSION sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT'), unique_checks = 0;
$("${client[@]}" -e "SELECT CONCAT('ALTER TABLE ', table_name, ' DROP INDEX ', index_name, ';') $indexes")
CREATE TEMPORARY TABLE random AS SELECT CAST(seq AS SIGNED) AS n, MD5(CONCAT('id', seq, RAND())) AS id,
    SHA2(CONCAT('picture', seq, RAND()), 256) AS picture, SHA2(CONCAT('thumbnail', seq, RAND()), 256) AS thumbnail
    FROM seq_1_to_$rows;
$(fill CHAR DOUBLE '' 'LPAD(LOWER(HEX(' ")), 12, '0')")
$add
ANALYZE TABLE fractals, blobs, blob_references;
SQL
    ;;
*)
    echo "$url is not of a database that faafo knows" >&2
    exit 1
    ;;
esac
