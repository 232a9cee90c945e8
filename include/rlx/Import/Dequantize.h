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

namespace rlx {

float halfToFloat(uint16_t bits);
float bfloat16ToFloat(uint16_t bits);
/// Rounds to nearest, ties to even; a NaN stays a (quiet) NaN.
uint16_t floatToHalf(float value);
uint16_t floatToBfloat16(float value);

/// Decodes `values.size()` elements that start at `bytes`. The count must be a
/// multiple of the type's block, and `bytes` must hold that many blocks.
void dequantizeRow(DType type, llvm::ArrayRef<uint8_t> bytes, llvm::MutableArrayRef<float> values);

/// Unpacks the q8_0 or q4_0 blocks of a row exactly: `quants[k]` is the signed
/// integer of element k (q4_0: -8 … 7) and `scales[b]` the f16 bits of block
/// b's scale, so that element k is quants[k] * scales[k / 32].
void unpackRow(DType type, llvm::ArrayRef<uint8_t> bytes, llvm::MutableArrayRef<int8_t> quants,
               llvm::MutableArrayRef<uint16_t> scales);

} // namespace rlx

#endif // RLX_IMPORT_DEQUANTIZE_H
