//===- WeightProvider.h - Rows of weights for the interpreter ---*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Gives the interpreter one row of a weight at a time, so that a model of any
// size can be checked without a decoded copy of it in memory.
//===----------------------------------------------------------------------===//
#ifndef RLX_INTERPRETER_WEIGHTPROVIDER_H
#define RLX_INTERPRETER_WEIGHTPROVIDER_H

#include "rlx/IR/RLXOps.h"
#include "rlx/Import/Dequantize.h"
#include "rlx/Import/WeightSource.h"

namespace rlx {

class WeightProvider {
public:
  virtual ~WeightProvider();

  /// The values of row `row` of `weight` (of the one row of a vector), after its
  /// sources were combined and every transform but packing was applied.
  virtual llvm::Error readRow(WeightOp weight, int64_t row,
                              llvm::MutableArrayRef<float> values) = 0;

  /// The blocks of row `row` of a weight whose declared type is quantised.
  virtual llvm::Error readBlocks(WeightOp weight, int64_t row, BlockRow &blocks) = 0;
};

/// Reads rows from the tensors of a checkpoint, found by name.
class SourceWeights : public WeightProvider {
public:
  /// `source` must outlive this.
  explicit SourceWeights(const WeightSource &source) : source(source) {}

  llvm::Error readRow(WeightOp weight, int64_t row, llvm::MutableArrayRef<float> values) override;
  llvm::Error readBlocks(WeightOp weight, int64_t row, BlockRow &blocks) override;

private:
  /// The tensor that holds row `row` of `weight`; `row` becomes its row there.
  llvm::Expected<const Tensor *> locate(WeightOp weight, int64_t &row) const;

  const WeightSource &source;
};

} // namespace rlx

#endif // RLX_INTERPRETER_WEIGHTPROVIDER_H
