//===- TestWeights.h - Random packed weights for tests ----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Weights in r16 panels beside the numbers that they stand for.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_KERNELS_TESTWEIGHTS_H
#define RLX_TEST_UNIT_KERNELS_TESTWEIGHTS_H

#include "KernelHarness.h"

namespace rlx::test {

struct TestWeights {
  Buffer<uint8_t> packed;
  std::vector<float> values;     ///< [n][k], exact
  std::vector<float> magnitudes; ///< [n][k], |scale * quant| + |minimum|
  int64_t n, k;

  /// All codes of the format occur, and scales as wide as files have them.
  TestWeights(WeightFormat format, int64_t n, int64_t k, uint32_t seed);

  /// Makes the values those that a matrix unit multiplies.
  void roundValuesToBF16();
};

float halfToFloat(uint16_t bits);
uint16_t floatToHalf(float value);
float bf16ToFloat(uint16_t bits);
uint16_t floatToBF16(float value);

} // namespace rlx::test

#endif // RLX_TEST_UNIT_KERNELS_TESTWEIGHTS_H
