#!/usr/bin/env bash
# Makes docs/contact-sheet.jpg anew: every formula, one a row, in every colouring, one a column. Needs Pillow.
set -euo pipefail
cd "$(dirname "$0")/.."
sheet=$(mktemp --suffix .png)
trap 'rm -f "$sheet"' EXIT
cargo run --quiet --release --package faafo-kernel --example contact-sheet "$sheet"
python3 - "$sheet" docs/contact-sheet.jpg <<'PYTHON'
import sys
from PIL import Image
Image.open(sys.argv[1]).save(sys.argv[2], quality=55, optimize=True, progressive=True)
PYTHON
