#!/usr/bin/env bash
# Feeds rubbish to the parsers for so many seconds each (600 unless told): tools/fuzz.sh [SECONDS] [TARGET...]
# Needs a C++ compiler; installs cargo-fuzz into .tools. What it finds lies below fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(recipe gradient band)
fuzz=$PWD/.tools/bin/cargo-fuzz
[ -x "$fuzz" ] || cargo install --quiet --locked cargo-fuzz --root .tools

# A first example of each, to begin from.
mkdir -p fuzz/corpus/{recipe,gradient,band}
echo '{"kind": "newton", "palette": "magma", "colouring": "slope", "width": 30, "height": 20, "iterations": 9,
  "xa": -1, "xb": 1, "ya": -1, "yb": 1, "density": 2, "offset": 0.5, "interior": "#102030", "supersampling": 2,
  "gradient": [[0, "#000000"], [1, "#ffffff"]]}' > fuzz/corpus/recipe/request
printf 'GIMP Palette\nName: two\n#\n255 0 0\tred\n0 0 255\n' > fuzz/corpus/gradient/gpl
printf '0 0 0\n255 255 255 white\n10 20 30\n' > fuzz/corpus/gradient/map
printf 'one {\ngradient:\n  title="one" smooth=no\n  index=0 color=255\n  index=200 color=16711680\nopacity:\n  smooth=no index=0 opacity=255\n}\n' \
    > fuzz/corpus/gradient/ugr

for target in "${targets[@]}"; do
    # Without a sanitizer, so that a stable compiler will do; nothing that is fed here is unsafe.
    "$fuzz" run --sanitizer none "$target" -- -max_total_time="$seconds" -max_len=65536 -timeout=30 -rss_limit_mb=1024
done
