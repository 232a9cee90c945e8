#!/usr/bin/env bash
# usage: run.sh BUILD_DIR SOURCE_DIR MODEL
# Installs the build into a temporary folder and builds and runs this project against it.
set -euo pipefail
build=$1 source=$2 model=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >/dev/null
"$work/prefix/bin/rlx-compile" --version
"$work/prefix/bin/rlx-opt" --version >/dev/null
cmake -G Ninja -S "$source/test/consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/build"
"$work/build/consume_c" "$model" >"$work/c.txt"
"$work/build/consume_cpp" "$model" >"$work/cpp.txt"
cmp "$work/c.txt" "$work/cpp.txt"
[ "$(wc -l <"$work/c.txt")" -eq 8 ]
# The installed compiler works without the build tree.
"$work/prefix/bin/rlx-compile" "$source/test/data/models/tiny-gemma1" -o "$work/model" >/dev/null
"$work/model" run --ids 2,50,60,70 -n 4 --print-ids
