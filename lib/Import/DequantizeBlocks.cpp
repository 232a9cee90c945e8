//===- DequantizeBlocks.cpp - Stored blocks into their fields -------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Layouts of stored blocks, all little-endian; d and m are f16:
//   q8_0    d, 32 x i8                          iq4_nl  d, 16 bytes
//   q4_0    d, 16 bytes                         q4_1    d, m, 16 bytes
//   q5_0    d, 32 high bits, 16 bytes           q5_1    d, m, 32 high bits, 16 bytes
// Byte i of the 16 holds element i in its low and element i + 16 in its high
// nibble; high bit i is bit 4 of element i. The blocks of 256 are described below;
// rlx/Target/WeightFormat.h says which numbers the fields make.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Dequantize.h"
#include "llvm/Support/Endian.h"
#include <cassert>

using namespace rlx;
using llvm::support::endian::read16le;
using llvm::support::endian::read32le;

namespace {
/// Where the fields of one block go.
struct BlockFields {
  uint8_t *codes;
  uint16_t *d, *m;
  int8_t *scales;
  uint8_t *minima;
};
} // namespace

static void unpackNibbles(const uint8_t *bytes, uint8_t *codes) {
  for (int i = 0; i < 16; ++i) {
    codes[i] = bytes[i] & 15;
    codes[i + 16] = bytes[i] >> 4;
  }
}

static void unpackQ8_0(const uint8_t *block, const BlockFields &out) {
  *out.d = read16le(block);
  for (int k = 0; k < 32; ++k)
    out.codes[k] = block[2 + k] ^ 0x80; // the offset is 128
}

/// q4_0, q4_1, q5_0, q5_1 and iq4_nl.
template <bool hasMinimum, bool hasHighBits>
static void unpackShort(const uint8_t *block, const BlockFields &out) {
  *out.d = read16le(block);
  block += 2;
  if (hasMinimum) {
    *out.m = read16le(block);
    block += 2;
  }
  unpackNibbles(block + (hasHighBits ? 4 : 0), out.codes);
  if (hasHighBits)
    for (int k = 0; k < 32; ++k)
      out.codes[k] |= (read32le(block) >> k & 1) << 4;
}

/// Bit pairs of q2_k and q3_k: each half of 128 elements has four runs of 32, the
/// bit pairs 0, 2, 4 and 6 of 32 bytes.
static void unpackPairs(const uint8_t *bytes, uint8_t *codes) {
  for (int k = 0; k < 256; ++k)
    codes[k] = bytes[k / 128 * 32 + k % 32] >> (k / 32 % 4 * 2) & 3;
}

/// q2_k: 16 bytes of scale (low nibble) and minimum (high nibble) of 16 elements
/// each, 64 bytes of bit pairs, d, m.
static void unpackQ2_K(const uint8_t *block, const BlockFields &out) {
  for (int group = 0; group < 16; ++group) {
    out.scales[group] = static_cast<int8_t>(block[group] & 15);
    out.minima[group] = block[group] >> 4;
  }
  unpackPairs(block + 16, out.codes);
  *out.d = read16le(block + 80);
  *out.m = read16le(block + 82);
}

/// q3_k: 32 bytes of high bits, 64 of bit pairs, 12 of scales, d. Bit r of byte i
/// belongs to element i of run r (of 32). The scales, of 16 elements each, are s + 32
/// in 6 bits: the low four are the nibbles of bytes 0-7 as above, the high two of
/// scale j bits 2 (j / 4) of byte 8 + j % 4.
static void unpackQ3_K(const uint8_t *block, const BlockFields &out) {
  unpackPairs(block + 32, out.codes);
  for (int k = 0; k < 256; ++k)
    out.codes[k] |= (block[k % 32] >> (k / 32) & 1) << 2;
  const uint8_t *packed = block + 96;
  for (int j = 0; j < 16; ++j) {
    int low = packed[j % 8] >> (j / 8 * 4) & 15;
    int high = packed[8 + j % 4] >> (j / 4 * 2) & 3;
    out.scales[j] = static_cast<int8_t>((low | high << 4) - 32);
  }
  *out.d = read16le(block + 108);
}

/// The 6-bit scales and minima of 8 groups that q4_k and q5_k pack into 12 bytes:
/// groups 0-3 whole in bytes 0-3 (scales) and 4-7 (minima); groups 4-7 have their
/// low four bits in bytes 8-11 and their high two on top of bytes 0-7.
static void unpackGroups(const uint8_t *packed, const BlockFields &out) {
  for (int j = 0; j < 4; ++j) {
    out.scales[j] = static_cast<int8_t>(packed[j] & 63);
    out.minima[j] = packed[j + 4] & 63;
    out.scales[j + 4] = static_cast<int8_t>((packed[j + 8] & 15) | packed[j] >> 6 << 4);
    out.minima[j + 4] = static_cast<uint8_t>(packed[j + 8] >> 4 | packed[j + 4] >> 6 << 4);
  }
}

/// Groups 2i and 2i + 1 of 32 elements are the low and high nibbles of 32 bytes.
static void unpackNibblePairs(const uint8_t *bytes, uint8_t *codes) {
  for (int k = 0; k < 256; ++k)
    codes[k] = bytes[k / 64 * 32 + k % 32] >> (k / 32 % 2 * 4) & 15;
}

/// q4_k: d, m, 12 bytes of scales and minima, 128 bytes.
static void unpackQ4_K(const uint8_t *block, const BlockFields &out) {
  *out.d = read16le(block);
  *out.m = read16le(block + 2);
  unpackGroups(block + 4, out);
  unpackNibblePairs(block + 16, out.codes);
}

/// q5_k: as q4_k with 32 bytes of high bits before the nibbles; bit g of byte k
/// belongs to element k of group g.
static void unpackQ5_K(const uint8_t *block, const BlockFields &out) {
  *out.d = read16le(block);
  *out.m = read16le(block + 2);
  unpackGroups(block + 4, out);
  unpackNibblePairs(block + 48, out.codes);
  for (int k = 0; k < 256; ++k)
    out.codes[k] |= (block[16 + k % 32] >> (k / 32) & 1) << 4;
}

/// q6_k: 128 bytes of low nibbles, 64 of high bit pairs, 16 i8 scales of 16
/// elements each, d. Each half of 128 elements has four runs of 32: nibbles low,
/// low, high, high of bytes 0-31, 32-63, 0-31, 32-63, and bit pairs 0, 2, 4, 6 of
/// bytes 0-31.
static void unpackQ6_K(const uint8_t *block, const BlockFields &out) {
  for (int k = 0; k < 256; ++k) {
    int half = k / 128, run = k / 32 % 4, i = k % 32;
    int low = block[half * 64 + run % 2 * 32 + i] >> (run / 2 * 4) & 15;
    int high = block[128 + half * 32 + i] >> (run * 2) & 3;
    out.codes[k] = static_cast<uint8_t>(low | high << 4);
  }
  for (int group = 0; group < 16; ++group)
    out.scales[group] = static_cast<int8_t>(block[192 + group]);
  *out.d = read16le(block + 208);
}

/// iq4_xs: d, 16 bits, 4 bytes, 8 x 16 bytes as iq4_nl's. The scales, of 32 elements
/// each, are s + 32 in 6 bits: the low four are nibbles of the bytes, the high two
/// bit pairs of the 16 bits.
static void unpackIQ4_XS(const uint8_t *block, const BlockFields &out) {
  *out.d = read16le(block);
  uint16_t high = read16le(block + 2);
  for (int group = 0; group < 8; ++group) {
    int low = block[4 + group / 2] >> (group % 2 * 4) & 15;
    out.scales[group] = static_cast<int8_t>((low | (high >> (2 * group) & 3) << 4) - 32);
    unpackNibbles(block + 8 + group * 16, out.codes + group * 32);
  }
}

using Unpack = void (*)(const uint8_t *block, const BlockFields &out);

static Unpack unpackerOf(DType type) {
  switch (type) {
  case DType::Q8_0:
    return unpackQ8_0;
  case DType::Q4_0:
  case DType::IQ4_NL:
    return unpackShort<false, false>;
  case DType::Q4_1:
    return unpackShort<true, false>;
  case DType::Q5_0:
    return unpackShort<false, true>;
  case DType::Q5_1:
    return unpackShort<true, true>;
  case DType::Q2_K:
    return unpackQ2_K;
  case DType::Q3_K:
    return unpackQ3_K;
  case DType::Q4_K:
    return unpackQ4_K;
  case DType::Q5_K:
    return unpackQ5_K;
  case DType::Q6_K:
    return unpackQ6_K;
  case DType::IQ4_XS:
    return unpackIQ4_XS;
  case DType::F32:
  case DType::F16:
  case DType::BF16:
  case DType::Unsupported:
    break;
  }
  assert(false && "expected a quantised element type");
  return nullptr;
}

/// Where block \p b of a field with \p perBlock numbers to a block begins; null for a
/// field that the format does not have.
template <typename T> static T *fieldOf(std::vector<T> &field, size_t b, unsigned perBlock) {
  return field.empty() ? nullptr : field.data() + b * perBlock;
}

void rlx::unpackRow(DType type, llvm::ArrayRef<uint8_t> bytes, BlockRow &row) {
  const DTypeInfo &info = getDTypeInfo(type);
  assert(row.format == formatOf(type) && bytes.size() >= row.d.size() * info.blockBytes);
  unsigned groups = blockFormat(row.format).groups();
  Unpack unpack = unpackerOf(type);
  for (size_t b = 0; b < row.d.size(); ++b)
    unpack(bytes.data() + b * info.blockBytes,
           {row.codes.data() + b * info.blockElements, row.d.data() + b, fieldOf(row.m, b, 1),
            fieldOf(row.scales, b, groups), fieldOf(row.minima, b, groups)});
}
