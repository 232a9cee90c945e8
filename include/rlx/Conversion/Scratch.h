//===- Scratch.h - Memory that an op's kernels need -------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What memory planning has to know about kernels besides the sizes of tensors.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_CONVERSION_SCRATCH_H
#define RLX_CONVERSION_SCRATCH_H

#include "mlir/IR/Operation.h"

namespace rlx {

/// Bytes of scratch memory that `op` needs while it runs on up to `maxTokens` rows, 0
/// for most. It is the same for every target, so that one plan serves them all.
int64_t scratchBytes(mlir::Operation *op, int64_t maxTokens);

} // namespace rlx

#endif // RLX_CONVERSION_SCRATCH_H
