//===- Scratch.cpp - Memory that an op's kernels need ---------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Linear ops keep normalised or converted activations in scratch memory.
//
//===----------------------------------------------------------------------===//
#include "rlx/Conversion/Scratch.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Conversion/Weights.h"
#include "rlx/Kernels/KernelSpecs.h"

using namespace rlx;

int64_t rlx::scratchBytes(mlir::Operation *op, int64_t maxTokens) {
  auto linear = llvm::dyn_cast<LinearOp>(op);
  if (!linear)
    return 0;
  mlir::FailureOr<WeightOp> weight = lookupWeight(op, linear.getWeightAttr());
  if (mlir::failed(weight))
    return 0;
  mlir::FailureOr<WeightFormat> format = getWeightFormat(*weight);
  if (mlir::failed(format))
    return 0;
  int64_t k = weight->getTensorType().getDimSize(1);
  int64_t normalised = linear.getNorm() ? preparedRowBytes(ActivationFormat::F32, k) : 0;
  if (op->hasAttr(kGenericAttr))
    return maxTokens * normalised;
  switch (*format) {
  case WeightFormat::F32:
  case WeightFormat::F16:
    return maxTokens * normalised;
  case WeightFormat::BF16: // f32 or bf16 activations, as the target prefers
    return maxTokens * std::max(normalised, preparedRowBytes(ActivationFormat::BF16, k));
  default: // the same for every target
    return maxTokens * preparedRowBytes(activationFormat(*format, {}), k);
  }
}
