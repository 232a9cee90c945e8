//===-- runtime/lib/half.h - 16-bit floats to f32 -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Exact conversions of the 16-bit float formats to f32, for reading KV rows.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_HALF_H
#define RLX_RUNTIME_LIB_HALF_H

#include <cstdint>
#include <cstring>

namespace rlx {

inline float floatFromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

inline float floatFromBF16(uint16_t bits) { return floatFromBits(uint32_t(bits) << 16); }

inline float floatFromF16(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t magnitude = bits & 0x7fff;
  if (magnitude >= 0x7c00) // infinity or NaN: the largest exponent in both formats
    return floatFromBits(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  // Shifted into place the exponent is 112 too small; a product with 2^112 mends
  // that exactly, for subnormal numbers too.
  return floatFromBits(sign | magnitude << 13) * 0x1p112f;
}

} // namespace rlx

#endif // RLX_RUNTIME_LIB_HALF_H
