//===- Dequantize.h - Rows of stored elements to floats ---------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Decodes rows of every supported element type. Sources need no alignment.
//===----------------------------------------------------------------------===//
#ifndef RLX_IMPORT_DEQUANTIZE_H
#define RLX_IMPORT_DEQUANTIZE_H

#include "rlx/Import/DType.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace rlx {

float halfToFloat(uint16_t bits);
float bfloat16ToFloat(uint16_t bits);
/// Rounds to nearest, ties to even; a NaN stays a (quiet) NaN.
uint16_t floatToHalf(float value);
uint16_t floatToBfloat16(float value);

/// Decodes `values.size()` elements that start at `bytes`. The count must be a
/// multiple of the type's block, and `bytes` must hold that many blocks.
void dequantizeRow(DType type, llvm::ArrayRef<uint8_t> bytes, llvm::MutableArrayRef<float> values);

/// A quantised row in the terms of its BlockFormat (rlx/Target/WeightFormat.h),
/// nothing rounded.
struct BlockRow {
  WeightFormat format = WeightFormat::Q8_0;
  std::vector<uint8_t> codes;  ///< of each element
  std::vector<uint16_t> d, m;  ///< f16 bits, for each scaleColumns elements
  std::vector<int8_t> scales;  ///< s, for each groupColumns elements
  std::vector<uint8_t> minima; ///< n, for each groupColumns elements

  /// Makes room for `columns` elements; fields that the format lacks become empty.
  void resize(WeightFormat rowFormat, size_t columns);
  /// Makes every element 0: scales of 0, codes of the number 0.
  void clear();

  /// The integer q of element k.
  int quant(size_t k) const;
  /// The factor of a group's integers.
  float scale(size_t group) const;
  /// What is added to every element of a group.
  float minimum(size_t group) const;
  /// The elements.
  void values(llvm::MutableArrayRef<float> values) const;
};

/// Unpacks the blocks of a row of quantised type `type` into `row`, which has the
/// format and size wanted.
void unpackRow(DType type, llvm::ArrayRef<uint8_t> bytes, BlockRow &row);

} // namespace rlx

#endif // RLX_IMPORT_DEQUANTIZE_H
