#!/usr/bin/env bash
# Builds RLX, compiles the bundled tiny Gemma 3 and prints text that it generates.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh
cmake --preset release -DRLX_BUILD_TESTS=OFF >/dev/null
cmake --build --preset release
build/release/bin/rlx-compile test/data/models/tiny-gemma3 -o build/release/tiny-gemma3
exec build/release/tiny-gemma3 "ROMEO:" -n 80
