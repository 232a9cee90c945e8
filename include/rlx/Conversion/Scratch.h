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

/// The chunks by which attention of a single token shares its work (AttentionSpec::chunks),
/// 0 where `query` may have more tokens or the op is generic.
int64_t getAttentionChunks(mlir::Operation *op, mlir::Value query, int64_t window);

} // namespace rlx

#endif // RLX_CONVERSION_SCRATCH_H
