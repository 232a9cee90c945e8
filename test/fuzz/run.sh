#!/bin/sh
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs every fuzzer for a while, each from its seed corpus, as many at a time as there are cores.
# What makes one of them fail is left in the current folder.
# usage: test/fuzz/run.sh BUILD_DIR [SECONDS_EACH]
set -eu
build=$1
seconds=${2:-30}
source=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
set -- "$build"/bin/*Fuzz
[ -x "$1" ] || { echo "no fuzzers in $build/bin: configure with -DRLX_BUILD_FUZZERS=ON"; exit 1; }
export seconds source work
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh -c '
  name=$(basename "$0")
  mkdir "$work/$name"
  set -- "$work/$name"
  [ -d "$source/corpus/$name" ] && set -- "$@" "$source/corpus/$name"
  echo "$name: $seconds s"
  "$0" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
    -artifact_prefix="$work/" "$@"' || {
  cp "$work"/crash-* "$work"/timeout-* "$work"/oom-* . 2>/dev/null || true
  exit 1
}
