//===- Attributes.h - Names shared by the last passes -----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Discardable attributes through which memory planning, weight layout, kernel
// conversion and the model table hand on what they found.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_CONVERSION_ATTRIBUTES_H
#define RLX_CONVERSION_ATTRIBUTES_H

#include "rlx/IR/RLXOps.h"
#include "llvm/ADT/StringRef.h"

namespace rlx {

// On an op of a planned function: array<i64> with, for each result, its byte
// offset in the workspace; -1 for views, cache handles and the function's outputs.
constexpr llvm::StringLiteral kOffsetsAttr = "rlx.offsets";
// On an op of a planned function: i64, byte offset of its scratch memory.
constexpr llvm::StringLiteral kScratchAttr = "rlx.scratch";
// On a planned function: array<i64: offset, count>, counters in the workspace by which the
// `count` kernels (countClaims) share their work. Each has RLX_ALIGNMENT bytes.
constexpr llvm::StringLiteral kCountersAttr = "rlx.counters";
// On a planned function, later on its rlx.variant: i64.
constexpr llvm::StringLiteral kWorkspaceBytesAttr = "rlx.workspace_bytes";

/// Alignment of everything in a workspace, as rlx/runtime/abi.h demands.
constexpr int64_t kWorkspaceAlignment = 64;

/// Far above any model's workspace, far below where sums of offsets and sizes overflow.
constexpr int64_t kMaxWorkspaceBytes = int64_t(1) << 44;

/// Whether `bytes` at `offset` lie within a workspace of so many bytes, aligned.
inline bool isPlace(int64_t offset, int64_t bytes, int64_t workspace) {
  return offset >= 0 && offset % kWorkspaceAlignment == 0 && bytes <= workspace &&
         offset <= workspace - bytes;
}

/// The counters of a planned function: their place and number; none where kCountersAttr is
/// absent or not what it should be.
struct Counters {
  int64_t offset = 0, count = 0;
};
inline Counters getCounters(mlir::Operation *function) {
  auto attr = function->getAttrOfType<mlir::DenseI64ArrayAttr>(kCountersAttr);
  if (!attr || attr.size() != 2 || attr[0] < 0 || attr[0] > kMaxWorkspaceBytes || attr[1] < 0 ||
      attr[1] > kMaxWorkspaceBytes / kWorkspaceAlignment)
    return {};
  return {attr[0], attr[1]};
}

// On an op whose kernel is the generic one: unit (rlx-mark-generic).
constexpr llvm::StringLiteral kGenericAttr = "rlx.generic";

// On rlx.variant: i64, largest BATCH and OUT.
constexpr llvm::StringLiteral kBatchMaxAttr = "rlx.batch_max";
constexpr llvm::StringLiteral kOutMaxAttr = "rlx.out_max";

// On rlx.variant: an array with a dictionary for each kernel call of its step, in order:
// name, kind; and where they are not 0 or absent layer, kv_slot, probe, out_rows,
// weight_bytes, row_bytes, row_operations, key_operations (rlx_stage_t of
// rlx/runtime/abi.h).
constexpr llvm::StringLiteral kStagesAttr = "rlx.stages";

// On the module.
constexpr llvm::StringLiteral kTargetAttr = "rlx.target";              // string
constexpr llvm::StringLiteral kVocabSizeAttr = "rlx.vocab_size";       // i64
constexpr llvm::StringLiteral kHiddenSizeAttr = "rlx.hidden_size";     // i64
constexpr llvm::StringLiteral kMaxContextAttr = "rlx.max_context";     // i64
constexpr llvm::StringLiteral kWeightsBytesAttr = "rlx.weights_bytes"; // i64
// An array with a dictionary for each loop that measures a peak: name, operations, function.
constexpr llvm::StringLiteral kProbesAttr = "rlx.probes";

// The global with the rlx_model_t; Target writes the weights' hash into it.
constexpr llvm::StringLiteral kModelTableSymbol = "rlx_model";

/// How many of the op's kernels let threads claim parts of their work, one after another, from a
/// counter.
inline int64_t countClaims(mlir::Operation *op) {
  if (auto linear = llvm::dyn_cast<LinearOp>(op))
    return linear.getCoarse() ? 2 : 1;
  return llvm::isa<AttentionOp, CachedAttentionOp>(op);
}

} // namespace rlx

#endif // RLX_CONVERSION_ATTRIBUTES_H
