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

BlockRow quantize(WeightFormat format, llvm::ArrayRef<float> values) {
  BlockRow row;
  quantizeRow(format, values, row);
  return row;
}

std::vector<float> valuesOf(const BlockRow &row) {
  std::vector<float> values(row.codes.size());
  row.values(values);
  return values;
}

std::vector<int> quantsOf(const BlockRow &row, size_t count) {
  std::vector<int> quants;
  for (size_t k = 0; k < count; ++k)
    quants.push_back(row.quant(k));
  return quants;
}

/// The root of the mean squared error in units of that of the values.
double relativeError(llvm::ArrayRef<float> values, const BlockRow &row) {
  double error = 0, size = 0;
  for (auto [value, rounded] : llvm::zip(values, valuesOf(row))) {
    error += (double(value) - rounded) * (double(value) - rounded);
    size += double(value) * value;
  }
  return std::sqrt(error / size);
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
  BlockRow q = quantize(WeightFormat::Q8_0, values);
  EXPECT_EQ(q.d[0], 0x3c00);
  EXPECT_EQ(quantsOf(q, 6), (std::vector<int>{127, 3, -3, 0, -127, 0}));
}

TEST(QuantizeTest, Q4KeepsTheSignedExtremeExactly) {
  std::vector<float> values(32, 0.0f);
  values[0] = 8.0f; // a scale of minus one: the extreme is -8
  values[1] = 7.0f;
  values[2] = -7.0f;
  values[3] = -8.0f; // one beyond the range on this side
  values[4] = 0.5f;
  BlockRow q = quantize(WeightFormat::Q4_0, values);
  EXPECT_EQ(q.d[0], 0xbc00);
  EXPECT_EQ(quantsOf(q, 6), (std::vector<int>{-8, -7, 7, 7, 0, 0}));
}

TEST(QuantizeTest, ErrorsAreWithinHalfAStep) {
  std::vector<float> values = randomValues(32 * 64, 1);
  std::vector<float> q8 = valuesOf(quantize(WeightFormat::Q8_0, values));
  std::vector<float> q4 = valuesOf(quantize(WeightFormat::Q4_0, values));
  for (size_t i = 0; i < values.size(); ++i) {
    float largest = largestOfBlock(values, i);
    // Half a step, and up to 127 (8) times the rounding of the scale to f16.
    EXPECT_LE(std::fabs(q8[i] - values[i]), largest * (0.5f / 127 + 0x1p-11f)) << i;
    // On the side that has no -8 the last step is a whole one.
    EXPECT_LE(std::fabs(q4[i] - values[i]), largest * (1.0f / 8 + 0x1p-11f)) << i;
  }
}

TEST(QuantizeTest, Q8OfItsOwnValuesKeepsTheQuants) {
  BlockRow once = quantize(WeightFormat::Q8_0, randomValues(32 * 16, 2));
  BlockRow twice = quantize(WeightFormat::Q8_0, valuesOf(once));
  EXPECT_EQ(once.codes, twice.codes);
  EXPECT_EQ(once.d, twice.d);
}

// What the formats can hold exactly comes back exactly.
TEST(QuantizeTest, SearchesFindExactScales) {
  std::vector<float> values(256);
  for (size_t k = 0; k < values.size(); ++k)
    values[k] = 0.25f * float(int(k * 7 % 32) - 16);
  EXPECT_EQ(valuesOf(quantize(WeightFormat::Q5_0, values)), values);
  for (size_t k = 0; k < values.size(); ++k)
    values[k] = 0.5f * float(1 + k / 16) * float(int(k * 5 % 16) * 4 - 32);
  EXPECT_LT(relativeError(values, quantize(WeightFormat::Q6_K, values)), 0.01);
  for (size_t k = 0; k < values.size(); ++k) // d = 1/2, scales 63 and 21, m = 1/4, minima 63
    values[k] = 0.5f * (k < 128 ? 63.0f : 21.0f) * float(k * 3 % 16) - 0.25f * 63.0f;
  EXPECT_LT(relativeError(values, quantize(WeightFormat::Q4_K, values)), 1e-3);
}

// Normal numbers: the search beats the steps that the largest number asks for, and
// each bit about halves the error.
TEST(QuantizeTest, SearchesLowerTheError) {
  std::vector<float> values = randomValues(256 * 64, 4);
  auto error = [&](WeightFormat format) { return relativeError(values, quantize(format, values)); };
  double plain = error(WeightFormat::Q4_0);
  EXPECT_LT(error(WeightFormat::Q4_K), 0.9 * plain);
  EXPECT_LT(error(WeightFormat::Q5_0), 0.55 * plain);
  EXPECT_LT(error(WeightFormat::Q6_K), 0.3 * plain);
}

TEST(QuantizeTest, ZeroAndUnusualBlocks) {
  for (WeightFormat format : {WeightFormat::Q8_0, WeightFormat::Q4_0, WeightFormat::Q5_0,
                              WeightFormat::Q4_K, WeightFormat::Q6_K}) {
    ASSERT_TRUE(canQuantize(format));
    BlockRow zero = quantize(format, std::vector<float>(256, 0.0f));
    EXPECT_EQ(valuesOf(zero), std::vector<float>(256, 0.0f));
    std::vector<float> odd(256, std::numeric_limits<float>::quiet_NaN());
    odd[1] = std::numeric_limits<float>::infinity();
    odd[100] = 1e30f;
    for (uint8_t code : quantize(format, odd).codes)
      EXPECT_LT(code, 1 << blockFormat(format).bits); // ran without undefined conversions
  }
}
