#!/bin/sh
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs every fuzzer for a while, each from its seed corpus.
# usage: test/fuzz/run.sh BUILD_DIR [SECONDS_EACH]
set -eu
build=$1
seconds=${2:-30}
source=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
found=0
for fuzzer in "$build"/bin/*Fuzz; do
  [ -x "$fuzzer" ] || continue
  found=1
  name=$(basename "$fuzzer")
  mkdir -p "$work/$name"
  set -- "$work/$name"
  [ -d "$source/corpus/$name" ] && set -- "$@" "$source/corpus/$name"
  echo "$name: $seconds s"
  "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
    -artifact_prefix="$work/" "$@" || { cp "$work"/crash-* "$work"/timeout-* "$work"/oom-* . 2>/dev/null; exit 1; }
done
[ "$found" = 1 ] || { echo "no fuzzers in $build/bin: configure with -DRLX_BUILD_FUZZERS=ON"; exit 1; }
