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

#include "rlx/IR/RLXOps.h"

namespace rlx {

/// Bytes of scratch memory that `op` needs while it runs on up to `maxTokens` rows, 0
/// for most. It is the same for every target, so that one plan serves them all.
int64_t scratchBytes(mlir::Operation *op, int64_t maxTokens);

/// Where in its scratch memory a linear op with `screen` keeps what; at 0 are the activations that
/// its own weight is multiplied with.
struct ScreenScratch {
  int64_t prepared; ///< those that the coarse copy is multiplied with
  int64_t outputs;  ///< of the copy
  int64_t screen;   ///< ScreenSpec's memory
  int64_t end;
};
ScreenScratch getScreenScratch(LinearOp op);

/// The chunks by which attention of a single token shares its work (AttentionSpec::chunks),
/// 0 where `query` may have more tokens or the op is generic.
int64_t getAttentionChunks(mlir::Operation *op, mlir::Value query, int64_t window);

} // namespace rlx

#endif // RLX_CONVERSION_SCRATCH_H
