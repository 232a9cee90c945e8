//===- Evaluation.h - One call of a function --------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Holds the arrays of a call's SSA values and computes op after op.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_INTERPRETER_EVALUATION_H
#define RLX_LIB_INTERPRETER_EVALUATION_H

#include "Reference.h"

namespace rlx {

class Evaluation {
public:
  Evaluation(mlir::ModuleOp module, WeightProvider &weights, const InterpreterOptions &options,
             const Interpreter::SymbolValues &symbols, InterpreterCache *cache)
      : module(module), weights(weights), options(options), arithmetic(options.arithmetic),
        symbols(symbols), cache(cache) {}

  llvm::Expected<std::vector<Array>> run(mlir::func::FuncOp function, std::vector<Array> arguments);

private:
  using Result = llvm::Expected<Array>;

  llvm::Error execute(mlir::Operation *op);
  llvm::Error define(mlir::Value value, Array array);
  void release(mlir::Operation *op);
  const Array &at(mlir::Value value) const { return values.find(value)->second; }
  llvm::SmallVector<int64_t, 4> shapeOf(mlir::Type type) const;

  // Ops with one result.
  Result compute(EmbeddingOp op);
  Result compute(RmsNormOp op);
  Result compute(LinearOp op);
  Result compute(AddOp op);
  Result compute(MulOp op);
  Result compute(GegluOp op);
  Result compute(GeluOp op);
  Result compute(ScaleOp op);
  Result compute(SoftcapOp op);
  Result compute(MergeHeadsOp op);
  Result compute(SelectRowsOp op);
  Result compute(PositionsOp op);
  Result compute(RopeAnglesOp op);
  Result compute(RopeOp op);
  Result compute(AttentionOp op);
  Result compute(CachedAttentionOp op);
  Result compute(KVAppendOp op);
  Result compute(RopeAppendOp op);

  // Ops with several: they define their results.
  llvm::Error computeAll(KVReadOp op);
  llvm::Error computeAll(SplitOp op);
  llvm::Error computeAll(SplitHeadsOp op);

  Result append(llvm::StringRef slot, const Array &key, const Array &value);
  llvm::Expected<std::pair<Array, Array>> read(llvm::StringRef slot);
  Result product(WeightOp weight, const Array &x, bool tiled);
  llvm::Expected<std::vector<double>> gain(mlir::FlatSymbolRefAttr name, GainConvention convention);
  Array add(const Array &x, const Array &y);
  WeightOp weight(mlir::FlatSymbolRefAttr name) {
    return module.lookupSymbol<WeightOp>(name.getAttr());
  }

  mlir::ModuleOp module;
  WeightProvider &weights;
  const InterpreterOptions &options;
  reference::Arithmetic arithmetic;
  const Interpreter::SymbolValues &symbols;
  InterpreterCache *cache;
  llvm::DenseMap<mlir::Value, Array> values;
  llvm::DenseMap<mlir::Value, int64_t> uses; ///< how many are still to come
};

} // namespace rlx

#endif // RLX_LIB_INTERPRETER_EVALUATION_H
