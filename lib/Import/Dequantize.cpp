//===- Dequantize.cpp - Rows of stored elements to floats -----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Block layouts (all little-endian, d and m are f16):
//   q8_0  d, 32 × i8                              x = d q
//   q4_0  d, 16 bytes                             x = d (q - 8)
//   q4_1  d, m, 16 bytes                          x = d q + m
//   q5_0  d, 32 high bits, 16 bytes               x = d (q - 16)
//   q5_1  d, m, 32 high bits, 16 bytes            x = d q + m
// Byte i of the 16 holds element i in its low and element i + 16 in its high
// nibble; high bit i is bit 4 of element i. The k-types are described below.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Dequantize.h"
#include <array>
#include <cassert>
#include <cstring>

using namespace rlx;

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
// Blocks
//===----------------------------------------------------------------------===//

static uint16_t load16(const uint8_t *p) { return static_cast<uint16_t>(p[0] | p[1] << 8); }
static float loadHalf(const uint8_t *p) { return halfToFloat(load16(p)); }

static uint32_t load32(const uint8_t *p) {
  return uint32_t(p[0]) | uint32_t(p[1]) << 8 | uint32_t(p[2]) << 16 | uint32_t(p[3]) << 24;
}

/// Element `k` of 32 that 16 bytes of nibbles hold.
static int nibble(const uint8_t *quants, int k) {
  return k < 16 ? quants[k] & 15 : quants[k - 16] >> 4;
}

static void decodeQ8_0(const uint8_t *block, float *out) {
  float d = loadHalf(block);
  for (int k = 0; k < 32; ++k)
    out[k] = d * static_cast<float>(static_cast<int8_t>(block[2 + k]));
}

static void decodeQ4_0(const uint8_t *block, float *out) {
  float d = loadHalf(block);
  for (int k = 0; k < 32; ++k)
    out[k] = d * static_cast<float>(nibble(block + 2, k) - 8);
}

static void decodeQ4_1(const uint8_t *block, float *out) {
  float d = loadHalf(block), m = loadHalf(block + 2);
  for (int k = 0; k < 32; ++k)
    out[k] = d * static_cast<float>(nibble(block + 4, k)) + m;
}

static void decodeQ5_0(const uint8_t *block, float *out) {
  float d = loadHalf(block);
  uint32_t high = load32(block + 2);
  for (int k = 0; k < 32; ++k) {
    int q = nibble(block + 6, k) | static_cast<int>(high >> k & 1) << 4;
    out[k] = d * static_cast<float>(q - 16);
  }
}

static void decodeQ5_1(const uint8_t *block, float *out) {
  float d = loadHalf(block), m = loadHalf(block + 2);
  uint32_t high = load32(block + 4);
  for (int k = 0; k < 32; ++k) {
    int q = nibble(block + 8, k) | static_cast<int>(high >> k & 1) << 4;
    out[k] = d * static_cast<float>(q) + m;
  }
}

/// The 6-bit scale and minimum of group `j` (of 8) that q4_k and q5_k pack into
/// 12 bytes: groups 0-3 whole in bytes 0-3 (scales) and 4-7 (minima); groups 4-7
/// have their low four bits in bytes 8-11 and their high two on top of bytes 0-7.
static std::pair<int, int> groupScale(const uint8_t *packed, int j) {
  if (j < 4)
    return {packed[j] & 63, packed[j + 4] & 63};
  return {(packed[j + 4] & 15) | packed[j - 4] >> 6 << 4, packed[j + 4] >> 4 | packed[j] >> 6 << 4};
}

/// q4_k: d, dmin, 12 bytes of group scales, 128 bytes; x = d s q - dmin m. Groups
/// 2i and 2i+1 of 32 elements are the low and high nibbles of 32 bytes.
static void decodeQ4_K(const uint8_t *block, float *out) {
  float d = loadHalf(block), dmin = loadHalf(block + 2);
  for (int group = 0; group < 8; ++group) {
    auto [scale, minimum] = groupScale(block + 4, group);
    float ds = d * static_cast<float>(scale), dm = dmin * static_cast<float>(minimum);
    const uint8_t *quants = block + 16 + group / 2 * 32;
    for (int k = 0; k < 32; ++k)
      out[group * 32 + k] = ds * static_cast<float>(quants[k] >> (group % 2 * 4) & 15) - dm;
  }
}

/// q5_k: as q4_k with 32 bytes of high bits first; bit g of byte k belongs to
/// element k of group g.
static void decodeQ5_K(const uint8_t *block, float *out) {
  float d = loadHalf(block), dmin = loadHalf(block + 2);
  const uint8_t *high = block + 16;
  for (int group = 0; group < 8; ++group) {
    auto [scale, minimum] = groupScale(block + 4, group);
    float ds = d * static_cast<float>(scale), dm = dmin * static_cast<float>(minimum);
    const uint8_t *quants = block + 48 + group / 2 * 32;
    for (int k = 0; k < 32; ++k) {
      int q = (quants[k] >> (group % 2 * 4) & 15) | (high[k] >> group & 1) << 4;
      out[group * 32 + k] = ds * static_cast<float>(q) - dm;
    }
  }
}

/// q6_k: 128 bytes of low nibbles, 64 of high bit pairs, 16 i8 scales of 16
/// elements each, d; x = d s (q - 32). Each half of 128 elements has four runs
/// of 32: nibbles low, low, high, high of bytes 0-31, 32-63, 0-31, 32-63, and
/// bit pairs 0, 2, 4, 6 of bytes 0-31.
static void decodeQ6_K(const uint8_t *block, float *out) {
  float d = loadHalf(block + 208);
  for (int k = 0; k < 256; ++k) {
    int half = k / 128, run = k / 32 % 4, i = k % 32;
    int low = block[half * 64 + run % 2 * 32 + i] >> (run / 2 * 4) & 15;
    int high = block[128 + half * 32 + i] >> (run * 2) & 3;
    int scale = static_cast<int8_t>(block[192 + k / 16]);
    out[k] = d * static_cast<float>(scale) * static_cast<float>((low | high << 4) - 32);
  }
}

using BlockDecoder = void (*)(const uint8_t *block, float *out);

static BlockDecoder decoderOf(DType type) {
  switch (type) {
  case DType::F32:
    return [](const uint8_t *p, float *out) { *out = bitsToFloat(load32(p)); };
  case DType::F16:
    return [](const uint8_t *p, float *out) { *out = loadHalf(p); };
  case DType::BF16:
    return [](const uint8_t *p, float *out) { *out = bfloat16ToFloat(load16(p)); };
  case DType::Q8_0:
    return decodeQ8_0;
  case DType::Q4_0:
    return decodeQ4_0;
  case DType::Q4_1:
    return decodeQ4_1;
  case DType::Q5_0:
    return decodeQ5_0;
  case DType::Q5_1:
    return decodeQ5_1;
  case DType::Q4_K:
    return decodeQ4_K;
  case DType::Q5_K:
    return decodeQ5_K;
  case DType::Q6_K:
    return decodeQ6_K;
  case DType::Unsupported:
    break;
  }
  assert(false && "expected a supported element type");
  return nullptr;
}

void rlx::dequantizeRow(DType type, llvm::ArrayRef<uint8_t> bytes,
                        llvm::MutableArrayRef<float> values) {
  const DTypeInfo &info = getDTypeInfo(type);
  size_t blocks = values.size() / info.blockElements;
  assert(values.size() % info.blockElements == 0 && bytes.size() >= blocks * info.blockBytes);
  BlockDecoder decode = decoderOf(type);
  for (size_t b = 0; b < blocks; ++b)
    decode(bytes.data() + b * info.blockBytes, values.data() + b * info.blockElements);
}

void rlx::unpackRow(DType type, llvm::ArrayRef<uint8_t> bytes, llvm::MutableArrayRef<int8_t> quants,
                    llvm::MutableArrayRef<uint16_t> scales) {
  assert((type == DType::Q8_0 || type == DType::Q4_0) && quants.size() == scales.size() * 32);
  unsigned blockBytes = getDTypeInfo(type).blockBytes;
  assert(bytes.size() >= scales.size() * blockBytes);
  for (size_t b = 0; b < scales.size(); ++b) {
    const uint8_t *block = bytes.data() + b * blockBytes;
    scales[b] = load16(block);
    for (int k = 0; k < 32; ++k)
      quants[b * 32 + k] = static_cast<int8_t>(
          type == DType::Q8_0 ? static_cast<int8_t>(block[2 + k]) : nibble(block + 2, k) - 8);
  }
}
