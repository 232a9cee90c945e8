#!/usr/bin/env bash
# Installs what is missing, builds RLX and passes all tests:
# unit, lit and end-to-end tests, then the same under sanitizers, then the fuzzers.
# usage: test/run.sh [--quick]   --quick leaves out sanitizers and fuzzers
set -euo pipefail
cd "$(dirname "$0")/.."
quick=""
case "${1:-}" in
  "") ;;
  --quick) quick=1 ;;
  *) echo "usage: test/run.sh [--quick]" >&2; exit 2 ;;
esac
fuzz_seconds=${RLX_FUZZ_SECONDS:-30}

step() { printf '\n== %s (%d min)\n' "$1" $((SECONDS / 60)); }

step "packages"
tools/setup.sh --tests

step "build"
cmake --preset dev >/dev/null
cmake --build --preset dev

step "tests"
ctest --test-dir build/dev --output-on-failure -j "$(nproc)"

if [ -z "$quick" ]; then
  step "tests under AddressSanitizer and UndefinedBehaviorSanitizer"
  cmake --preset asan >/dev/null
  cmake --build --preset asan
  ctest --test-dir build/asan --output-on-failure -j "$(nproc)"

  step "runtime under ThreadSanitizer"
  cmake --preset tsan >/dev/null
  cmake --build --preset tsan --target rlx_thread_tests
  ctest --test-dir build/tsan --output-on-failure -L threads

  step "fuzzers, $fuzz_seconds s each"
  test/fuzz/run.sh build/asan "$fuzz_seconds"
fi
step "done"
