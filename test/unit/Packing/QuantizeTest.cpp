//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Checks the quantisers: reference values, error bounds, and fixed points.

#include "rlx/Packing/Quantize.h"
#include "rlx/Import/Dequantize.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace rlx;

namespace {

using Quantizer = void (*)(llvm::ArrayRef<float>, llvm::MutableArrayRef<int8_t>,
                           llvm::MutableArrayRef<uint16_t>);

struct Quantized {
  std::vector<int8_t> quants;
  std::vector<uint16_t> scales;

  float value(size_t i) const { return halfToFloat(scales[i / 32]) * quants[i]; }
};

Quantized quantize(Quantizer quantizer, llvm::ArrayRef<float> values) {
  Quantized result{std::vector<int8_t>(values.size()), std::vector<uint16_t>(values.size() / 32)};
  quantizer(values, result.quants, result.scales);
  return result;
}

std::vector<float> randomValues(size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0.0f, 0.05f);
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(engine);
  return values;
}

float largestOfBlock(llvm::ArrayRef<float> values, size_t i) {
  float largest = 0.0f;
  for (float value : values.slice(i / 32 * 32, 32))
    largest = std::max(largest, std::fabs(value));
  return largest;
}

} // namespace

TEST(QuantizeTest, Q8RoundsHalvesAwayFromZero) {
  std::vector<float> values(32, 0.0f);
  values[0] = 127.0f; // a scale of one
  values[1] = 2.5f;
  values[2] = -2.5f;
  values[3] = 0.49f;
  values[4] = -127.0f;
  Quantized q = quantize(quantizeRowQ8_0, values);
  EXPECT_EQ(q.scales[0], 0x3c00);
  EXPECT_EQ((std::vector<int>{127, 3, -3, 0, -127, 0}),
            std::vector<int>(q.quants.begin(), q.quants.begin() + 6));
}

TEST(QuantizeTest, Q4KeepsTheSignedExtremeExactly) {
  std::vector<float> values(32, 0.0f);
  values[0] = 8.0f; // a scale of minus one: the extreme is -8
  values[1] = 7.0f;
  values[2] = -7.0f;
  values[3] = -8.0f; // one beyond the range on this side
  values[4] = 0.5f;
  Quantized q = quantize(quantizeRowQ4_0, values);
  EXPECT_EQ(q.scales[0], 0xbc00);
  EXPECT_EQ((std::vector<int>{-8, -7, 7, 7, 0, 0}),
            std::vector<int>(q.quants.begin(), q.quants.begin() + 6));
}

TEST(QuantizeTest, ErrorsAreWithinHalfAStep) {
  std::vector<float> values = randomValues(32 * 64, 1);
  Quantized q8 = quantize(quantizeRowQ8_0, values), q4 = quantize(quantizeRowQ4_0, values);
  for (size_t i = 0; i < values.size(); ++i) {
    float largest = largestOfBlock(values, i);
    // Half a step, and up to 127 (8) times the rounding of the scale to f16.
    EXPECT_LE(std::fabs(q8.value(i) - values[i]), largest * (0.5f / 127 + 0x1p-11f)) << i;
    // On the side that has no -8 the last step is a whole one.
    EXPECT_LE(std::fabs(q4.value(i) - values[i]), largest * (1.0f / 8 + 0x1p-11f)) << i;
  }
}

TEST(QuantizeTest, Q8OfItsOwnValuesKeepsTheQuants) {
  std::vector<float> values = randomValues(32 * 16, 2);
  Quantized once = quantize(quantizeRowQ8_0, values);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = once.value(i);
  Quantized twice = quantize(quantizeRowQ8_0, values);
  EXPECT_EQ(once.quants, twice.quants);
  EXPECT_EQ(once.scales, twice.scales);
}

TEST(QuantizeTest, ZeroAndUnusualBlocks) {
  for (Quantizer quantizer : {quantizeRowQ8_0, quantizeRowQ4_0}) {
    Quantized zero = quantize(quantizer, std::vector<float>(32, 0.0f));
    EXPECT_EQ(zero.value(5), 0.0f);
    std::vector<float> odd(32, std::numeric_limits<float>::quiet_NaN());
    odd[1] = std::numeric_limits<float>::infinity();
    for (int8_t quant : quantize(quantizer, odd).quants)
      EXPECT_TRUE(quant >= -128 && quant <= 127); // ran without undefined conversions
  }
}
