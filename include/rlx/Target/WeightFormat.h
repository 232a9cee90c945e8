//===- WeightFormat.h - How packed weights store numbers --------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The formats of packed weights, and what the quantised ones are made of: reading,
// packing and multiplying blocks all follow this one table.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TARGET_WEIGHTFORMAT_H
#define RLX_TARGET_WEIGHTFORMAT_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace rlx {

/// Formats of packed weights (rlx/Packing/Layouts.h).
enum class WeightFormat {
  F32,
  F16,
  BF16,
  Q8_0,
  Q4_0,
  Q4_1,
  Q5_0,
  Q5_1,
  Q2_K,
  Q3_K,
  Q4_K,
  Q5_K,
  Q6_K,
  IQ4_NL,
  IQ4_XS,
};
constexpr unsigned kWeightFormatCount = 15;

/// Columns of a block: what one step of a product with quantised weights covers.
constexpr uint64_t kQuantBlock = 32;

/// The numbers that the codes of iq4_nl and iq4_xs stand for.
constexpr int8_t kCodebook[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                  1,    13,   25,  38,  53,  69,  89,  113};

/// What the elements of a quantised row are made of. Element k is
///   scale(k) * q(k)             without minima,
///   scale(k) * q(k) + m         with minima,
///   scale(k) * q(k) - m * n(k)  with minima and integer scales,
/// where q = code - offset, or kCodebook[code]; scale = d, or d * s with integer
/// scales s. d and m are f16, shared by scaleColumns columns; s and n are integers of
/// 8 bits, shared by groupColumns columns.
struct BlockFormat {
  unsigned bits;         ///< of a code; 0: the format has no blocks
  int offset;            ///< of the codes; 128 with a codebook: kCodebook + 128 is unsigned
  unsigned scaleColumns; ///< elements of a stored block
  unsigned groupColumns; ///< 32 where there are no integer scales
  bool integerScales;
  bool minima;
  bool codebook;

  constexpr unsigned groups() const { return scaleColumns / groupColumns; }
  /// Bytes of the codes of 16 rows.
  constexpr uint64_t codeBytes(uint64_t columns) const { return columns * 2 * bits; }
  /// Bytes that precede the integer scales of a record (rlx/Packing/Layouts.h).
  constexpr uint64_t headBytes() const { return minima ? 64 : 32; }
  /// Bytes of the integers of one group in a record.
  constexpr uint64_t groupBytes() const { return integerScales ? (minima ? 32 : 16) : 0; }
  /// Bytes of the scales of scaleColumns columns of 16 rows.
  constexpr uint64_t recordBytes() const { return headBytes() + groups() * groupBytes(); }
  /// Bytes of scaleColumns columns of 16 rows: codes, then scales.
  constexpr uint64_t unitBytes() const { return codeBytes(scaleColumns) + recordBytes(); }
  constexpr uint64_t panelBytes(uint64_t columns) const {
    return columns / scaleColumns * unitBytes();
  }
};

/// Name and blocks of a format.
struct WeightFormatInfo {
  llvm::StringLiteral name; ///< as profiles, manifests, types and kernels spell it
  BlockFormat blocks;
};

inline constexpr WeightFormatInfo kWeightFormats[kWeightFormatCount] = {
    // name, {bits, offset, columns of d, of s, integer scales, minima, codebook}
    {"f32", {}},
    {"f16", {}},
    {"bf16", {}},
    {"q8_0", {8, 128, 32, 32, false, false, false}},
    {"q4_0", {4, 8, 32, 32, false, false, false}},
    {"q4_1", {4, 0, 32, 32, false, true, false}},
    {"q5_0", {5, 16, 32, 32, false, false, false}},
    {"q5_1", {5, 0, 32, 32, false, true, false}},
    {"q2_k", {2, 0, 256, 16, true, true, false}},
    {"q3_k", {3, 4, 256, 16, true, false, false}},
    {"q4_k", {4, 0, 256, 32, true, true, false}},
    {"q5_k", {5, 0, 256, 32, true, true, false}},
    {"q6_k", {6, 32, 256, 16, true, false, false}},
    {"iq4_nl", {4, 128, 32, 32, false, false, true}},
    {"iq4_xs", {4, 128, 256, 32, true, false, true}},
};

constexpr const BlockFormat &blockFormat(WeightFormat format) {
  return kWeightFormats[unsigned(format)].blocks;
}

constexpr bool isQuantized(WeightFormat format) { return blockFormat(format).bits != 0; }

/// The format's name, e.g. "q8_0".
constexpr llvm::StringLiteral weightFormatName(WeightFormat format) {
  return kWeightFormats[unsigned(format)].name;
}

/// The format of that name.
inline std::optional<WeightFormat> parseWeightFormat(llvm::StringRef name) {
  for (unsigned i = 0; i < kWeightFormatCount; ++i)
    if (kWeightFormats[i].name == name)
      return static_cast<WeightFormat>(i);
  return std::nullopt;
}

/// Some bits of the codes of a block of 32 columns, for 16 rows: `bits` vectors of
/// 64 bytes. Byte [4 * row + i] of vector v holds the bits of column 4g + i at
/// bit shift(g), for the groups g with vector(g) = v.
struct CodePlane {
  unsigned bits;      ///< 1, 2, 4 or 8
  unsigned low;       ///< place of the lowest bit in the code
  uint64_t blockByte; ///< where the plane starts in a block

  constexpr unsigned vector(unsigned group) const { return group % bits; }
  constexpr unsigned shift(unsigned group) const { return group / bits * bits; }
  constexpr unsigned mask() const { return (1u << bits) - 1; }
};

/// The planes of a format, low bits first: as few as there are ones in `bits`.
inline llvm::SmallVector<CodePlane, 2> codePlanes(const BlockFormat &format) {
  llvm::SmallVector<CodePlane, 2> planes;
  unsigned low = 0;
  for (unsigned bits : {8u, 4u, 2u, 1u})
    if (format.bits & bits) {
      planes.push_back({bits, low, uint64_t(low) * 64});
      low += bits;
    }
  return planes;
}

} // namespace rlx

#endif // RLX_TARGET_WEIGHTFORMAT_H
