//===- DequantizeTest.cpp - Decoding of stored elements -------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Every element type against reference values, exactly.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Dequantize.h"
#include "DequantizeGolden.h"
#include "gmock/gmock.h"
#include <cmath>
#include <cstring>
#include <limits>

using namespace rlx;

namespace {

uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

struct BlockCase {
  const char *name;
  DType type;
  llvm::ArrayRef<uint8_t> block;
  llvm::ArrayRef<uint32_t> bits;
};

const BlockCase blockCases[] = {
    {"q8_0", DType::Q8_0, golden::q80Block, golden::q80Bits},
    {"q4_0", DType::Q4_0, golden::q40Block, golden::q40Bits},
    {"q4_1", DType::Q4_1, golden::q41Block, golden::q41Bits},
    {"q5_0", DType::Q5_0, golden::q50Block, golden::q50Bits},
    {"q5_1", DType::Q5_1, golden::q51Block, golden::q51Bits},
    {"q2_k", DType::Q2_K, golden::q2kBlock, golden::q2kBits},
    {"q3_k", DType::Q3_K, golden::q3kBlock, golden::q3kBits},
    {"q4_k", DType::Q4_K, golden::q4kBlock, golden::q4kBits},
    {"q5_k", DType::Q5_K, golden::q5kBlock, golden::q5kBits},
    {"q6_k", DType::Q6_K, golden::q6kBlock, golden::q6kBits},
    {"iq4_nl", DType::IQ4_NL, golden::iq4nlBlock, golden::iq4nlBits},
    {"iq4_xs", DType::IQ4_XS, golden::iq4xsBlock, golden::iq4xsBits},
};

TEST(Dequantize, BlocksEqualReference) {
  for (const BlockCase &c : blockCases) {
    SCOPED_TRACE(c.name);
    ASSERT_EQ(parseDType(c.name), c.type);
    ASSERT_EQ(getDTypeInfo(c.type).blockElements, c.bits.size());
    ASSERT_EQ(getDTypeInfo(c.type).blockBytes, c.block.size());
    // Two blocks in a row, at an odd address: the second must not see the first.
    std::vector<uint8_t> bytes(1, 0xff);
    bytes.insert(bytes.end(), c.block.begin(), c.block.end());
    bytes.insert(bytes.end(), c.block.begin(), c.block.end());
    std::vector<float> values(2 * c.bits.size());
    dequantizeRow(c.type, llvm::ArrayRef(bytes).drop_front(), values);
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(bitsOf(values[i]), c.bits[i % c.bits.size()]) << "element " << i;
  }
}

TEST(Dequantize, UnpackedFieldsFitTheFormat) {
  for (const BlockCase &c : blockCases) {
    SCOPED_TRACE(c.name);
    const BlockFormat &format = blockFormat(formatOf(c.type));
    ASSERT_EQ(format.scaleColumns, c.bits.size());
    BlockRow row;
    row.resize(formatOf(c.type), c.bits.size());
    unpackRow(c.type, c.block, row);
    for (size_t k = 0; k < c.bits.size(); ++k) {
      ASSERT_LT(row.codes[k], 1 << format.bits);
      float value = row.scale(k / format.groupColumns) * static_cast<float>(row.quant(k));
      if (format.minima)
        value += row.minimum(k / format.groupColumns);
      EXPECT_EQ(bitsOf(value), c.bits[k]);
    }
    row.clear();
    std::vector<float> values(c.bits.size());
    row.values(values);
    EXPECT_EQ(values, std::vector<float>(c.bits.size(), 0.0f));
  }
}

TEST(Dequantize, EveryHalfRoundTrips) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    auto half = static_cast<uint16_t>(bits);
    float value = halfToFloat(half);
    if ((half & 0x7c00) == 0x7c00 && (half & 0x3ff) != 0)
      EXPECT_TRUE(std::isnan(value));
    else
      ASSERT_EQ(floatToHalf(value), half) << value;
  }
  EXPECT_EQ(halfToFloat(0x3555), 0.333251953125f);
  EXPECT_EQ(halfToFloat(0x0001), 0x1p-24f);
  EXPECT_EQ(halfToFloat(0xfbff), -65504.0f);
}

TEST(Dequantize, RoundsHalfToNearestEven) {
  EXPECT_EQ(floatToHalf(1.0f + 0x1p-11f), 0x3c00); // tie to even, down
  EXPECT_EQ(floatToHalf(1.0f + 0x3p-11f), 0x3c02); // tie to even, up
  EXPECT_EQ(floatToHalf(1.0f + 0x1p-11f + 0x1p-20f), 0x3c01);
  EXPECT_EQ(floatToHalf(65519.0f), 0x7bff);
  EXPECT_EQ(floatToHalf(65520.0f), 0x7c00);
  EXPECT_EQ(floatToHalf(0x1p-25f), 0x0000);
  EXPECT_EQ(floatToHalf(-0x3p-25f), 0x8002);
  EXPECT_EQ(floatToHalf(0x1.ffcp-15f), 0x0400); // the largest subnormal rounds up
  EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(std::nanf("")))));
}

TEST(Dequantize, RoundsBfloat16ToNearestEven) {
  EXPECT_EQ(floatToBfloat16(1.0f + 0x1p-8f), 0x3f80);
  EXPECT_EQ(floatToBfloat16(1.0f + 0x3p-8f), 0x3f82);
  EXPECT_EQ(floatToBfloat16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_TRUE(std::isnan(bfloat16ToFloat(floatToBfloat16(std::nanf("")))));
  EXPECT_EQ(bfloat16ToFloat(0xc049), -3.140625f);
}

TEST(Dequantize, FloatTypes) {
  const uint8_t f32[] = {0, 0, 0xc0, 0x3f}, f16[] = {0, 0x3e}, bf16[] = {0xc0, 0x3f};
  float value = 0;
  dequantizeRow(DType::F32, f32, value);
  EXPECT_EQ(value, 1.5f);
  dequantizeRow(DType::F16, f16, value);
  EXPECT_EQ(value, 1.5f);
  dequantizeRow(DType::BF16, bf16, value);
  EXPECT_EQ(value, 1.5f);
}

} // namespace
