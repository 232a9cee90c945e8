//===- StepArguments.h - The fields of rlx_step_args_t ----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loads what a step is given, once, at the start of its function.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_CONVERSION_STEPARGUMENTS_H
#define RLX_LIB_CONVERSION_STEPARGUMENTS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace rlx {

/// Values in the entry block. Counts are of type index.
struct StepArguments {
  mlir::Value batch, seq, outBegin, outCount, top;
  mlir::Value rows, outRows; ///< batch * seq, batch * outCount
  mlir::Value sequences, weights, workspace, logits, hidden;
  mlir::Value barrier, barrierContext;
  mlir::Value thread, threads;

  /// Loads the fields of `args` at the builder's insertion point. A size of the step
  /// that is always 1 becomes a constant.
  static StepArguments load(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value args,
                            mlir::Value thread, mlir::Value threads, bool oneSequence,
                            bool onePosition);
};

/// `pointer` moved by `offset` bytes.
mlir::Value offsetPointer(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value pointer,
                          int64_t offset);

} // namespace rlx

#endif // RLX_LIB_CONVERSION_STEPARGUMENTS_H
