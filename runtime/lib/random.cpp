//===-- runtime/lib/random.cpp - portable random numbers and exp -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements Philox and exp with operations that IEEE 754 and C++ define
// exactly; compiled without contraction to fused multiply-adds.
//===----------------------------------------------------------------------===//
#include "random.h"

#include <cmath>

namespace rlx {

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t product0 = uint64_t(0xD2511F53u) * c[0];
    uint64_t product1 = uint64_t(0xCD9E8D57u) * c[2];
    c = {uint32_t(product1 >> 32) ^ c[1] ^ key[0], uint32_t(product1),
         uint32_t(product0 >> 32) ^ c[3] ^ key[1], uint32_t(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return c;
}

double uniformAt(uint64_t seed, uint64_t position) {
  std::array<uint32_t, 4> bits = philox({uint32_t(position), uint32_t(position >> 32), 0, 0},
                                        {uint32_t(seed), uint32_t(seed >> 32)});
  uint64_t mantissa = (uint64_t(bits[0]) << 32 | bits[1]) >> 11;
  return static_cast<double>(mantissa) * 0x1p-53;
}

double portableExp(double x) {
  if (x < -745.0)
    return 0.0;
  // x = k ln 2 + r with |r| <= ln 2 / 2; ln 2 in two parts keeps r exact.
  double k = std::floor(x * 1.4426950408889634 + 0.5);
  double r = (x - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10;
  // Taylor series to r^13 / 13!, whose rest is below 2^-53 for this range of r.
  static constexpr double inverseFactorials[] = {1.0,
                                                 1.0,
                                                 1.0 / 2,
                                                 1.0 / 6,
                                                 1.0 / 24,
                                                 1.0 / 120,
                                                 1.0 / 720,
                                                 1.0 / 5040,
                                                 1.0 / 40320,
                                                 1.0 / 362880,
                                                 1.0 / 3628800,
                                                 1.0 / 39916800,
                                                 1.0 / 479001600,
                                                 1.0 / 6227020800};
  double sum = 0.0;
  for (int n = 13; n >= 0; --n)
    sum = sum * r + inverseFactorials[n];
  return std::ldexp(sum, static_cast<int>(k));
}

} // namespace rlx
