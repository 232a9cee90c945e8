#!/usr/bin/env bash
# Installs what RLX builds against, from Debian's packages. Quick when all is there.
#   tools/setup.sh          what the build needs
#   tools/setup.sh --tests  also what the tests need
set -euo pipefail

build_packages=(
  ca-certificates cmake ninja-build git
  clang-22 g++ lld-22 liblld-22-dev llvm-22-dev libmlir-22-dev mlir-22-tools llvm-22-tools
  nlohmann-json3-dev libsentencepiece-dev libcli11-dev libtomlplusplus-dev libminizip-dev zlib1g-dev
)
test_packages=(
  libgtest-dev libgmock-dev libclang-rt-22-dev python3 python3-numpy unzip file
  qemu-user crossbuild-essential-arm64
)

packages=("${build_packages[@]}")
case "${1:-}" in
  "") ;;
  --tests) packages+=("${test_packages[@]}") ;;
  *) echo "usage: tools/setup.sh [--tests]" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  cat >&2 <<MESSAGE
setup: this script installs packages with apt-get, which this system does not have.
Install the equivalents of these Debian 12 packages, then run it again with RLX_SKIP_SETUP=1
(LLVM, MLIR and LLD must be version 22.1):
  ${packages[*]}
MESSAGE
  [ -n "${RLX_SKIP_SETUP:-}" ] && exit 0
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
[ -n "${RLX_SKIP_SETUP:-}" ] && { echo "setup: skipped; missing: ${missing[*]}" >&2; exit 0; }

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup: run as root, or install: ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${sudo[@]}" apt-get update -qq
if ! apt-cache show llvm-22-dev >/dev/null 2>&1; then
  echo "setup: this release's package lists have no llvm-22-dev; on Debian 12 enable" \
       "bookworm-security, elsewhere install LLVM, MLIR and LLD 22.1 by hand" >&2
  exit 1
fi
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  "${missing[@]}" >/dev/null
