//===- Dequantize.cpp - Rows of stored elements to floats -----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Conversions of scalars, and the values of unpacked blocks.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Dequantize.h"
#include "llvm/Support/Endian.h"
#include <cassert>
#include <cstring>

using namespace rlx;
using llvm::support::endian::read16le;
using llvm::support::endian::read32le;

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

static uint32_t floatBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

static float bitsToFloat(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

float rlx::halfToFloat(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 0x1f;
  uint32_t mantissa = bits & 0x3ff;
  if (exponent == 0x1f) // infinity and NaN
    return bitsToFloat(sign | 0x7f800000 | mantissa << 13);
  if (exponent != 0)
    return bitsToFloat(sign | (exponent + 112) << 23 | mantissa << 13);
  float magnitude = static_cast<float>(mantissa) * 0x1p-24f; // subnormal or zero
  return bitsToFloat(sign | floatBits(magnitude));
}

float rlx::bfloat16ToFloat(uint16_t bits) { return bitsToFloat(uint32_t(bits) << 16); }

uint16_t rlx::floatToBfloat16(float value) {
  uint32_t bits = floatBits(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

uint16_t rlx::floatToHalf(float value) {
  uint32_t bits = floatBits(value);
  uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  bits &= 0x7fffffff;
  if (bits > 0x7f800000)
    return sign | 0x7e00 | static_cast<uint16_t>(bits >> 13 & 0x3ff);
  if (bits >= 0x47800000) // 65536 and above, infinity
    return sign | 0x7c00;
  if (bits < 0x38800000) { // below 2^-14: a subnormal counts in units of 2^-24
    // Adding 0.5 leaves exactly the units, rounded to even, in the low bits.
    return sign | static_cast<uint16_t>(floatBits(bitsToFloat(bits) + 0.5f) - floatBits(0.5f));
  }
  // A carry out of the mantissa moves into the exponent, up to infinity.
  return sign | static_cast<uint16_t>((bits - (112u << 23) + 0xfff + (bits >> 13 & 1)) >> 13);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

void BlockRow::resize(WeightFormat rowFormat, size_t columns) {
  format = rowFormat;
  const BlockFormat &blocks = blockFormat(format);
  assert(columns % blocks.scaleColumns == 0 && "a block would be cut");
  size_t groups = columns / blocks.groupColumns;
  codes.resize(columns);
  d.resize(columns / blocks.scaleColumns);
  m.resize(blocks.minima ? d.size() : 0);
  scales.resize(blocks.integerScales ? groups : 0);
  minima.resize(blocks.integerScales && blocks.minima ? groups : 0);
}

void BlockRow::clear() {
  const BlockFormat &blocks = blockFormat(format);
  std::fill(codes.begin(), codes.end(), static_cast<uint8_t>(blocks.codebook ? 0 : blocks.offset));
  std::fill(d.begin(), d.end(), 0);
  std::fill(m.begin(), m.end(), 0);
  std::fill(scales.begin(), scales.end(), 0);
  std::fill(minima.begin(), minima.end(), 0);
}

int BlockRow::quant(size_t k) const {
  const BlockFormat &blocks = blockFormat(format);
  return blocks.codebook ? kCodebook[codes[k]] : codes[k] - blocks.offset;
}

float BlockRow::scale(size_t group) const {
  float scale = halfToFloat(d[group / blockFormat(format).groups()]);
  return scales.empty() ? scale : scale * static_cast<float>(scales[group]);
}

float BlockRow::minimum(size_t group) const {
  if (m.empty())
    return 0.0f;
  float minimum = halfToFloat(m[group / blockFormat(format).groups()]);
  return minima.empty() ? minimum : -(minimum * static_cast<float>(minima[group]));
}

void BlockRow::values(llvm::MutableArrayRef<float> values) const {
  assert(values.size() == codes.size());
  size_t columns = blockFormat(format).groupColumns;
  for (size_t group = 0; group < codes.size() / columns; ++group) {
    float factor = scale(group), summand = minimum(group);
    for (size_t k = group * columns; k < (group + 1) * columns; ++k) {
      float product = factor * static_cast<float>(quant(k));
      values[k] = m.empty() ? product : product + summand;
    }
  }
}

void rlx::dequantizeRow(DType type, llvm::ArrayRef<uint8_t> bytes,
                        llvm::MutableArrayRef<float> values) {
  assert(type != DType::Unsupported && "expected a supported element type");
  if (isQuantized(type)) {
    BlockRow row;
    row.resize(formatOf(type), values.size());
    unpackRow(type, bytes, row);
    return row.values(values);
  }
  assert(bytes.size() >= values.size() * getDTypeInfo(type).blockBytes);
  const uint8_t *p = bytes.data();
  for (size_t k = 0; k < values.size(); ++k)
    values[k] = type == DType::F32   ? bitsToFloat(read32le(p + k * 4))
                : type == DType::F16 ? halfToFloat(read16le(p + k * 2))
                                     : bfloat16ToFloat(read16le(p + k * 2));
}
