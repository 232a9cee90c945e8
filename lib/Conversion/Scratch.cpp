//===- Scratch.cpp - Memory that an op's kernels need ---------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Linear ops keep normalised or converted activations in scratch memory, attention of
// single tokens what it finds in each chunk of keys.
//
//===----------------------------------------------------------------------===//
#include "rlx/Conversion/Scratch.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Conversion/Weights.h"
#include "rlx/Kernels/KernelSpecs.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace rlx;

int64_t rlx::getAttentionChunks(mlir::Operation *op, mlir::Value query, int64_t window) {
  auto type = llvm::cast<mlir::RankedTensorType>(query.getType());
  SymbolAttr past =
      lookupSymbol(op, mlir::StringAttr::get(op->getContext(), RLXDialect::kPastSymbol));
  if (type.getDimSize(1) != 1 || !past || op->hasAttr(kGenericAttr))
    return 0;
  return attentionChunks(past.getMax() + 1, window);
}

/// The product, or the greatest number, which memory planning refuses, where it overflows.
static int64_t multiply(int64_t a, int64_t b) {
  int64_t product;
  return llvm::MulOverflow(a, b, product) ? std::numeric_limits<int64_t>::max() : product;
}

/// Bytes of the chunks of one token's heads.
template <typename OpT> static int64_t chunkBytes(OpT op) {
  auto type = llvm::cast<mlir::RankedTensorType>(op.getQuery().getType());
  int64_t chunks = getAttentionChunks(op, op.getQuery(), op.getWindow().value_or(0));
  return multiply(multiply(type.getDimSize(2), chunks), attentionChunkBytes(type.getDimSize(3)));
}

/// Bytes of the prepared activations of a linear op.
static int64_t preparedScratch(LinearOp linear, int64_t maxTokens) {
  mlir::Operation *op = linear;
  mlir::FailureOr<WeightOp> weight = lookupWeight(op, linear.getWeightAttr());
  if (mlir::failed(weight))
    return 0;
  mlir::FailureOr<WeightFormat> format = getWeightFormat(*weight);
  if (mlir::failed(format))
    return 0;
  int64_t k = weight->getTensorType().getDimSize(1);
  auto bytes = [&](ActivationFormat activation) { return preparedBytes(activation, k, maxTokens); };
  int64_t normalised = linear.getNorm() ? bytes(ActivationFormat::F32) : 0;
  if (op->hasAttr(kGenericAttr) || *format == WeightFormat::F32 || *format == WeightFormat::F16)
    return normalised;
  // What the target prefers that needs most, so that one plan serves all. A matrix unit takes the
  // rows of prompts, and few of them in the target's other format, f32 at most.
  int64_t most = normalised;
  if (linear.isOfPrompt() && maxTokens > 1) {
    int64_t few = RLX_EXACT_TOKENS * preparedRowBytes(ActivationFormat::F32, k);
    most = std::max({most, few, bytes(ActivationFormat::BF16Tiles)});
  }
  return std::max(most, bytes(*format == WeightFormat::BF16 ? ActivationFormat::BF16
                                                            : activationFormat(*format, {})));
}

ScreenScratch rlx::getScreenScratch(LinearOp op) {
  auto weight = lookupWeight(op, op.getWeightAttr());
  llvm::ArrayRef<int64_t> shape = weight->getTensorType().getShape(); // [outputs, K]
  int64_t prepared = llvm::alignTo(preparedScratch(op, 1), RLX_ALIGNMENT);
  ScreenScratch scratch;
  scratch.prepared = prepared;
  scratch.outputs = 2 * prepared;
  scratch.screen = scratch.outputs + llvm::alignTo(shape[0] * 4, RLX_ALIGNMENT);
  scratch.end = scratch.screen + screenBytes(shape[0]);
  return scratch;
}

int64_t rlx::scratchBytes(mlir::Operation *op, int64_t maxTokens) {
  if (auto attention = llvm::dyn_cast<AttentionOp>(op))
    return multiply(maxTokens, chunkBytes(attention));
  if (auto attention = llvm::dyn_cast<CachedAttentionOp>(op))
    return multiply(maxTokens, chunkBytes(attention));
  auto linear = llvm::dyn_cast<LinearOp>(op);
  if (!linear)
    return 0;
  return linear.getCoarse() ? getScreenScratch(linear).end : preparedScratch(linear, maxTokens);
}
