//===- Quantize.h - Rows of floats to blocks --------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The quantisers of the formats that kernels read. They round as the formats'
// reference definition does, so that an RLX q8_0 equals a GGUF q8_0 of the same
// floats. Results are as unpackRow (rlx/Import/Dequantize.h) gives them.
//===----------------------------------------------------------------------===//
#ifndef RLX_PACKING_QUANTIZE_H
#define RLX_PACKING_QUANTIZE_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace rlx {

/// Per block of 32: d = max|x| / 127, q = round(x / d), halves away from zero; the
/// stored scale is d as f16. `quants` is as long as `values`, a multiple of 32;
/// `scales` has an entry for each block.
void quantizeRowQ8_0(llvm::ArrayRef<float> values, llvm::MutableArrayRef<int8_t> quants,
                     llvm::MutableArrayRef<uint16_t> scales);

/// Per block of 32: d = m / -8 for the value m of the largest magnitude (the first
/// of equals), q = min(15, trunc(x / d + 8.5)) - 8.
void quantizeRowQ4_0(llvm::ArrayRef<float> values, llvm::MutableArrayRef<int8_t> quants,
                     llvm::MutableArrayRef<uint16_t> scales);

} // namespace rlx

#endif // RLX_PACKING_QUANTIZE_H
