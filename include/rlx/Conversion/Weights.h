//===- Weights.h - What the kernels read of rlx.weight ----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Formats, layouts and sizes of weights.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_CONVERSION_WEIGHTS_H
#define RLX_CONVERSION_WEIGHTS_H

#include "rlx/IR/RLXOps.h"
#include "rlx/Target/TargetDescription.h"

namespace rlx {

/// The format of a weight's elements, or an error at `weight` where no kernel reads it.
mlir::FailureOr<WeightFormat> getWeightFormat(WeightOp weight);

/// The layout that the weight's #rlx.pack names; empty where it has none.
llvm::StringRef getWeightLayout(WeightOp weight);

/// Bytes of the packed weight, whose layout must be known. An error at `weight` where
/// the layout cannot hold it.
mlir::FailureOr<int64_t> getPackedBytes(WeightOp weight);

/// The weight that `user` names, or an error at `user`.
mlir::FailureOr<WeightOp> lookupWeight(mlir::Operation *user, mlir::FlatSymbolRefAttr name);

} // namespace rlx

#endif // RLX_CONVERSION_WEIGHTS_H
