//===- QuantizeSearch.h - Scales of least squared error ---------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Quantises a block by trying several scales.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_PACKING_QUANTIZESEARCH_H
#define RLX_LIB_PACKING_QUANTIZESEARCH_H

#include "rlx/Import/Dequantize.h"

namespace rlx {

/// Keeps what came from a NaN or an infinity inside a format's range: converting
/// an out-of-range float to an integer is undefined.
int clampToInt(float value, int low, int high);

/// Quantises `x` into stored block `block` of `row`, whose format is q5_0, q6_k or q4_k.
void searchBlock(llvm::ArrayRef<float> x, BlockRow &row, size_t block);

} // namespace rlx

#endif // RLX_LIB_PACKING_QUANTIZESEARCH_H
