//===- Quantize.h - Rows of floats to blocks --------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The quantisers. q8_0 and q4_0 round as the formats' reference definition does, so
// that an RLX q8_0 equals a GGUF q8_0 of the same floats; the others search for the
// scales with the least squared error.
//===----------------------------------------------------------------------===//
#ifndef RLX_PACKING_QUANTIZE_H
#define RLX_PACKING_QUANTIZE_H

#include "rlx/Import/Dequantize.h"

namespace rlx {

/// Whether quantizeRow makes `format`.
bool canQuantize(WeightFormat format);

/// Quantises `values`, whole blocks of `format`, into `row`.
///   q8_0  per 32: d = max|x| / 127, q = round(x / d), halves away from zero.
///   q4_0  per 32: d = m / -8 for the value m of the largest magnitude (the first of
///         equals), q = min(15, trunc(x / d + 8.5)) - 8.
///   q5_0, q6_k, q4_k  see lib/Packing/QuantizeSearch.cpp.
void quantizeRow(WeightFormat format, llvm::ArrayRef<float> values, BlockRow &row);

} // namespace rlx

#endif // RLX_PACKING_QUANTIZE_H
