//===-- runtime/lib/sha256.h - SHA-256 -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// SHA-256 (FIPS 180-4), the identity of payload entries.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_SHA256_H
#define RLX_RUNTIME_LIB_SHA256_H

#include "rlx/runtime/span.h"

#include <array>
#include <cstdint>
#include <string>

namespace rlx {

using Sha256 = std::array<uint8_t, 32>;

Sha256 sha256(Span<const uint8_t> bytes);
/// 64 lower-case hexadecimal digits.
std::string hexDigits(const Sha256 &hash);

} // namespace rlx

#endif // RLX_RUNTIME_LIB_SHA256_H
