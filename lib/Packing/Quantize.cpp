//===- Quantize.cpp - Rows of floats to blocks ----------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The q8_0 and q4_0 quantisers.
//===----------------------------------------------------------------------===//
#include "rlx/Packing/Quantize.h"
#include "rlx/Import/Dequantize.h"
#include "rlx/Packing/Layouts.h"
#include <algorithm>
#include <cassert>
#include <cmath>

using namespace rlx;

/// Keeps what came from a NaN or an infinity inside the format's range: converting
/// an out-of-range float to an integer is undefined.
static int clampToInt(float value, int low, int high) {
  if (!(value > static_cast<float>(low)))
    return low;
  return value < static_cast<float>(high) ? static_cast<int>(value) : high;
}

void rlx::quantizeRowQ8_0(llvm::ArrayRef<float> values, llvm::MutableArrayRef<int8_t> quants,
                          llvm::MutableArrayRef<uint16_t> scales) {
  assert(values.size() == quants.size() && values.size() == scales.size() * kQuantBlock);
  for (size_t block = 0; block < scales.size(); ++block) {
    llvm::ArrayRef<float> x = values.slice(block * kQuantBlock, kQuantBlock);
    float largest = 0.0f;
    for (float value : x)
      largest = std::max(largest, std::fabs(value));
    float scale = largest / 127.0f;
    float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
    scales[block] = floatToHalf(scale);
    for (size_t i = 0; i < kQuantBlock; ++i)
      quants[block * kQuantBlock + i] =
          static_cast<int8_t>(clampToInt(std::round(x[i] * inverse), -128, 127));
  }
}

void rlx::quantizeRowQ4_0(llvm::ArrayRef<float> values, llvm::MutableArrayRef<int8_t> quants,
                          llvm::MutableArrayRef<uint16_t> scales) {
  assert(values.size() == quants.size() && values.size() == scales.size() * kQuantBlock);
  for (size_t block = 0; block < scales.size(); ++block) {
    llvm::ArrayRef<float> x = values.slice(block * kQuantBlock, kQuantBlock);
    float extreme = 0.0f;
    for (float value : x)
      if (std::fabs(value) > std::fabs(extreme))
        extreme = value;
    float scale = extreme / -8.0f;
    float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
    scales[block] = floatToHalf(scale);
    for (size_t i = 0; i < kQuantBlock; ++i)
      quants[block * kQuantBlock + i] =
          static_cast<int8_t>(clampToInt(x[i] * inverse + 8.5f, 0, 15) - 8);
  }
}
